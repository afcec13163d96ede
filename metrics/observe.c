/* Observations by name, and their JSON. See observe.h. */
#include "metrics/observe.h"

#include <math.h>
#include <string.h>

#include "base/driver.h"
#include "base/error.h"
#include "base/json.h"

#define ENTRIES_MAX 1024
#define MAX_TRIALS ((long long)1 << 26) /* in one entry of a file: what a cell holds is far below */

/* The entry to write to: the old one emptied, or a new one at the end. */
static struct obs_entry *entry(struct observations *o, const char *name, int kind)
{
	struct obs_entry *e;

	BUG_ON(!*name || strlen(name) >= sizeof(e->name));
	for (int i = 0; i < o->n; i++) {
		e = &o->e[i];
		if (!strcmp(e->name, name)) {
			free(e->bits);
			free(e->series);
			goto found;
		}
	}
	o->e = xrealloc(o->e, (size_t)o->n + 1, sizeof(*o->e));
	e = &o->e[o->n++];
found:
	memset(e, 0, sizeof(*e));
	strcpy(e->name, name);
	e->kind = kind;
	return e;
}

void obs_bits(struct observations *o, const char *name, const unsigned char *bits, size_t n)
{
	struct obs_entry *e = entry(o, name, 'b');

	e->n = n;
	e->bits = xmalloc(n + 1, 1);
	for (size_t i = 0; i < n; i++) {
		e->bits[i] = bits[i] != 0;
		e->k += e->bits[i];
	}
}

void obs_num(struct observations *o, const char *name, double v)
{
	BUG_ON(!isfinite(v)); /* what was not measured is left out */
	entry(o, name, 'n')->value = v;
}

void obs_series(struct observations *o, const char *name, const double *v, size_t n)
{
	struct obs_entry *e = entry(o, name, 's');

	e->n = n;
	e->series = xmalloc(n + 1, sizeof(*v));
	if (n)
		memcpy(e->series, v, n * sizeof(*v));
}

const struct obs_entry *obs_get(const struct observations *o, const char *name, int kind)
{
	for (int i = 0; i < o->n; i++)
		if (!strcmp(o->e[i].name, name))
			return o->e[i].kind == kind ? &o->e[i] : NULL;
	return NULL;
}

double obs_getnum(const struct observations *o, const char *name, double def)
{
	const struct obs_entry *e = obs_get(o, name, 'n');

	return e ? e->value : def;
}

void obs_release(struct observations *o)
{
	for (int i = 0; i < o->n; i++) {
		free(o->e[i].bits);
		free(o->e[i].series);
	}
	free(o->e);
	*o = (struct observations){ 0 };
}

/* ---- JSON ---- */

static json_t *bits_json(const struct obs_entry *e)
{
	json_t *j = json_object();
	char *text = bits_encode(e->bits, e->n);

	jset_int(j, "k", e->k);
	jset_int(j, "n", (long long)e->n);
	jset_str(j, "bits", text);
	free(text);
	return j;
}

static json_t *series_json(const struct obs_entry *e)
{
	json_t *j = json_array();

	for (size_t i = 0; i < e->n; i++)
		json_array_append_new(j, json_real(e->series[i]));
	return j;
}

json_t *obs_json(const struct observations *o)
{
	json_t *bits = json_object(), *numbers = json_object(), *series = json_object(), *all = json_object();

	for (int i = 0; i < o->n; i++) {
		const struct obs_entry *e = &o->e[i];

		if (e->kind == 'b')
			jset(bits, e->name, bits_json(e));
		else if (e->kind == 'n')
			jset_num(numbers, e->name, e->value);
		else
			jset(series, e->name, series_json(e));
	}
	jset(all, "bits", bits);
	jset(all, "numbers", numbers);
	jset(all, "series", series);
	return all;
}

static int bad(const char *name, const char *what)
{
	return error(EXIT_UNEVALUABLE, "observation '%s' %s", name, what);
}

static int read_bits(struct observations *o, const char *name, const json_t *j)
{
	const long long n = jget_int(j, "n", -1);
	const char *text = jget_str(j, "bits", NULL);
	unsigned char *bits;

	if (n < 0 || n > MAX_TRIALS || !text || json_object_size(j) != 3)
		return bad(name, "lacks its trials");
	bits = bits_decode(text, (size_t)n);
	if (!bits)
		return bad(name, "has malformed bits");
	obs_bits(o, name, bits, (size_t)n);
	free(bits);
	return obs_get(o, name, 'b')->k == jget_int(j, "k", -1) ? 0 : bad(name, "does not count what its bits say");
}

static bool is_number(const json_t *j)
{
	return json_is_number(j) && fabs(json_number_value(j)) <= OBS_NUMBER_MAX;
}

static int read_number(struct observations *o, const char *name, const json_t *j)
{
	if (!is_number(j))
		return bad(name, "is no number, or too large a one");
	obs_num(o, name, json_number_value(j));
	return 0;
}

static int read_series(struct observations *o, const char *name, const json_t *j)
{
	const size_t n = json_array_size(j);
	double *v;

	if (!json_is_array(j))
		return bad(name, "is not a list");
	v = xmalloc(n + 1, sizeof(*v));
	for (size_t i = 0; i < n; i++) {
		if (!is_number(json_array_get(j, i))) {
			free(v);
			return bad(name, "holds something that is no number, or too large a one");
		}
		v[i] = json_number_value(json_array_get(j, i));
	}
	obs_series(o, name, v, n);
	free(v);
	return 0;
}

static bool is_there(const struct observations *o, const char *name)
{
	for (int i = 0; i < o->n; i++)
		if (!strcmp(o->e[i].name, name))
			return true;
	return false;
}

static int read_kind(struct observations *o, const json_t *j, const char *kind,
		     int (*read)(struct observations *, const char *, const json_t *))
{
	json_t *object = json_object_get(j, kind), *value;
	const char *name;

	if (!json_is_object(object))
		return error(EXIT_UNEVALUABLE, "observations lack \"%s\"", kind);
	json_object_foreach(object, name, value) {
		if (!driver_name_ok(name) || strlen(name) >= sizeof(o->e->name))
			return error(EXIT_UNEVALUABLE, "an observation's name is none, or longer than %zu bytes", sizeof(o->e->name) - 1);
		if (o->n >= ENTRIES_MAX || is_there(o, name))
			return bad(name, "is one too many, or there twice");
		if (read(o, name, value) < 0)
			return -1;
	}
	return 0;
}

int obs_from_json(struct observations *o, const json_t *j)
{
	if (json_object_size(j) != 3)
		return error(EXIT_UNEVALUABLE, "observations are \"bits\", \"numbers\" and \"series\"");
	if (read_kind(o, j, "bits", read_bits) < 0 || read_kind(o, j, "numbers", read_number) < 0 ||
	    read_kind(o, j, "series", read_series) < 0) {
		obs_release(o);
		return -1;
	}
	return 0;
}
