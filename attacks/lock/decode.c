/* Output decoding: locked answers may be wrong and yet say which class an image has. On a few labelled samples a map from answers to
 * classes is fitted, and the attacker uses the locked service (or the stolen weights) through it. No weight changes.
 *
 * The maps are those of decode_fit.h; `auto` takes the one that is right most often on one half of the samples when fitted on the other, both
 * ways, or the answers as they are.
 * With repeat > 1 each question is asked so often and the answers averaged, which undoes noise that is drawn anew each time; with jitter
 * each time a little differently, which undoes noise that is the same for the same image.
 *
 * Source: ours; the leak shows in unauthorised accuracies far below chance (0.23 and 0.78 % of Chen and Wu 2018 in ActiveGuard,
 * Table VII). Averaging against noise: any service that draws its noise anew.
 * Differs: ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/through.h"
#include "attacks/lock/decode_fit.h"
#include "base/error.h"
#include "base/json.h"

struct decode_conf { int images, method, repeat, jitter, through, top1; };
static const struct opt decode_opts[] = {
	{ "images", OPT_INT, offsetof(struct decode_conf, images), "100", 0, 1000000, "labelled samples, a question each; 0: answers as they are", NULL },
	{ "method", OPT_CHOICE, offsetof(struct decode_conf, method), "auto", 0, 0, "how answers become classes",
	  "auto|none|argmin|permutation|map|logistic" },
	{ "repeat", OPT_INT, offsetof(struct decode_conf, repeat), "1", 1, 10000, "times each question is asked; answers are averaged", NULL },
	{ "jitter", OPT_BOOL, offsetof(struct decode_conf, jitter), "no", 0, 0, "each time an image moved by a pixel and changed by one 255th", NULL },
	THROUGH_ROW(struct decode_conf, through),
	{ "top1", OPT_BOOL, offsetof(struct decode_conf, top1), "no", 0, 0, "the service answers with a class only (with repeat: with votes)", NULL },
	{ 0 }
};

/* Travels in the product; a linear decoder's weights are its tensor "decoder" f32 (classes, classes + 1). */
struct decoding {
	int method, repeat, jitter, through, top1, classes;
};

/* Images of v for repetition r > 0: one pixel aside in one of eight directions, and each pixel a 255th up or down. */
static void nudge(const struct images *v, int r, float *out)
{
	const int way = r % 9 == 4 ? 5 : r % 9, dx = way % 3 - 1, dy = way / 3 - 1, len = images_size(v);
	float *x = xmalloc((size_t)len, sizeof(*x));

	for (int i = 0; i < v->n; i++, out += len) {
		images_get(v, i, x);
		for (int k = 0; k < len; k++) {
			const int row = k / v->w % v->h + dy, col = k % v->w + dx;
			const bool inside = row >= 0 && row < v->h && col >= 0 && col < v->w;

			out[k] = x[inside ? k + dy * v->w + dx : k] + ((k + r) % 2 ? 1 : -1) / 255.0f;
			out[k] = fminf(fmaxf(out[k], 0), 1);
		}
	}
	free(x);
}

/* Mean of `repeat` answers. */
static int ask(const struct decoding *d, struct model *stolen, int (*query)(void *ctx, const struct images *v, float *p), void *ctx,
	       const struct images *v, float *probs)
{
	const size_t len = (size_t)v->n * (size_t)d->classes;
	float *one = xmalloc(len + 1, sizeof(*one)), *moved = d->jitter ? xmalloc((size_t)v->n * (size_t)images_size(v), sizeof(*moved)) : NULL;
	int ret = 0;

	memset(probs, 0, len * sizeof(*probs));
	for (int r = 0; r < d->repeat && !ret; r++) {
		struct images q = *v;

		if (r && moved) {
			nudge(v, r, moved);
			q = (struct images){ .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = moved };
		}
		ret = d->through == THROUGH_WEIGHTS ? through_weights(stolen, &q, d->classes, one) : query(ctx, &q, one);
		if (!ret && d->top1)
			one_hot_rows(one, v->n, d->classes);
		for (size_t i = 0; i < len && !ret; i++)
			probs[i] += one[i] / (float)d->repeat;
	}
	free(one);
	free(moved);
	return ret;
}

