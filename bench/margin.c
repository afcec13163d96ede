/* Tolerances. See margin.h. */
#include "bench/margin.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/opt.h"

#define DEFAULT_POINTS 1
#define ATTACKED_POINTS 5
#define OTHER_SHARE 0.01

const struct metric *metric_find(const char *name)
{
	for (int i = 0; metrics[i]; i++)
		if (!strcmp(metrics[i]->name, name))
			return (const struct metric *)metrics[i];
	return NULL;
}

static int known(const char *name)
{
	const char *names[512] = { "default", "attacked" };
	size_t n = 2;

	if (!strcmp(name, names[0]) || !strcmp(name, names[1]) || metric_find(name))
		return 0;
	for (int i = 0; metrics[i] && n < ARRAY_LEN(names); i++)
		names[n++] = metrics[i]->name;
	return unknown_name("metric", name, names, n);
}

static int at(const struct margins *m, const char *name)
{
	for (int i = 0; i < m->n; i++)
		if (!strcmp(m->m[i].metric, name))
			return i;
	return -1;
}

static int set(struct margins *m, const char *name, const char *value)
{
	struct { double v; } conf;
	const struct opt table[] = { { "margin", OPT_FLOAT, 0, "0", 0, 1e12, "margin", NULL }, { 0 } };
	char number[64];
	size_t n = strlen(value);
	bool relative = n && value[n - 1] == '%';
	int i;

	snprintf(number, sizeof(number), "%.*s", (int)(relative ? n - 1 : n), value);
	if (known(name) < 0 || n >= sizeof(number) || opt_set(table, &conf, "margin", number) < 0)
		return error(EXIT_UNEVALUABLE, "margin '%.80s' of %.64s", value, name);
	i = at(m, name);
	if (i < 0 && m->n == MARGINS_MAX)
		return error(EXIT_UNEVALUABLE, "more than %d margins", MARGINS_MAX);
	if (i < 0)
		i = m->n++;
	snprintf(m->m[i].metric, sizeof(m->m[i].metric), "%s", name);
	m->m[i].value = relative ? conf.v / 100 : conf.v;
	m->m[i].relative = relative;
	return 0;
}

int margins_text(struct margins *m, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *word;
	int ret = 0;

	while (!ret && (word = strsep(&rest, ",")) != NULL) {
		char *eq = strchr(word, '=');

		if (!*word)
			continue;
		if (!eq) {
			ret = error(EXIT_UNEVALUABLE, "margin '%s': write METRIC=POINTS", word);
			continue;
		}
		*eq = '\0';
		ret = set(m, word, eq + 1);
	}
	free(copy);
	return ret;
}

int margins_yaml(struct margins *m, const struct yaml *map)
{
	if (map->kind != YAML_MAP)
		return yaml_error(map, "'margins' wants a map of metrics and margins");
	for (int i = 0; i < map->n; i++) {
		if (map->item[i]->kind != YAML_SCALAR || yaml_is_null(map->item[i]))
			return yaml_error(map->item[i], "a margin is one number, or one with %%");
		if (set(m, map->key[i]->text, map->item[i]->text) < 0)
			return yaml_prefix(map->key[i]);
	}
	return 0;
}

int margins_file(struct margins *m, const char *path)
{
	struct arena mem = { 0 };
	size_t len;
	char *text = file_read(path, (size_t)1 << 20, &len);
	struct yaml *y = text ? yaml_parse(&mem, text, len, path) : NULL, *map = y ? yaml_get(y, "margins") : NULL;
	int ret = -1;

	if (map)
		ret = margins_yaml(m, map);
	else if (y)
		ret = error(EXIT_UNEVALUABLE, "%s: no 'margins:' in it", path);
	free(text);
	arena_release(&mem);
	return ret;
}

double margin_of(const struct margins *m, const char *metric, bool attacked, double baseline)
{
	const struct metric *k = metric_find(metric);
	const bool points = k && (!strcmp(k->unit, "%") || !strcmp(k->unit, "points"));
	int i = at(m, metric);

	if (i < 0 && points && attacked)
		i = at(m, "attacked");
	if (i < 0 && points && !attacked)
		i = at(m, "default");
	if (i < 0)
		return !points ? OTHER_SHARE * fabs(baseline) : attacked ? ATTACKED_POINTS : DEFAULT_POINTS;
	return m->m[i].relative ? m->m[i].value * fabs(baseline) : m->m[i].value;
}
