/* Noise channel: Gaussian noise is added to every image on its way to the service.
 * The guide's example of a whole attack (docs/writing-drivers.md shows this file as it stands).
 *
 * Source: Xue et al., survey of active protection (2023), II.B (sample modification); the levels are those of the
 * Watermark-Robustness-Toolbox. Differs: one draw a pixel from a keyed stream, so that it repeats to the bit. */
#include "attacks/attack.h"
#include "base/hash.h"
#include "base/rng.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

struct noise_conf { double sigma; };
static const struct opt noise_opts[] = {
	{ "sigma", OPT_FLOAT, offsetof(struct noise_conf, sigma), "0.05", 0, 1, "standard deviation, where black is 0 and white 1", NULL },
	{ 0 }
};

/* What the channel must know: copied into the product, because it outlives run(). */
struct channel { double sigma; struct rng_key key; };

/* in, out (n, c, h, w). An image's stream is named by its own bytes: the result does not depend on how images are batched. */
static int noise_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	const size_t len = (size_t)c * h * w;
	struct channel ch;

	memcpy(&ch, p->ctx, sizeof(ch));
	for (int i = 0; i < n; i++, in += len, out += len) {
		uint8_t name[HASH_LEN];
		uint32_t at[2];
		struct rng r;

		sha256(in, len * sizeof(*in), name);
		memcpy(at, name, sizeof(at));
		rng_at(&r, ch.key, at[0], at[1]);
		for (size_t k = 0; k < len; k++)
			out[k] = ch.sigma > 0 ? fminf(fmaxf(in[k] + (float)(ch.sigma * rng_normal(&r)), 0), 1) : in[k];
	}
	return 0;
}

static int noise_run(struct access *a, const void *conf, struct product *p)
{
	const struct noise_conf *c = conf;
	const struct channel ch = { c->sigma, rng_key(a->seed, "noise-channel") };

	_Static_assert(sizeof(ch) <= sizeof(p->ctx), "the channel's parameters travel in the product");
	p->goal = GOAL_DEGRADE;
	p->channel = noise_channel;
	memcpy(p->ctx, &ch, sizeof(ch));
	return 0;
}

const struct attack attack_noise = {
	.drv = { .name = "noise", .summary = "Gaussian noise is added to every image on its way to the service",
		 .source = "Xue et al., survey of active protection (2023), II.B. Differs: drawn from a keyed stream",
		 .version = 1, .conf_size = sizeof(struct noise_conf), .opts = noise_opts },
	.goal = GOAL_DEGRADE, .needs = CAP_CHANNEL, .strength = "sigma", .strength_up = 1, .run = noise_run,
};