static int query_now(void *ctx, const struct images *v, float *p)
{
	return access_query(ctx, v, -1, p);
}

static int query_later(void *ctx, const struct images *v, float *p)
{
	struct asked *service = ctx;

	return service->query(service, v, p);
}

static int decode_answer(const struct product *p, struct asked *service, const struct images *v, float *probs)
{
	struct decoding d;

	memcpy(&d, p->ctx, sizeof(d));
	if (ask(&d, p->stolen, query_later, service, v, probs) < 0)
		return -1;
	for (int i = 0; i < v->n; i++)
		decoder_apply(d.method, bundle_f32(p->kept, "decoder", NULL), d.classes, probs + (size_t)i * (size_t)d.classes);
	return 0;
}

static int learn(struct access *a, const struct images *v, struct decoding *d, struct product *p)
{
	float *probs = xmalloc((size_t)v->n * (size_t)a->classes + 1, sizeof(*probs));
	int *y = xmalloc((size_t)v->n + 1, sizeof(*y));
	const struct decoder_samples s = { probs, y, v->n, a->classes };
	int ret = ask(d, p->stolen, query_now, a, v, probs);

	for (int i = 0; i < v->n; i++)
		y[i] = images_label(v, i);
	if (!ret)
		ret = access_spend(a, v->n, d->through == THROUGH_WEIGHTS ? (double)v->n * d->repeat : 0);
	if (!ret) {
		if (d->method == DECODER_AUTO)
			d->method = decoder_choose(&s, p->notes);
		decoder_fit(&s, d->method, bundle_put(p->kept, "decoder", DT_F32, 2, (const int64_t[]){ s.k, s.k + 1 }, NULL));
		jset_int(p->notes, "hits_on_samples", decoder_hits(&s, d->method, bundle_f32(p->kept, "decoder", NULL)));
	}
	free(probs);
	free(y);
	return ret;
}

static unsigned decode_needs(const void *conf)
{
	const struct decode_conf *c = conf;

	return CAP_LABELLED | through_needs(c->through, c->top1);
}

static int decode_run(struct access *a, const void *conf, struct product *p)
{
	const struct decode_conf *c = conf;
	struct decoding d = { c->images ? c->method : DECODER_NONE, c->repeat, c->jitter, c->through, c->top1, a->classes };
	const struct images v = images_first(a->labelled, c->images);

	if (!a->labelled.n || (c->through == THROUGH_WEIGHTS && !a->model))
		return error(EXIT_UNEVALUABLE, "decode: labelled images or the deployed weights were not granted");
	p->goal = GOAL_USE;
	p->answer = decode_answer;
	p->notes = json_object();
	p->kept = bundle_new();
	p->stolen = c->through == THROUGH_WEIGHTS ? model_copy(a->model) : NULL;
	if (v.n && learn(a, &v, &d, p) < 0)
		return -1;
	if (!v.n)
		bundle_put(p->kept, "decoder", DT_F32, 2, (const int64_t[]){ a->classes, a->classes + 1 }, NULL);
	jset_str(p->notes, "method", decoder_names[d.method]);
	jset_int(p->notes, "images", v.n);
	memcpy(p->ctx, &d, sizeof(d));
	return 0;
}

static double decode_cost(const void *conf, const struct expected *e)
{
	const struct decode_conf *c = conf;

	(void)e;
	return (double)c->images * c->repeat;
}

const struct attack attack_decode = {
	.drv = { .name = "decode", .summary = "read the class from locked answers by a map fitted on a few labelled samples",
		 .source = "ours; the leak is visible in ActiveGuard, Table VII (Chen and Wu: accuracy far below chance). Differs: everything",
		 .version = 1, .conf_size = sizeof(struct decode_conf), .opts = decode_opts },
	.goal = GOAL_USE, .needs = CAP_LABELLED | CAP_PROB, .strength = "images", .strength_up = 1, .needs_for = decode_needs, .cost = decode_cost,
	.run = decode_run,
};
