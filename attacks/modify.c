/* Modified samples: every image on its way to the service passes one of the usual image operations.
 *
 * Source: sample modification of Xue et al., survey of active protection (2023), II.B; most operations and levels are
 * those of the Watermark-Robustness-Toolbox (Lukas et al., SoK, S&P 2022); pst is the preprocessing of Guo et al., IJCAI 2021.
 * Differs: each operation has one number, 0 for nothing and larger for more, so that curves compare; pst is the change of
 * the input alone (its fine-tuning is an attack on the model), with noise of a tenth of the strength. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/channel.h"
#include "attacks/imageops.h"
#include "base/error.h"
#include "base/json.h"

#define CHAIN_MAX 3

/* In the order of the option's choices. */
enum op {
	OP_BITS, OP_BLUR, OP_BRIGHTNESS, OP_COMPOSE, OP_CONTRAST, OP_CROP, OP_FLIP, OP_GAMMA, OP_LEVELS, OP_MEAN, OP_MEDIAN,
	OP_NOISE, OP_OCCLUDE, OP_PST, OP_RESIZE, OP_ROTATE, OP_SALT_PEPPER, OP_SPECKLE, OP_TRANSLATE
};
enum { DIRECTION_UP, DIRECTION_DOWN };
enum { PLACE_CENTRE, PLACE_RANDOM };
enum { FILL_PAD, FILL_RESIZE };

struct modify_conf {
	int op;
	double strength;
	int role, direction, filter, place, fill, draw;
};

static const struct opt modify_opts[] = {
	{ "op", OPT_CHOICE, offsetof(struct modify_conf, op), "blur", 0, 0, "the operation",
	  "bits|blur|brightness|compose|contrast|crop|flip|gamma|levels|mean|median|noise|occlude|pst|resize|rotate|salt-pepper|"
	  "speckle|translate" },
	{ "strength", OPT_FLOAT, offsetof(struct modify_conf, strength), "1", 0, 512,
	  "how much of it, in the operation's unit (see the page); 0: nothing", NULL },
	ROLE_OPT(modify_conf, role),
	{ "direction", OPT_CHOICE, offsetof(struct modify_conf, direction), "up", 0, 0,
	  "of brightness, contrast, gamma: factor 1 + strength or 1 - strength", "up|down" },
	{ "filter", OPT_CHOICE, offsetof(struct modify_conf, filter), "bilinear", 0, 0,
	  "of resize, pst and of crop's fill=resize: how pixels in between are made", "bilinear|nearest|bicubic" },
	{ "place", OPT_CHOICE, offsetof(struct modify_conf, place), "centre", 0, 0, "of crop: which part is kept", "centre|random" },
	{ "fill", OPT_CHOICE, offsetof(struct modify_conf, fill), "pad", 0, 0,
	  "of crop: black around what is kept, or it is enlarged to full size", "pad|resize" },
	{ "draw", OPT_INT, offsetof(struct modify_conf, draw), "0", 0, 9999, "of compose: which random chain of operations", NULL },
	{ 0 }
};

/* One operation of a chain and how much of it. */
struct step {
	int op;
	double strength;
	struct rng_key key;
};

/* What the channel must know; travels in the product. */
struct chain {
	int n, direction, filter, place, fill;
	struct step step[CHAIN_MAX];
};

/* ---- the operations: in -> out; s is never 0 here ---- */

struct work {
	struct shape shape;
	const struct chain *conf;
	struct rng r;
	float *small; /* scratch of an image's size */
};

static double factor(const struct work *k, double s)
{
	return k->conf->direction == DIRECTION_UP ? 1 + s : 1 - s;
}

/* A side of which the share s is gone; never less than a pixel. */
static int shrunk(int side, double s)
{
	const int n = (int)floor(side * (1 - s) + 0.5);

	return n < 1 ? 1 : n;
}

static int sign(struct rng *r)
{
	return rng_u32(r) & 1 ? 1 : -1;
}

static void do_bits(struct work *k, const float *in, double s, float *out)
{
	img_levels(in, k->shape, 1 << (8 - (int)lround(s)), out);
}

static void do_blur(struct work *k, const float *in, double s, float *out)
{
	img_blur(in, k->shape, s, out);
}

