/* Overrides: --set a.b=c, in a job's tree. See job_parts.h. */
#include "bench/job_parts.h"

#include <string.h>

#include "base/error.h"

/* Turn the entry `name` of a list of drivers into a map entry and set its option. Returns how many entries there were. */
static int set_option(struct parser *ps, struct yaml *drivers, const char *name, struct yaml *option, struct yaml *value)
{
	int found = 0;

	for (int i = 0; drivers && drivers->kind != YAML_SCALAR && i < drivers->n; i++) {
		struct yaml *e = drivers->item[i], **options = NULL;
		int at;

		if (drivers->kind == YAML_MAP) {
			options = !strcmp(drivers->key[i]->text, name) ? &drivers->item[i] : NULL;
		} else if (e->kind == YAML_SCALAR && !strcmp(e->text, name)) {
			struct yaml *m = yaml_map(&ps->mem, e);

			yaml_put(&ps->mem, m, e, yaml_map(&ps->mem, e));
			drivers->item[i] = m;
			options = &m->item[0];
		} else if (e->kind == YAML_MAP && (at = yaml_find(e, name)) >= 0) {
			options = &e->item[at];
		}
		if (!options)
			continue;
		if (yaml_is_null(*options))
			*options = yaml_map(&ps->mem, option);
		if ((*options)->kind != YAML_MAP)
			continue; /* read_job() says what is wrong with it */
		yaml_put(&ps->mem, *options, option, value);
		found++;
	}
	return found;
}

/* path: "key" or "key.member" in one map (the head or a block). */
static int set_member(struct parser *ps, struct yaml *map, struct yaml *key, struct yaml *member, struct yaml *value)
{
	struct yaml *inner;

	if (!member) {
		yaml_put(&ps->mem, map, key, value);
		return 0;
	}
	inner = yaml_get(map, key->text);
	if (!inner || yaml_is_null(inner)) {
		inner = yaml_map(&ps->mem, key);
		yaml_put(&ps->mem, map, key, inner);
	}
	if (inner->kind != YAML_MAP)
		return yaml_error(inner, "'%s' is no map", key->text);
	yaml_put(&ps->mem, inner, member, value);
	return 0;
}

static int set_drivers(struct parser *ps, struct yaml *key, struct yaml *name, struct yaml *option, struct yaml *value)
{
	struct yaml *blocks = yaml_get(ps->root, "blocks");
	int found = set_option(ps, yaml_get(ps->root, key->text), name->text, option, value);

	for (int i = 0; blocks && blocks->kind == YAML_LIST && i < blocks->n; i++)
		found += set_option(ps, yaml_get(blocks->item[i], key->text), name->text, option, value);
	if (!found)
		return yaml_error(name, "the job lists no %.*s '%s'", (int)strlen(key->text) - 1, key->text, name->text);
	return 0;
}

/* A block's own value must not win against an override. */
static int set_everywhere(struct parser *ps, struct yaml *key, struct yaml *member, struct yaml *value)
{
	struct yaml *blocks = yaml_get(ps->root, "blocks");

	if (set_member(ps, ps->root, key, member, value) < 0)
		return -1;
	for (int i = 0; blocks && blocks->kind == YAML_LIST && i < blocks->n; i++)
		if (yaml_find(blocks->item[i], key->text) >= 0 && set_member(ps, blocks->item[i], key, member, value) < 0)
			return -1;
	return 0;
}

int job_apply_set(struct parser *ps, const char *text)
{
	char *where = xasprintf("--set %s", text), path[256], *part[4] = { NULL };
	struct yaml place = { .where = arena_printf(&ps->mem, "%s", where), .line = 1, .column = 1 }, *value, *node[3] = { NULL };
	size_t eq = strcspn(text, "=");
	int n = 0;

	free(where);
	if (!eq || text[eq] != '=' || eq >= sizeof(path))
		return error(EXIT_UNEVALUABLE, "--set %s: want name=value, e.g. train.epochs=3", text);
	memcpy(path, text, eq);
	path[eq] = '\0';
	for (char *save = NULL, *p = strtok_r(path, ".", &save); p && n < 4; p = strtok_r(NULL, ".", &save))
		part[n++] = p;
	if (n < 1 || n > 3)
		return error(EXIT_UNEVALUABLE, "--set %s: want one to three names with points between", text);
	for (int i = 0; i < n; i++)
		node[i] = yaml_scalar(&ps->mem, &place, part[i]);
	if (text[eq + 1]) {
		value = yaml_parse(&ps->mem, text + eq + 1, strlen(text + eq + 1), place.where);
	} else {
		value = yaml_scalar(&ps->mem, &place, "");
		value->quoted = true;
	}
	if (!value)
		return -1;
	if (ps->root->kind != YAML_MAP)
		return 0; /* read_job() refuses it */
	if (n > 1 && (!strcmp(part[0], "schemes") || !strcmp(part[0], "attacks"))) {
		if (n == 2)
			return error(EXIT_UNEVALUABLE, "--set %s: want %s.%s.OPTION=value", text, part[0], part[1]);
		return set_drivers(ps, node[0], node[1], node[2], value);
	}
	if (n == 3)
		return error(EXIT_UNEVALUABLE, "--set %s: only schemes and attacks have options of options", text);
	return set_everywhere(ps, node[0], node[1], value);
}
