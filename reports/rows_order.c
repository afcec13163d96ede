/* The order of rows, which does not depend on the input's: contexts, schemes, variants, strengths, seeds. See rows_parts.h. */
#include "reports/rows_parts.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static int by_seed(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	long long s = rows_seed(x), t = rows_seed(y);

	return s != t ? (s > t) - (s < t) : strcmp(jget_str(x, "key", ""), jget_str(y, "key", ""));
}

/* Indices before sorting, so that groups can follow their context, scheme and series. */
struct ranked {
	const char *key;
	int rank, old;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank) : strcmp(x->key, y->key);
}

/* Sort array (n, size) by what `order` says and tell in moved[old] = new. */
static void permute(void *array, size_t n, size_t size, struct ranked *order, int *moved)
{
	char *copy = xmalloc(n + 1, size);

	qsort(order, n, sizeof(*order), by_rank);
	memcpy(copy, array, n * size);
	for (size_t i = 0; i < n; i++) {
		memcpy((char *)array + i * size, copy + (size_t)order[i].old * size, size);
		moved[order[i].old] = (int)i;
	}
	free(copy);
}

static int scheme_rank(const char *name)
{
	return !strcmp(name, "none") ? 0 : !strcmp(name, "keycheck") ? 1 : 2;
}

static void sort_context(struct rows *r, int ctx)
{
	struct context *c = &r->context[ctx];
	int most = c->nschemes > c->nseries ? c->nschemes : c->nseries;
	struct ranked *order = xcalloc((size_t)most + 1, sizeof(*order));
	int *scheme = xcalloc((size_t)most + 1, sizeof(int)), *series = xcalloc((size_t)most + 1, sizeof(int));

	for (int i = 0; i < c->nschemes; i++)
		order[i] = (struct ranked){ c->scheme[i].key, scheme_rank(c->scheme[i].name) + (c->scheme[i].hidden ? 3 : 0), i };
	if (c->nschemes > 0)
		permute(c->scheme, (size_t)c->nschemes, sizeof(*c->scheme), order, scheme);
	for (int i = 0; i < c->nseries; i++)
		order[i] = (struct ranked){ c->series[i].key, 0, i };
	if (c->nseries > 0)
		permute(c->series, (size_t)c->nseries, sizeof(*c->series), order, series);
	for (int i = 0; i < r->ngroups; i++) {
		struct group *g = &r->group[i];

		if (g->context != ctx)
			continue;
		g->scheme = scheme[g->scheme];
		if (g->series >= 0)
			g->series = series[g->series];
	}
	free(order);
	free(scheme);
	free(series);
}

static int by_place(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->context != y->context)
		return x->context - y->context;
	if (x->series != y->series)
		return x->series - y->series;
	if (x->scheme != y->scheme)
		return x->scheme - y->scheme;
	if (x->has_strength && y->has_strength && x->strength != y->strength)
		return x->strength < y->strength ? -1 : 1;
	return strcmp(x->attack_key, y->attack_key);
}

void rows_sort(struct rows *r)
{
	struct ranked *order = xcalloc((size_t)r->ncontexts + 1, sizeof(*order));
	int *moved = xcalloc((size_t)r->ncontexts + 1, sizeof(int));

	for (int i = 0; i < r->ncontexts; i++) {
		sort_context(r, i);
		order[i] = (struct ranked){ r->context[i].key, 0, i };
	}
	if (r->ncontexts > 0)
		permute(r->context, (size_t)r->ncontexts, sizeof(*r->context), order, moved);
	for (int i = 0; i < r->ngroups; i++) {
		struct group *g = &r->group[i];

		g->context = moved[g->context];
		if (g->cell)
			qsort(g->cell, (size_t)g->ncells, sizeof(*g->cell), by_seed);
		if (g->failure)
			qsort(g->failure, (size_t)g->nfailures, sizeof(*g->failure), by_seed);
	}
	if (r->ngroups)
		qsort(r->group, (size_t)r->ngroups, sizeof(*r->group), by_place);
	r->nall = r->ngroups;
	free(order);
	free(moved);
}

/* Schemes that were not selected, and their groups, behind the others and out of count. */
void rows_hide(struct rows *r)
{
	struct group *sorted = xcalloc((size_t)r->nall + 1, sizeof(*sorted));
	int n = 0;

	for (int hidden = 0; hidden < 2; hidden++) {
		for (int i = 0; i < r->nall; i++)
			if (r->context[r->group[i].context].scheme[r->group[i].scheme].hidden == hidden)
				sorted[n++] = r->group[i];
		if (!hidden)
			r->ngroups = n;
	}
	if (r->nall)
		memcpy(r->group, sorted, (size_t)r->nall * sizeof(*sorted));
	free(sorted);
	for (int i = 0; i < r->ncontexts; i++)
		while (r->context[i].nschemes && r->context[i].scheme[r->context[i].nschemes - 1].hidden)
			r->context[i].nschemes--;
	r->ncells = r->nfailures = 0;
	for (int i = 0; i < r->ngroups; i++) {
		r->ncells += r->group[i].ncells;
		r->nfailures += r->group[i].nfailures;
	}
}