static void do_brightness(struct work *k, const float *in, double s, float *out)
{
	img_brightness(in, k->shape, factor(k, s), out);
}

static void do_contrast(struct work *k, const float *in, double s, float *out)
{
	img_contrast(in, k->shape, factor(k, s), out);
}

static void do_gamma(struct work *k, const float *in, double s, float *out)
{
	img_gamma(in, k->shape, factor(k, s), out);
}

/* s: share of the area that goes. The window has nearly the image's proportions: whole rows first, then as many columns as make up
 * the area (on 28x28, 5 and 10 % would else be the same 27x27). */
static void do_crop(struct work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = shrunk(z.h, 1 - sqrt(1 - s)), w = (int)fmin(fmax(1, floor((1 - s) * z.h * z.w / h + 0.5)), z.w);
	int y = (z.h - h) / 2, x = (z.w - w) / 2;

	if (k->conf->place == PLACE_RANDOM) {
		y = (int)rng_below(&k->r, (uint32_t)(z.h - h + 1));
		x = (int)rng_below(&k->r, (uint32_t)(z.w - w + 1));
	}
	if (k->conf->fill == FILL_PAD) {
		img_window(in, z, y, x, h, w, out);
		return;
	}
	img_crop(in, z, y, x, h, w, k->small);
	img_resize(k->small, (struct shape){ z.c, h, w }, k->conf->filter, z.h, z.w, out);
}

static void do_flip(struct work *k, const float *in, double s, float *out)
{
	(void)s;
	img_mirror(in, k->shape, out);
}

/* s: distance of neighbouring levels. */
static void do_levels(struct work *k, const float *in, double s, float *out)
{
	img_levels(in, k->shape, (int)lround(fmin(1 / s, 1e6)) + 1, out);
}

static void do_mean(struct work *k, const float *in, double s, float *out)
{
	img_mean(in, k->shape, (int)lround(s), out);
}

static void do_median(struct work *k, const float *in, double s, float *out)
{
	img_median(in, k->shape, (int)lround(s), out);
}

static void do_noise(struct work *k, const float *in, double s, float *out)
{
	img_gaussian(in, k->shape, s, &k->r, out);
}

/* A black rectangle with the share s of each side, somewhere. */
static void do_occlude(struct work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = (int)ceil(z.h * s), w = (int)ceil(z.w * s);
	const int y = (int)rng_below(&k->r, (uint32_t)(z.h - h + 1)), x = (int)rng_below(&k->r, (uint32_t)(z.w - w + 1));

	img_occlude(in, z, y, x, h, w, out);
}

/* s: share of a side that goes, and comes back. */
static void do_resize(struct work *k, const float *in, double s, float *out)
{
	const struct shape z = k->shape;
	const int h = shrunk(z.h, s), w = shrunk(z.w, s);

	img_resize(in, z, k->conf->filter, h, w, k->small);
	img_resize(k->small, (struct shape){ z.c, h, w }, k->conf->filter, z.h, z.w, out);
}

/* Noise, smaller and back, then a random affine map within 5 %: scales, shears, and shifts of that share of a side. */
static void do_pst(struct work *k, const float *in, double s, float *out)
{
	const double most = fmin(s, 0.05);
	double m[6], u[6];

	img_gaussian(in, k->shape, s / 10, &k->r, out);
	do_resize(k, out, s, out);
	for (int i = 0; i < 6; i++)
		u[i] = most * (2 * rng_uniform(&k->r) - 1);
	memcpy(m, (double[]){ 1 + u[0], u[1], u[2] * k->shape.w, u[3], 1 + u[4], u[5] * k->shape.h }, sizeof(m));
	memcpy(k->small, out, shape_len(k->shape) * sizeof(*out));
	img_affine(k->small, k->shape, m, out);
}

static void do_rotate(struct work *k, const float *in, double s, float *out)
{
	img_rotate(in, k->shape, sign(&k->r) * s, out);
}

static void do_salt_pepper(struct work *k, const float *in, double s, float *out)
{
	img_salt_pepper(in, k->shape, s, &k->r, out);
}

