/* A numeric watermark: decimal digits in the weights of a convolution. See digits.h. */
#include "base/error.h"
#include "nn/lock/digits.h"
#include <math.h>
#include <stdio.h>

struct digits_map digits_map(double lo, double hi)
{
	const double a = 9 / (hi - lo);

	BUG_ON(!(lo < hi));
	return (struct digits_map){ a, -a * lo };
}

int digits_room(const struct param *p)
{
	return p->buffer || p->nd != 4 ? 0 : p->d[1] * p->d[2] * p->d[3];
}

/* The filter that holds the maximum at position pos; ties go to the first. */
static int top_filter(const struct param *p, int pos)
{
	const int m = digits_room(p);
	int top = 0;

	for (int o = 1; o < p->d[0]; o++)
		if (p->x[(long)o * m + pos] > p->x[(long)top * m + pos])
			top = o;
	return top;
}

static double component(const struct param *p, int reduce, int pos)
{
	const int m = digits_room(p);
	double sum = 0;

	if (reduce == DIGITS_MAX)
		return (double)p->x[(long)top_filter(p, pos) * m + pos];
	for (int o = 0; o < p->d[0]; o++)
		sum += (double)p->x[(long)o * m + pos];
	return sum / p->d[0];
}

void digits_reduce(const struct param *p, int reduce, double *w)
{
	for (int pos = 0; pos < digits_room(p); pos++)
		w[pos] = component(p, reduce, pos);
}

double digits_loss(const struct digits *d, struct model *m, double lambda)
{
	struct param *p = model_find(m, d->layer);
	double sum = 0;
	int room;

	BUG_ON(!p || !p->g);
	room = digits_room(p);
	for (int k = 0; k < d->n; k++) {
		const int pos = d->position[k];
		const double err = d->digit[k] - d->map.a * component(p, d->reduce, pos) - d->map.b;
		const double slope = -2 * lambda / d->n * err * d->map.a; /* by the component */

		sum += err * err;
		if (d->reduce == DIGITS_MAX)
			p->g[(long)top_filter(p, pos) * room + pos] += (real)slope;
		for (int o = 0; d->reduce == DIGITS_MEAN && o < p->d[0]; o++)
			p->g[(long)o * room + pos] += (real)(slope / p->d[0]);
	}
	return lambda * sum / d->n;
}

int digits_match(const struct digits *d, const struct model *m, unsigned char *match)
{
	const struct param *p = model_find(m, d->layer);
	int matched = 0;

	for (int k = 0; k < d->n; k++) {
		bool same = p && d->position[k] >= 0 && d->position[k] < digits_room(p);

		same = same && round(d->map.a * component(p, d->reduce, d->position[k]) + d->map.b) == d->digit[k];
		matched += same;
		if (match)
			match[k] = same;
	}
	return matched;
}

void digits_pack(struct bundle *secret, const struct digits *d)
{
	bundle_put_i32(secret, "mark.digits", d->n, d->digit);
	bundle_put_i32(secret, "mark.positions", d->n, d->position);
	bundle_meta(secret, "mark.layer", d->layer);
	bundle_meta_num(secret, "mark.reduce", d->reduce);
	bundle_meta_num(secret, "mark.a", d->map.a);
	bundle_meta_num(secret, "mark.b", d->map.b);
}

bool digits_open(struct digits *d, const struct bundle *secret)
{
	const char *layer = bundle_meta_get(secret, "mark.layer");
	size_t nd, np;

	d->digit = bundle_i32(secret, "mark.digits", &nd);
	d->position = bundle_i32(secret, "mark.positions", &np);
	if (!layer || !d->digit || !d->position || nd != np)
		return false;
	snprintf(d->layer, sizeof(d->layer), "%s", layer);
	d->n = (int)nd;
	d->reduce = (int)bundle_meta_getnum(secret, "mark.reduce", DIGITS_MAX);
	d->map = (struct digits_map){ bundle_meta_getnum(secret, "mark.a", 0), bundle_meta_getnum(secret, "mark.b", 0) };
	return true;
}
