/* Fisher information and elastic weight consolidation. See fisher.h. */
#include "attacks/weights/fisher.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "nn/ops.h"

/* A class drawn from softmax(logits of image 0). */
static int draw_class(const struct node *logits, struct rng *r)
{
	double sum = 0, max = -INFINITY, at;
	int k;

	for (k = 0; k < logits->c; k++)
		max = fmax(max, (double)node_at(logits, 0, k));
	for (k = 0; k < logits->c; k++)
		sum += exp((double)node_at(logits, 0, k) - max);
	at = rng_uniform(r) * sum;
	for (k = 0; k < logits->c - 1; k++) {
		at -= exp((double)node_at(logits, 0, k) - max);
		if (at < 0)
			break;
	}
	return k;
}

/* One image at a time: the square is of an image's gradient, not of a batch's. */
static void add_image(struct model *m, struct tape *t, const struct images *v, int i, struct rng_key key, double *f)
{
	struct node *x, *logits;
	struct rng r;
	int label;

	tape_reset(t);
	x = tape_input(t, 1, v->c, v->h, v->w, false);
	node_load_images(x, v, i);
	logits = m->arch->forward(m, x, false);
	rng_at(&r, key, (uint32_t)i, 0);
	label = draw_class(logits, &r);
	model_zero_grad(m);
	tape_backward(t, op_cross_entropy(logits, &label, 0));
	for (size_t k = 0; k < m->ng; k++)
		f[k] += (double)m->g[k] * (double)m->g[k];
}

int fisher_diagonal(struct access *a, struct model *m, const struct images *v, double *f)
{
	const struct rng_key key = rng_key(a->seed, "fisher");
	struct tape *t;
	int ret = 0;

	if (m->arch->image || !v->n)
		return error(EXIT_UNEVALUABLE, "Fisher information needs a classifier and images");
	t = tape_new();
	memset(f, 0, m->ng * sizeof(*f));
	for (int i = 0; i < v->n && !ret; i++) {
		add_image(m, t, v, i, key, f);
		ret = interrupt_check();
	}
	for (size_t k = 0; k < m->ng; k++)
		f[k] /= v->n;
	model_zero_grad(m);
	tape_free(t);
	return ret ? -1 : access_spend(a, 0, 3.0 * v->n);
}

int ewc_open(struct ewc *e, struct access *a, struct model *m, const struct images *v, double c, double lr)
{
	double max = 0;

	*e = (struct ewc){ .c = c, .lr = lr, .f = xmalloc(m->ng, sizeof(*e->f)), .start = xmalloc(m->ng, sizeof(*e->start)) };
	if (fisher_diagonal(a, m, v, e->f) < 0) {
		ewc_close(e);
		return -1;
	}
	for (size_t i = 0; i < m->ng; i++)
		max = fmax(max, e->f[i]);
	for (size_t i = 0; i < m->ng; i++)
		e->f[i] = max > 0 ? e->f[i] / max : 0;
	memcpy(e->start, m->x, m->ng * sizeof(*e->start));
	return 0;
}

void ewc_close(struct ewc *e)
{
	free(e->f);
	free(e->start);
	*e = (struct ewc){ 0 };
}

double ewc_loss(void *ewc, struct model *m)
{
	const struct ewc *e = ewc;
	const double bound = 1 / (e->lr * e->c);
	double sum = 0;

	for (size_t i = 0; i < m->ng; i++) {
		const double k = e->c * fmin(e->f[i], bound), d = (double)m->x[i] - (double)e->start[i];

		m->g[i] += (real)(k * d);
		sum += 0.5 * k * d * d;
	}
	return sum;
}