static void do_speckle(struct work *k, const float *in, double s, float *out)
{
	img_speckle(in, k->shape, s, &k->r, out);
}

static void do_translate(struct work *k, const float *in, double s, float *out)
{
	const int dx = sign(&k->r) * (int)lround(s), dy = sign(&k->r) * (int)lround(s);

	img_shift(in, k->shape, dx, dy, out);
}

/* most: the largest strength that means something; sweep: the reference's levels, weakest first. */
static const struct op_info {
	const char *name;
	double most;
	int whole;  /* only whole numbers */
	int chained; /* compose may draw it */
	int n;
	double sweep[7];
	void (*apply)(struct work *k, const float *in, double s, float *out);
} ops[] = {
	[OP_BITS] = { "bits", 7, 1, 1, 7, { 1, 2, 3, 4, 5, 6, 7 }, do_bits },
	[OP_BLUR] = { "blur", 10, 0, 1, 6, { 0.3, 0.5, 0.6, 0.7, 1, 1.5 }, do_blur },
	[OP_BRIGHTNESS] = { "brightness", 1, 0, 1, 2, { 0.1, 0.2 }, do_brightness },
	[OP_COMPOSE] = { "compose", 1, 0, 0, 1, { 1 }, NULL },
	[OP_CONTRAST] = { "contrast", 1, 0, 1, 2, { 0.1, 0.2 }, do_contrast },
	[OP_CROP] = { "crop", 0.95, 0, 1, 5, { 0.05, 0.1, 0.2, 0.3, 0.5 }, do_crop },
	[OP_FLIP] = { "flip", 1, 1, 0, 1, { 1 }, do_flip },
	[OP_GAMMA] = { "gamma", 0.95, 0, 1, 2, { 0.1, 0.2 }, do_gamma },
	[OP_LEVELS] = { "levels", 1, 0, 1, 3, { 1 / 15.0, 1 / 11.0, 1 / 9.0 }, do_levels },
	[OP_MEAN] = { "mean", 7, 1, 1, 2, { 1, 2 }, do_mean },
	[OP_MEDIAN] = { "median", 7, 1, 1, 2, { 1, 2 }, do_median },
	[OP_NOISE] = { "noise", 1, 0, 1, 5, { 0.01, 0.03, 0.05, 0.1, 0.2 }, do_noise },
	[OP_OCCLUDE] = { "occlude", 1, 0, 1, 3, { 0.1, 0.2, 0.3 }, do_occlude },
	[OP_PST] = { "pst", 0.95, 0, 0, 2, { 0.2, 0.4 }, do_pst },
	[OP_RESIZE] = { "resize", 0.95, 0, 1, 4, { 0.1, 0.25, 0.5, 0.67 }, do_resize },
	[OP_ROTATE] = { "rotate", 180, 0, 1, 4, { 1, 2, 5, 10 }, do_rotate },
	[OP_SALT_PEPPER] = { "salt-pepper", 1, 0, 1, 4, { 0.005, 0.01, 0.02, 0.05 }, do_salt_pepper },
	[OP_SPECKLE] = { "speckle", 1, 0, 1, 2, { 0.05, 0.1 }, do_speckle },
	[OP_TRANSLATE] = { "translate", 512, 1, 1, 3, { 1, 2, 4 }, do_translate },
};

/* ---- the channel ---- */

/* out is in, then what each step makes of it; copy: scratch of an image's size. */
static void pass_one(struct work *k, const float *in, float *copy, float *out)
{
	const size_t len = shape_len(k->shape);

	memcpy(out, in, len * sizeof(*out));
	for (int i = 0; i < k->conf->n; i++) {
		const struct step *step = &k->conf->step[i];

		channel_stream(&k->r, step->key, in, len);
		memcpy(copy, out, len * sizeof(*copy));
		ops[step->op].apply(k, copy, step->strength, out);
		img_clip(out, len);
	}
}

static int modify_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	struct chain chain;
	struct work k = { .shape = { c, h, w }, .conf = &chain };
	const size_t len = shape_len(k.shape);
	float *scratch = xmalloc(2 * len, sizeof(*scratch));

	memcpy(&chain, p->ctx, sizeof(chain));
	k.small = scratch + len;
	for (int i = 0; i < n; i++)
		pass_one(&k, in + len * i, scratch, out + len * i);
	free(scratch);
	return 0;
}

