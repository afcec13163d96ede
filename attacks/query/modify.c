/* Modified samples: every image on its way to the service passes one of the usual image operations.
 *
 * Source: sample modification of Xue et al., survey of active protection (2023), II.B; most operations and levels are
 * those of the Watermark-Robustness-Toolbox (Lukas et al., SoK, S&P 2022); pst is the preprocessing of Guo et al., IJCAI 2021.
 * Differs: each operation has one number, 0 for nothing and larger for more, so that curves compare; pst is the change of
 * the input alone (its fine-tuning is an attack on the model), with noise of a tenth of the strength. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/query/channel.h"
#include "attacks/query/modify_change.h"
#include "base/error.h"
#include "base/json.h"

#define CHAIN_MAX 3

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
	struct change_how how;
	int n;
	struct step step[CHAIN_MAX];
};

/* ---- the channel ---- */

/* out is in, then what each step makes of it; copy: scratch of an image's size. */
static void pass_one(const struct chain *ch, struct change_work *k, const float *in, float *copy, float *out)
{
	const size_t len = shape_len(k->shape);

	memcpy(out, in, len * sizeof(*out));
	for (int i = 0; i < ch->n; i++) {
		const struct step *step = &ch->step[i];

		channel_stream(&k->r, step->key, in, len);
		memcpy(copy, out, len * sizeof(*copy));
		change_apply(step->op, k, copy, step->strength, out);
		img_clip(out, len);
	}
}

static int modify_channel(const struct product *p, const float *in, int n, int c, int h, int w, float *out)
{
	struct chain chain;
	struct change_work k = { .shape = { c, h, w }, .how = &chain.how };
	const size_t len = shape_len(k.shape);
	float *scratch = xmalloc(2 * len, sizeof(*scratch));

	memcpy(&chain, p->ctx, sizeof(chain));
	k.small = scratch + len;
	for (int i = 0; i < n; i++)
		pass_one(&chain, &k, in + len * i, scratch, out + len * i);
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
	int order[CHANGES], want;
	struct rng r;

	rng_open(&r, seed, "modify chain", (uint32_t)c->draw, 0);
	want = 2 + (int)rng_below(&r, 2);
	rng_permutation(&r, order, CHANGES);
	for (int i = 0; i < CHANGES && ch->n < want; i++) {
		const struct change_info *o = &changes[order[i]];
		double s;

		if (!o->chained)
			continue;
		s = o->sweep[rng_below(&r, (uint32_t)o->n)] * c->strength;
		add_step(ch, order[i], o->whole ? fmax(1, floor(s + 0.5)) : s, seed);
	}
}

static int check_strength(const struct modify_conf *c, const struct access *a)
{
	const struct change_info *o = &changes[c->op];

	if (c->strength > o->most)
		return error(EXIT_UNEVALUABLE, "modify: op=%s takes a strength of 0 to %g, not %.15g", o->name, o->most, c->strength);
	if (o->whole && c->strength != floor(c->strength))
		return error(EXIT_UNEVALUABLE, "modify: op=%s takes a whole strength, not %.15g", o->name, c->strength);
	if (c->op == CHANGE_TRANSLATE && (c->strength > a->h || c->strength > a->w))
		return error(EXIT_UNEVALUABLE, "modify: op=translate by %.15g pixels leaves nothing of %dx%d", c->strength, a->h, a->w);
	return 0;
}

static json_t *chain_notes(const struct chain *ch)
{
	json_t *notes = json_object();
	char text[160] = "";
	int used = 0;

	for (int i = 0; i < ch->n; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%s %.4g", i ? ", " : "", changes[ch->step[i].op].name,
				 ch->step[i].strength);
	jset_str(notes, "chain", text);
	return notes;
}

static int modify_run(struct access *a, const void *conf, struct product *p)
{
	const struct modify_conf *c = conf;
	struct chain ch = { .how = { c->direction, c->filter, c->place, c->fill } };

	_Static_assert(sizeof(ch) <= sizeof(p->ctx), "the channel's parameters travel in the product");
	if (check_strength(c, a) < 0)
		return -1;
	if (c->strength > 0 && c->op == CHANGE_COMPOSE)
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
