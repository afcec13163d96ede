/* Replay of what clients add: the residual between images and what a user's client made of them is added to other images.
 * How it is foretold for an image of which there is no pair: replay_residual.h.
 *
 * Source: survey of active authorization control (2021), section IV ("adaptive" attack: subtract and paste); single as there.
 * Differs: more than one pair, by averaging, choosing, filtering and projecting, is ours. */
#include <stddef.h>
#include <string.h>

#include "attacks/kit/encoder.h"
#include "attacks/query/replay_residual.h"
#include "base/error.h"
#include "base/json.h"

struct replay_conf { int pairs, method, rank, through, top1; };
static const struct opt replay_opts[] = {
	{ "pairs", OPT_INT, offsetof(struct replay_conf, pairs), "1", 0, 1000000, "pairs of an image and what a client made of it; 0: images go as they are", NULL },
	{ "method", OPT_CHOICE, offsetof(struct replay_conf, method), "single", 0, 0, "which residual an image gets", "single|mean|nearest|filter|pca" },
	{ "rank", OPT_INT, offsetof(struct replay_conf, rank), "4", 1, 1000, "pca: principal components", NULL },
	THROUGH_ROW(struct replay_conf, through),
	{ "top1", OPT_BOOL, offsetof(struct replay_conf, top1), "no", 0, 0, "the service answers with a class only", NULL },
	{ 0 }
};

/* Travels in the product beside what residual_fit() kept. */
struct tape_recorder { int method, through, pairs; };

static struct tape_recorder of_product(const struct product *p)
{
	struct tape_recorder t;

	memcpy(&t, p->ctx, sizeof(t));
	return t;
}

static int replay_prepare(const struct product *p, const struct images *v, float *out)
{
	const struct tape_recorder t = of_product(p);
	const int len = images_size(v);
	double *add = xmalloc((size_t)len, sizeof(*add));

	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, out);
		if (!t.pairs)
			continue;
		residual_of(p->kept, t.method, out, v, add);
		for (int k = 0; k < len; k++)
			out[k] = encoder_round((double)out[k] + add[k]);
	}
	free(add);
	return 0;
}

static int replay_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	return encoder_answer(p, service, v, replay_prepare, of_product(p).through, probs);
}

static unsigned replay_needs(const void *conf)
{
	const struct replay_conf *c = conf;

	return CAP_PAIR | through_needs(c->through, c->top1);
}

static const char *replay_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return encoder_inapplicable(has_users);
}

static int replay_run(struct access *a, const void *conf, struct product *p)
{
	const struct replay_conf *c = conf;
	struct images plain, keyed;
	struct tape_recorder t = { c->method, c->through, 0 };

	if (!encoder_pairs(a, "replay", c->pairs, &plain, &keyed) && c->pairs)
		return -1;
	if (c->through == THROUGH_WEIGHTS && !a->model)
		return error(EXIT_UNEVALUABLE, "replay: the deployed weights were not granted");
	p->goal = GOAL_USE;
	p->answer = replay_answer;
	p->kept = bundle_new();
	p->notes = json_object();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	t.pairs = plain.n;
	jset_int(p->notes, "pairs", plain.n);
	if (plain.n) {
		residual_fit(c->method, c->rank, &plain, &keyed, p->kept);
		jset_num(p->notes, "sameness", encoder_sameness(&plain, &keyed));
	}
	memcpy(p->ctx, &t, sizeof(t));
	return 0;
}

const struct attack attack_replay = {
	.drv = { .name = "replay", .summary = "add what a user's client added to one image to other images",
		 .source = "survey of active authorization control, 2021, section IV: subtract and paste. Differs: averages, nearest images and a "
			   "linear filter beside it, when there is more than one pair",
		 .version = 1, .conf_size = sizeof(struct replay_conf), .opts = replay_opts },
	.goal = GOAL_USE, .needs = CAP_PAIR | CAP_PROB, .strength = "pairs", .strength_up = 1, .needs_for = replay_needs,
	.inapplicable = replay_inapplicable, .run = replay_run, .search = "method=single,mean,nearest,filter,pca",
};