/* ---- which operations ---- */

static void add_step(struct chain *ch, int op, double strength, uint64_t seed)
{
	static const char *const purpose[CHAIN_MAX] = { "modify 0", "modify 1", "modify 2" };

	BUG_ON(ch->n == CHAIN_MAX);
	ch->step[ch->n] = (struct step){ op, strength, rng_key(seed, purpose[ch->n]) };
	ch->n++;
}

/* Two or three different operations, each at a level of its sweep times `strength`; a whole one at no less than 1. */
static void compose(struct chain *ch, const struct modify_conf *c, uint64_t seed)
{
	int order[ARRAY_LEN(ops)], want;
	struct rng r;

	rng_open(&r, seed, "modify chain", (uint32_t)c->draw, 0);
	want = 2 + (int)rng_below(&r, 2);
	rng_permutation(&r, order, (int)ARRAY_LEN(ops));
	for (size_t i = 0; i < ARRAY_LEN(ops) && ch->n < want; i++) {
		const struct op_info *o = &ops[order[i]];
		double s;

		if (!o->chained)
			continue;
		s = o->sweep[rng_below(&r, (uint32_t)o->n)] * c->strength;
		add_step(ch, order[i], o->whole ? fmax(1, floor(s + 0.5)) : s, seed);
	}
}

static int check_strength(const struct modify_conf *c, const struct access *a)
{
	const struct op_info *o = &ops[c->op];

	if (c->strength > o->most)
		return error(EXIT_UNEVALUABLE, "modify: op=%s takes a strength of 0 to %g, not %g", o->name, o->most, c->strength);
	if (o->whole && c->strength != floor(c->strength))
		return error(EXIT_UNEVALUABLE, "modify: op=%s takes a whole strength, not %g", o->name, c->strength);
	if (c->op == OP_TRANSLATE && (c->strength > a->h || c->strength > a->w))
		return error(EXIT_UNEVALUABLE, "modify: op=translate by %g pixels leaves nothing of %dx%d", c->strength, a->h, a->w);
	return 0;
}

static json_t *chain_notes(const struct chain *ch)
{
	json_t *notes = json_object();
	char text[160] = "";
	int used = 0;

	for (int i = 0; i < ch->n; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%s %.4g", i ? ", " : "", ops[ch->step[i].op].name,
				 ch->step[i].strength);
	jset_str(notes, "chain", text);
	return notes;
}

static int modify_run(struct access *a, const void *conf, struct product *p)
{
	const struct modify_conf *c = conf;
	struct chain ch = { .direction = c->direction, .filter = c->filter, .place = c->place, .fill = c->fill };

	_Static_assert(sizeof(ch) <= sizeof(p->ctx), "the channel's parameters travel in the product");
	if (check_strength(c, a) < 0)
		return -1;
	if (c->strength > 0 && c->op == OP_COMPOSE)
		compose(&ch, c, a->seed);
	else if (c->strength > 0)
		add_step(&ch, c->op, c->strength, a->seed);
	p->goal = GOAL_DEGRADE;
	p->role = (enum role)c->role;
	p->channel = modify_channel;
	p->notes = chain_notes(&ch);
	memcpy(p->ctx, &ch, sizeof(ch));
	return 0;
}

const struct attack attack_modify = {
	.drv = {
		.name = "modify",
		.summary = "every image on its way is blurred, resized, rotated, quantised, ... by a stated strength",
		.source = "Xue et al., survey of active protection (2023), II.B (sample modification); operations and levels of the "
			  "Watermark-Robustness-Toolbox (Lukas et al., S&P 2022); Guo et al., IJCAI 2021 (pst). Differs: one "
			  "strength for each operation, 0 for nothing; pst without its fine-tuning",
		.version = 1,
		.conf_size = sizeof(struct modify_conf),
		.opts = modify_opts,
	},
	.goal = GOAL_DEGRADE,
	.needs = CAP_CHANNEL,
	.strength = "strength",
	.strength_up = 1,
	.run = modify_run,
};
