/* Quantisation: round the stolen model's weights to a few levels, or to a half-precision format.
 *
 * Source: uniform quantisation of weights as in Krishnamoorthi, "Quantizing deep convolutional networks for efficient
 * inference", 2018, section 2 (symmetric, one step a tensor); as a removal attack in Lukas et al., "SoK: how robust is image
 * classification deep neural network watermarking?", S&P 2022.
 * Differs: only weights are rounded, not activations, and the rounded values stay float32; fp16 and bf16 round every parameter but
 * the running statistics. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "base/error.h"

enum format { FORMAT_UNIFORM, FORMAT_FP16, FORMAT_BF16 };

struct quantize_conf {
	int bits, format, which;
	struct tune_after after;
};

static const struct opt quantize_opts[] = {
	{ "bits", OPT_INT, offsetof(struct quantize_conf, bits), "8", 2, 32, "bits a weight with format=uniform; 32: as it is", NULL },
	{ "format", OPT_CHOICE, offsetof(struct quantize_conf, format), "uniform", 0, 0,
	  "equal steps up to a tensor's largest weight, or IEEE half precision, or the upper half of float32", "uniform|fp16|bf16" },
	WEIGHTS_ROW(struct quantize_conf, which),
	TUNE_AFTER(struct quantize_conf, after),
	{ 0 }
};

/* x to the nearest number of `digits` significant binary digits whose exponent is at least `lowest` (below: subnormal, with steps of
 * its last digit); ties to even. */
static double round_digits(double x, int digits, int lowest)
{
	int e;

	if (x == 0)
		return x;
	frexp(x, &e); /* |x| in [2^(e-1), 2^e) */
	if (e - 1 < lowest)
		e = lowest + 1;
	return ldexp(rint(ldexp(x, digits - e)), e - digits);
}

static double to_half(double x)
{
	return fmin(fmax(round_digits(x, 11, -14), -65504), 65504);
}

static double to_bfloat(double x)
{
	return round_digits(x, 8, -126);
}

/* Levels -L .. L times max|w| / L, L = 2^(bits-1) - 1; zero stays zero, ties go to the even level. */
static void round_uniform(struct param *p, int bits)
{
	const double levels = ldexp(1, bits - 1) - 1;
	double max = 0;

	for (size_t i = 0; i < p->len; i++)
		max = fmax(max, fabs((double)p->x[i]));
	for (size_t i = 0; i < p->len && max > 0; i++)
		p->x[i] = (real)(rint((double)p->x[i] / max * levels) * max / levels);
}

static void quantize(struct model *m, const struct quantize_conf *c)
{
	for (int i = 0; i < m->np; i++) {
		struct param *p = &m->p[i];

		if (c->format == FORMAT_UNIFORM && c->bits < 32 && weights_counted(p, c->which))
			round_uniform(p, c->bits);
		for (size_t k = 0; c->format != FORMAT_UNIFORM && !p->buffer && k < p->len; k++)
			p->x[k] = (real)(c->format == FORMAT_FP16 ? to_half((double)p->x[k]) : to_bfloat((double)p->x[k]));
	}
}

static unsigned quantize_needs(const void *conf)
{
	const struct quantize_conf *c = conf;

	return CAP_WEIGHTS | CAP_WRITE | tune_after_needs(&c->after);
}

static int quantize_run(struct access *a, const void *conf, struct product *p)
{
	const struct quantize_conf *c = conf;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "quantize: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	quantize(p->model, c);
	return tune_after(a, &c->after, false, p->model);
}

const struct attack attack_quantize = {
	.drv = { .name = "quantize", .summary = "round the stolen model's weights to a few bits",
		 .source = "Krishnamoorthi, 2018, section 2; Lukas et al., S&P 2022. Differs: weights only, held in float32; fp16 and bf16 "
			   "round every parameter but running statistics",
		 .version = 1, .conf_size = sizeof(struct quantize_conf), .opts = quantize_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "bits", .strength_up = -1,
	.needs_for = quantize_needs, .run = quantize_run,
};
