/* See support_weights.h. */
#include "tests/support_weights.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

void world_swap(struct world *w, const char *model)
{
	struct model_spec s = { .c = w->data->c, .h = w->data->h, .w = w->data->w, .classes = w->data->classes };
	struct rng r;

	ck_assert_int_eq(model_spec_parse(&s, model), 0);
	model_free(w->base);
	model_free(w->locked.model);
	w->base = model_new(&s, 3);
	rng_open(&r, 5, "norms", 0, 0);
	for (int k = 0; k < w->base->np; k++)
		for (size_t e = 0; w->base->p[k].buffer && e < w->base->p[k].len; e++)
			w->base->p[k].x[e] = (real)(strstr(w->base->p[k].name, "var") ? 0.2 + rng_uniform(&r) : rng_normal(&r) / 10);
	w->locked.model = model_copy(w->base);
	w->setup.base = w->base;
}

double models_apart(const struct model *a, const struct model *b)
{
	double diff = 0, size = 0;

	ck_assert_uint_eq(a->nx, b->nx);
	for (size_t i = 0; i < a->nx; i++) {
		diff += ((double)a->x[i] - (double)b->x[i]) * ((double)a->x[i] - (double)b->x[i]);
		size += (double)b->x[i] * (double)b->x[i];
	}
	return sqrt(diff / size);
}

double answers_apart(const struct world *w, struct model *a, struct model *b)
{
	const struct images v = images_first(w->setup.splits->test, 20);
	const int n = v.n * model_outputs(a);
	float *x = xmalloc((size_t)n, sizeof(*x)), *y = xmalloc((size_t)n, sizeof(*y));
	double worst = 0, size = 0;

	ck_assert_int_eq(model_outputs(a), model_outputs(b));
	ck_assert(model_predict(a, &v, x) == 0 && model_predict(b, &v, y) == 0);
	for (int i = 0; i < n; i++) {
		worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
		size = fmax(size, fabs((double)x[i]));
	}
	free(x);
	free(y);
	return worst / size;
}

int world_right(const struct world *w, struct model *m)
{
	const struct images *test = &w->setup.splits->test;
	unsigned char *right = xmalloc(test->n, 1);
	const int n = model_correct(m, test, right);

	free(right);
	return n;
}

unsigned needs_under(const char *name, const char *options)
{
	const struct attack *a = attack_named(name);
	void *c = conf_of(&a->drv, options);
	const unsigned n = a->needs_for(c);

	free(c);
	return n;
}

void run_attack(const struct world *w, const char *name, const char *options, struct ledger *l, struct product *p)
{
	ck_assert_msg(world_attack(w, attack_named(name), options, l, p) == 0, "%s %s: %s", name, options, error_text());
	ck_assert_int_eq(p->goal, attack_named(name)->goal);
}

static bool same_bits(const struct world *w, const char *name, const char *options)
{
	const unsigned long before = model_bits(w->locked.model);
	struct product p;
	bool same;

	run_attack(w, name, options, NULL, &p);
	ck_assert_uint_eq(model_bits(w->locked.model), before);
	same = model_bits(p.model) == before;
	product_release(&p);
	return same;
}

void expect_untouched(const struct world *w, const char *name, const char *options)
{
	ck_assert_msg(same_bits(w, name, options), "%s %s changed the model", name, options);
}

void expect_touched(const struct world *w, const char *name, const char *options)
{
	ck_assert_msg(!same_bits(w, name, options), "%s %s changed nothing", name, options);
}

double distance_under(const struct world *w, const char *name, const char *options)
{
	struct product p;
	double d;

	run_attack(w, name, options, NULL, &p);
	d = models_apart(p.model, w->locked.model);
	product_release(&p);
	return d;
}

void runs_on_every_architecture(const struct world *w, const char *name, const char *options)
{
	static const char *const nets[] = { "lenet5", "mlp-9", "wrn10-1" };

	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		struct world other = *w;
		struct product p;

		other.base = model_copy(w->base);
		other.locked.model = model_copy(w->locked.model);
		other.setup.locked = &other.locked;
		world_swap(&other, nets[i]);
		run_attack(&other, name, options, NULL, &p);
		ck_assert_str_eq(p.model->spec.arch, other.base->spec.arch);
		for (size_t k = 0; k < p.model->nx; k++)
			ck_assert(isfinite(p.model->x[k]));
		product_release(&p);
		model_free(other.base);
		model_free(other.locked.model);
	}
}
