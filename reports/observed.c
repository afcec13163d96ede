/* See observed.h. */
#include "reports/observed.h"

#include "base/error.h"
#include "base/json.h"

static const json_t *observation(const json_t *cell, const char *kind, const char *name)
{
	return json_object_get(json_object_get(json_object_get(cell, "observations"), kind), name);
}

unsigned char *cell_bits(const json_t *cell, const char *name, size_t *n)
{
	const json_t *j = observation(cell, "bits", name);
	const char *text = jget_str(j, "bits", NULL);
	long long len = jget_int(j, "n", -1);

	if (!text || len <= 0)
		return NULL;
	*n = (size_t)len;
	return bits_decode(text, *n);
}

double *cell_series(const json_t *cell, const char *name, size_t *n)
{
	const json_t *j = observation(cell, "series", name);
	double *v;

	*n = json_array_size(j);
	if (!*n)
		return NULL;
	v = xcalloc(*n, sizeof(*v));
	for (size_t i = 0; i < *n; i++)
		v[i] = json_number_value(json_array_get(j, i));
	return v;
}

double cell_number(const json_t *cell, const char *name, double def)
{
	const json_t *v = observation(cell, "numbers", name);

	return json_is_number(v) ? json_number_value(v) : def;
}

double *group_series(const struct group *g, const char *name, size_t *n)
{
	double *sum = NULL;

	*n = 0;
	for (int i = 0; i < g->ncells; i++) {
		size_t len;
		double *v = cell_series(g->cell[i], name, &len);

		if (v && !sum) {
			sum = v;
			*n = len;
			continue;
		}
		for (size_t k = 0; v && len == *n && k < len; k++)
			sum[k] += v[k];
		free(v);
	}
	return sum;
}
