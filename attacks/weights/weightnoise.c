/* Weight noise and weight shifting: add to every weight normal noise of a share of its tensor's spread, and move filters away
 * from their mean.
 *
 * Source: Lukas et al., "SoK: how robust is image classification deep neural network watermarking?", S&P 2022 (weight shifting;
 * its public code moves w by -shift times the mean over the filters and adds N(0, std(w))).
 * Differs: the noise's size is an option and also works alone; tune-epochs is the fine-tuning that follows there. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "base/error.h"
#include "base/rng.h"

struct weightnoise_conf {
	double sigma, shift;
	int which;
	struct tune_after after;
};

static const struct opt weightnoise_opts[] = {
	{ "sigma", OPT_FLOAT, offsetof(struct weightnoise_conf, sigma), "0.05", 0, 100,
	  "standard deviation of the noise, in standard deviations of the tensor's weights", NULL },
	{ "shift", OPT_FLOAT, offsetof(struct weightnoise_conf, shift), "0", 0, 100,
	  "times the mean over the filters is subtracted from each (weight shifting: 1.5, with sigma=1 weights=conv)", NULL },
	WEIGHTS_ROW(struct weightnoise_conf, which),
	TUNE_AFTER(struct weightnoise_conf, after),
	{ 0 }
};

static double spread(const struct param *p)
{
	double mean = 0, sum = 0;

	for (size_t i = 0; i < p->len; i++)
		mean += (double)p->x[i] / (double)p->len;
	for (size_t i = 0; i < p->len; i++)
		sum += ((double)p->x[i] - mean) * ((double)p->x[i] - mean);
	return sqrt(sum / (double)p->len);
}

static void disturb(struct param *p, const struct weightnoise_conf *c, struct rng *r)
{
	const size_t len = p->len / (size_t)p->d[0];
	const double sd = c->sigma * spread(p);

	for (size_t k = 0; k < len && c->shift > 0; k++) {
		double mean = 0;

		for (int o = 0; o < p->d[0]; o++)
			mean += (double)p->x[(size_t)o * len + k] / p->d[0];
		for (int o = 0; o < p->d[0]; o++)
			p->x[(size_t)o * len + k] = (real)((double)p->x[(size_t)o * len + k] - c->shift * mean);
	}
	for (size_t i = 0; i < p->len && sd > 0; i++)
		p->x[i] = (real)((double)p->x[i] + sd * rng_normal(r));
}

static unsigned weightnoise_needs(const void *conf)
{
	const struct weightnoise_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | tune_after_needs(&c->after);
}

static int weightnoise_run(struct access *a, const void *conf, struct product *p)
{
	const struct weightnoise_conf *c = conf;
	struct rng r;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "weightnoise: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	for (int i = 0; i < p->model->np; i++) {
		rng_open(&r, a->seed, "weight noise", (uint32_t)i, 0);
		if (weights_counted(&p->model->p[i], c->which))
			disturb(&p->model->p[i], c, &r);
	}
	return tune_after(a, &c->after, false, p->model);
}

const struct attack attack_weightnoise = {
	.drv = { .name = "weightnoise", .summary = "add noise to the stolen model's weights, or shift its filters",
		 .source = "Lukas et al., S&P 2022 (weight shifting). Differs: the noise's size is an option and works alone",
		 .version = 1, .conf_size = sizeof(struct weightnoise_conf), .opts = weightnoise_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "sigma", .strength_up = 1,
	.needs_for = weightnoise_needs, .run = weightnoise_run,
};
