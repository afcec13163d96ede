/* See affine_block.h. */
#include "attacks/lock/affine_block.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define SLOPE 0.01

struct parts { double *v, *w1, *b1, *w2, *b2; };
static struct parts parts_of(const struct residual_block *b, double *x)
{
	const size_t c = b->scale->len, w = (size_t)b->groups * (size_t)b->h * (size_t)b->d;
	struct parts p = { .v = x };

	p.w1 = p.v + c;
	p.b1 = p.w1 + w;
	p.w2 = p.b1 + (size_t)b->groups * (size_t)b->h;
	p.b2 = p.w2 + w;
	return p;
}

/* gamma'' of every scale, into the model. */
static void expand(const struct residual_block *b)
{
	const struct parts p = parts_of(b, b->x);

	for (int g = 0; g < b->groups; g++) {
		double *const v = p.v + g * b->d;

		for (int o = 0; o < b->d; o++) {
			double out = v[o] + p.b2[g * b->d + o];

			for (int k = 0; k < b->h; k++) {
				double z = p.b1[g * b->h + k];

				for (int i = 0; i < b->d; i++)
					z += p.w1[(g * b->h + k) * b->d + i] * v[i];
				out += p.w2[(g * b->d + o) * b->h + k] * (z > 0 ? z : SLOPE * z);
			}
			b->scale->x[g * b->d + o] = (real)out;
		}
	}
}

/* d loss / d x from that of gamma'', which the model's gradient holds. */
static void pull_back(const struct residual_block *b)
{
	const struct parts p = parts_of(b, b->x), q = parts_of(b, b->g);

	memset(b->g, 0, b->len * sizeof(*b->g));
	for (int g = 0; g < b->groups; g++) {
		const real *out = b->scale->g + g * b->d;

		for (int o = 0; o < b->d; o++) {
			q.v[g * b->d + o] += (double)out[o];
			q.b2[g * b->d + o] += (double)out[o];
		}
		for (int k = 0; k < b->h; k++) {
			double z = p.b1[g * b->h + k], back = 0;

			for (int i = 0; i < b->d; i++)
				z += p.w1[(g * b->h + k) * b->d + i] * p.v[g * b->d + i];
			for (int o = 0; o < b->d; o++) {
				q.w2[(g * b->d + o) * b->h + k] += (double)out[o] * (z > 0 ? z : SLOPE * z);
				back += (double)out[o] * p.w2[(g * b->d + o) * b->h + k];
			}
			back *= z > 0 ? 1 : SLOPE;
			q.b1[g * b->h + k] += back;
			for (int i = 0; i < b->d; i++) {
				q.w1[(g * b->h + k) * b->d + i] += back * p.v[g * b->d + i];
				q.v[g * b->d + i] += back * p.w1[(g * b->h + k) * b->d + i];
			}
		}
	}
}

static void uniform(double *x, size_t n, int fan_in, struct rng *r)
{
	const double bound = 1 / sqrt(fan_in);

	for (size_t i = 0; i < n; i++)
		x[i] = bound * (2 * rng_uniform(r) - 1);
}

/* Moves number k of b by its gradient at learning rate lr, as rule c says (step: 1, 2, ...). */
static void move(const struct residual_block *b, size_t k, const struct block_rule *c, double lr, long step)
{
	const double g = b->g[k] + c->weight_decay * b->x[k], beta = c->adam ? 0.9 : c->momentum;

	if (!c->adam) {
		b->momentum[k] = beta * b->momentum[k] + g;
		b->x[k] -= lr * b->momentum[k];
		return;
	}
	b->momentum[k] = beta * b->momentum[k] + (1 - beta) * g;
	b->square[k] = 0.999 * b->square[k] + 0.001 * g * g;
	b->x[k] -= lr * b->momentum[k] / (1 - pow(beta, (double)step)) / (sqrt(b->square[k] / (1 - pow(0.999, (double)step))) + 1e-8);
}

void residual_block_open(struct residual_block *b, struct param *scale, int groups, int hidden, struct rng *r)
{
	struct parts p;

	*b = (struct residual_block){ .scale = scale, .groups = groups, .d = (int)scale->len / groups, .h = hidden };
	b->len = scale->len * 2 + (size_t)b->groups * (size_t)b->h * (size_t)(2 * b->d + 1);
	b->x = xcalloc(b->len, 4 * sizeof(*b->x));
	b->g = b->x + b->len;
	b->momentum = b->g + b->len;
	b->square = b->momentum + b->len;
	p = parts_of(b, b->x);
	for (size_t i = 0; i < scale->len; i++)
		p.v[i] = (double)scale->x[i];
	uniform(p.w1, (size_t)(p.b1 - p.w1), b->d, r);
	uniform(p.b1, (size_t)(p.w2 - p.b1), b->d, r);
	uniform(p.w2, (size_t)(p.b2 - p.w2), b->h, r);
	uniform(p.b2, scale->len, b->h, r);
	expand(b);
}

void residual_block_step(struct residual_block *b, const struct block_rule *c, double lr, long step)
{
	pull_back(b);
	for (size_t k = 0; k < b->len; k++)
		move(b, k, c, lr, step);
	expand(b);
	memset(b->scale->g, 0, b->scale->len * sizeof(*b->scale->g));
}

void residual_block_close(struct residual_block *b)
{
	free(b->x);
}
