/* Bit flips: bits of the stored weights flip at random, as rowhammer or a faulty memory would have it. How much of a lock, a mark or
 * the accuracy hangs on how few bits?
 *
 * Source: Rakin, He, Fan, "Bit-flip attack", ICCV 2019 (random flips are its control). Differs: random places only; a flip that would leave
 * no finite number does not happen. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "attacks/kit/weights.h"
#include "base/error.h"
#include "base/rng.h"

struct bitflip_conf { int flips, lowest, highest, which; };
#define AT(member) offsetof(struct bitflip_conf, member)
static const struct opt bitflip_opts[] = {
	{ "flips", OPT_INT, AT(flips), "100", 0, 100000000, "bits that flip", NULL },
	{ "lowest", OPT_INT, AT(lowest), "0", 0, 31, "of a 32-bit weight's bits, the lowest that may flip", NULL },
	{ "highest", OPT_INT, AT(highest), "31", 0, 31, "and the highest: 31 is the sign, 23 to 30 the exponent", NULL },
	WEIGHTS_ROW(struct bitflip_conf, which),
	{ 0 }
};
#undef AT

static void flip(real *x, int bit)
{
	float f = (float)*x;
	uint32_t u;

	memcpy(&u, &f, sizeof(u));
	u ^= 1u << bit;
	memcpy(&f, &u, sizeof(f));
	if (isfinite(f))
		*x = (real)f;
}

static int bitflip_run(struct access *a, const void *conf, struct product *p)
{
	const struct bitflip_conf *c = conf;
	const int span = c->highest - c->lowest + 1;
	real **at;
	size_t n = 0;
	struct rng r;

	if (!a->model || span < 1)
		return error(EXIT_UNEVALUABLE, "bitflip: the deployed model was not granted, or no bit lies between lowest and highest");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	at = xmalloc(p->model->nx, sizeof(*at));
	for (int i = 0; i < p->model->np; i++)
		for (size_t k = 0; weights_counted(&p->model->p[i], c->which) && k < p->model->p[i].len; k++)
			at[n++] = &p->model->p[i].x[k];
	rng_open(&r, a->seed, "bitflip", 0, 0);
	for (int i = 0; i < c->flips && n; i++) {
		real *x = at[rng_below(&r, (uint32_t)n)];

		flip(x, c->lowest + (int)rng_below(&r, (uint32_t)span));
	}
	free(at);
	return 0;
}

const struct attack attack_bitflip = {
	.drv = { .name = "bitflip", .summary = "flip random bits of the stored weights",
		 .source = "Rakin et al., ICCV 2019 (its random control). Differs: random places only",
		 .version = 1, .conf_size = sizeof(struct bitflip_conf), .opts = bitflip_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "flips", .strength_up = 1, .run = bitflip_run,
};
