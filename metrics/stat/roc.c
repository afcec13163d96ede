/* ROC curves. See roc.h. */
#include "metrics/stat/roc.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/stat/dist.h"

struct score { double s; bool genuine; };

static int by_score(const void *pa, const void *pb)
{
	const struct score *a = pa, *b = pb;

	return a->s < b->s ? -1 : a->s > b->s;
}

static struct roc_point point(const struct roc *r, double threshold, long accepted, long rejected)
{
	return (struct roc_point){ threshold, accepted, rejected, (double)accepted / r->impostors, (double)rejected / r->genuine };
}

void roc_of(const double *genuine, int m, const double *impostor, int n, struct roc *r)
{
	const int all = m + n;
	struct score *s = xmalloc((size_t)all, sizeof(*s));
	long accepted = n, rejected = 0;
	int end;

	BUG_ON(m < 1 || n < 1);
	*r = (struct roc){ xmalloc((size_t)all + 1, sizeof(*r->p)), 0, m, n };
	for (int i = 0; i < all; i++) {
		s[i] = (struct score){ i < m ? genuine[i] : impostor[i - m], i < m };
		BUG_ON(!isfinite(s[i].s));
	}
	qsort(s, (size_t)all, sizeof(*s), by_score);
	for (int first = 0; first < all; first = end) {
		r->p[r->n++] = point(r, s[first].s, accepted, rejected);
		for (end = first; end < all && s[end].s == s[first].s; end++) {
			accepted -= !s[end].genuine;
			rejected += s[end].genuine;
		}
	}
	r->p[r->n++] = point(r, INFINITY, accepted, rejected);
	free(s);
}

void roc_free(struct roc *r)
{
	free(r->p);
	*r = (struct roc){ .n = 0 };
}

/* Trapezoids: a step down in far at equal scores is a slanted line, which is what half a point for a tie means. */
double roc_auc(const struct roc *r)
{
	double sum = 0;

	for (int i = 1; i < r->n; i++)
		sum += (double)(r->p[i - 1].accepted - r->p[i].accepted) * (2.0 * r->genuine - (double)(r->p[i - 1].rejected + r->p[i].rejected));
	return sum / (2.0 * r->genuine * r->impostors);
}

/* > 0 when c lies to the left of the way from a to b. */
static double turn(const struct roc_point *a, const struct roc_point *b, const struct roc_point *c)
{
	return (b->far - a->far) * (c->frr - a->frr) - (b->frr - a->frr) * (c->far - a->far);
}

double roc_eer(const struct roc *r)
{
	const struct roc_point **hull = xmalloc((size_t)r->n, sizeof(*hull)), *a, *b;
	int n = 0, i = 1;
	double before, after;

	for (int k = 0; k < r->n; k++) { /* from right to left, keeping what bends towards the origin: right turns only */
		while (n > 1 && turn(hull[n - 2], hull[n - 1], &r->p[k]) >= 0)
			n--;
		hull[n++] = &r->p[k];
	}
	while (i < n - 1 && hull[i]->far > hull[i]->frr)
		i++;
	a = hull[i - 1];
	b = hull[i];
	free(hull);
	before = a->far - a->frr; /* > 0, and <= 0 after */
	after = b->far - b->frr;
	return a->far + (b->far - a->far) * before / (before - after);
}

double roc_eer_raw(const struct roc *r, struct roc_point *at)
{
	const struct roc_point *best = &r->p[0];

	for (int i = 1; i < r->n; i++)
		if (fabs(r->p[i].far - r->p[i].frr) < fabs(best->far - best->frr))
			best = &r->p[i];
	if (at)
		*at = *best;
	return (best->far + best->frr) / 2;
}

double roc_frr_at(const struct roc *r, double most)
{
	for (int i = 0; i < r->n; i++) /* frr grows along the points */
		if (r->p[i].far <= most)
			return r->p[i].frr;
	return 1;
}

double roc_min_error(const struct roc *r)
{
	double best = 0.5;

	for (int i = 0; i < r->n; i++)
		best = fmin(best, (r->p[i].far + r->p[i].frr) / 2);
	return best;
}

bool roc_det(const struct roc_point *p, double *x, double *y)
{
	if (p->far < 1e-4 || p->far > 0.5 || p->frr < 1e-4 || p->frr > 0.5)
		return false;
	*x = normal_inv(p->far);
	*y = normal_inv(p->frr);
	return true;
}
