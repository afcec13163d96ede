/* Intervals over two levels: seeds, and the images on which all of them are judged. group_bootstrap() of rows.h. */
#include "reports/rows.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/bootstrap.h"

#define CONFIDENCE 0.95
#define DRAWS 1000

/* x (images of every seed, seed by seed), first (seeds + 1); false when a cell lacks them or has others. Caller frees both. */
static bool trials_of(const struct group *g, const char *bits, double **x, int **first)
{
	size_t n = 0;

	*x = NULL;
	*first = xcalloc((size_t)g->ncells + 1, sizeof(**first));
	for (int i = 0; i < g->ncells; i++) {
		const json_t *j = json_object_get(json_object_get(json_object_get(g->cell[i], "observations"), "bits"), bits);
		const char *text = jget_str(j, "bits", NULL);
		const long long len = jget_int(j, "n", 0);
		unsigned char *bit = text && len > 0 && len < 1 << 24 ? bits_decode(text, (size_t)len) : NULL;

		if (!bit || (n && (size_t)len != n)) {
			free(bit);
			return false;
		}
		n = (size_t)len;
		if (!*x)
			*x = xmalloc(n * (size_t)g->ncells, sizeof(**x));
		for (size_t k = 0; k < n; k++)
			(*x)[n * (size_t)i + k] = 100 * bit[k];
		(*first)[i + 1] = (int)n * (i + 1);
		free(bit);
	}
	return n > 0;
}

static struct drawn *drawn_new(struct rows *r, const struct group *g, const char *metric)
{
	if (r->ndrawn == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->drawn = xrealloc(r->drawn, (size_t)r->room, sizeof(*r->drawn));
	}
	r->drawn[r->ndrawn] = (struct drawn){ .g = g, .metric = arena_printf(&r->mem, "%s", metric) };
	return &r->drawn[r->ndrawn++];
}

bool group_bootstrap(struct rows *r, const struct group *g, const char *metric, struct summary *s)
{
	const struct boot_conf conf = { .levels = BOOT_CROSSED, .confidence = CONFIDENCE, .replicates = DRAWS, .seed = 1 };
	const struct metric *m = metric_named(metric);
	struct drawn *d = NULL;

	if (!m || !m->same_images || !m->share || g->series >= 0 || s->n < 3 || s->n < s->of)
		return false;
	for (int i = 0; i < r->ndrawn && !d; i++)
		if (r->drawn[i].g == g && !strcmp(r->drawn[i].metric, metric))
			d = &r->drawn[i];
	if (!d) {
		struct boot_interval b;
		double *x;
		int *first;

		d = drawn_new(r, g, metric);
		d->ok = trials_of(g, m->share, &x, &first);
		if (d->ok) {
			bootstrap_mean(&(struct boot_data){ x, first, g->ncells }, &conf, &b);
			d->low = fmax(b.low, 0);
			d->high = fmin(b.high, 100);
		}
		free(x);
		free(first);
	}
	if (d->ok) {
		s->low = fmin(d->low, s->mean);
		s->high = fmax(d->high, s->mean);
		s->pooled = false;
		s->drawn = true;
	}
	return d->ok;
}
