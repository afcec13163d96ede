/* Model extraction: ask the service about images, and train a network of one's own on its answers.
 *
 * Source: Orekondy, Schiele, Fritz, "Knockoff nets", CVPR 2019 (random strategy); hard answers are the retraining of Lukas et al.,
 * S&P 2022, and smoothing their smooth retraining.
 * Differs: queries are images of the attack pool or noise, not of another data set; a share of the answered queries is held
 * out to measure how often the student answers as the service does (fidelity); no augmentation, an answer is that to the image as it is. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/surrogate.h"
#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum data { DATA_POOL, DATA_NOISE };
enum answers { ANSWERS_PROBS, ANSWERS_TOP1 };

struct extract_conf {
	int queries, teacher, answers, data;
	double smoothing, holdout;
	struct student student;
};

#define AT(member) offsetof(struct extract_conf, member)
static const struct opt extract_opts[] = {
	{ "queries", OPT_INT, AT(queries), "5000", 0, 1000000, "images asked about, at most as many as there are and the budget allows", NULL },
	SURROGATE_TEACHER(struct extract_conf, teacher),
	{ "answers", OPT_CHOICE, AT(answers), "probs", 0, 0, "what an answer is: probabilities or the likeliest class", "probs|top1" },
	{ "data", OPT_CHOICE, AT(data), "pool", 0, 0, "what is asked about: unlabelled images of the attack pool, or uniform noise", "pool|noise" },
	{ "smoothing", OPT_FLOAT, AT(smoothing), "0", 0, 0.999, "label smoothing", NULL },
	{ "holdout", OPT_FLOAT, AT(holdout), "0.1", 0, 0.9, "share of the answers that measures fidelity instead of training", NULL },
	STUDENT(struct extract_conf, student, "30"),
	{ 0 }
};
#undef AT

/* n noise images in memory that the caller frees. */
static float *draw_noise(const struct access *a, int n)
{
	const size_t len = (size_t)a->c * a->h * a->w;
	const struct rng_key key = rng_key(a->seed, "extract noise");
	float *x = xmalloc((size_t)n * len + 1, sizeof(*x));
	struct rng r;

	for (int i = 0; i < n; i++) {
		rng_at(&r, key, (uint32_t)i, 0);
		for (size_t k = 0; k < len; k++)
			x[(size_t)i * len + k] = (float)rng_uniform(&r);
	}
	return x;
}

/* Train on the answers but the held-out last ones, which measure fidelity. */
static int learn(struct access *a, const struct extract_conf *c, struct images v, const float *probs, struct product *p)
{
	const int held = (int)floor(c->holdout * v.n);
	struct images rest = v;
	struct tune t = { .purpose = "extract", .train = student_recipe(&c->student, p->model, v.n - held) };
	double same;

	v.n -= held;
	v.soft = probs;
	t.train.crop_pad = t.train.flip = 0;
	t.train.smoothing = c->smoothing;
	if (v.n && tune(a, p->model, &v, 0, &t) < 0)
		return -1;
	if (!held)
		return 0;
	rest.n = held;
	if (rest.fx)
		rest.fx += (size_t)v.n * (size_t)images_size(&v);
	else
		rest.px += (size_t)v.n * (size_t)images_size(&v);
	same = surrogate_agreement(p->model, &rest, probs + (size_t)v.n * (size_t)a->classes);
	jset_num(p->notes, "fidelity", same);
	return same < 0 ? -1 : 0;
}

static unsigned extract_needs(const void *conf)
{
	const struct extract_conf *c = conf;

	return surrogate_teacher_needs(c->teacher, c->answers == ANSWERS_TOP1) | (c->data == DATA_POOL ? CAP_UNLABELLED : 0) |
	       student_needs(&c->student);
}

static const char *extract_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)has_ownership;
	return surrogate_no_teacher(((const struct extract_conf *)conf)->teacher, has_users);
}

static int extract_run(struct access *a, const void *conf, struct product *p)
{
	const struct extract_conf *c = conf;
	struct images v = a->unlabelled;
	float *noise = NULL, *probs;
	int ret = 0;

	if (c->data == DATA_POOL && !v.n)
		return error(EXIT_UNEVALUABLE, "extract: images were not granted");
	p->goal = GOAL_USE;
	p->model = student_new(a, &c->student, "extract init");
	if (!p->model)
		return -1;
	if (c->data == DATA_NOISE)
		v = (struct images){ .n = c->queries, .c = a->c, .h = a->h, .w = a->w, .classes = a->classes };
	v.n = surrogate_afford(a, c->teacher, c->queries < v.n ? c->queries : v.n);
	if (c->data == DATA_NOISE)
		v.fx = noise = draw_noise(a, v.n);
	p->notes = json_object();
	jset_int(p->notes, "queries", v.n);
	probs = xmalloc((size_t)v.n * (size_t)a->classes + 1, sizeof(*probs));
	if (v.n)
		ret = surrogate_ask(a, c->teacher, c->answers == ANSWERS_TOP1, &v, probs);
	if (!ret && v.n)
		ret = learn(a, c, v, probs, p);
	free(probs);
	free(noise);
	return ret;
}

const struct attack attack_extract = {
	.drv = { .name = "extract", .summary = "train a network of one's own on answers of the service",
		 .source = "Orekondy et al., Knockoff nets, CVPR 2019; Lukas et al., S&P 2022 (hard answers, smoothing). Differs: queries "
			   "from the attack pool or noise; a held-out share measures fidelity",
		 .version = 1, .conf_size = sizeof(struct extract_conf), .opts = extract_opts },
	.goal = GOAL_USE, .needs = 0, .strength = "queries", .strength_up = 1,
	.tier = { "queries=1000 epochs=10", NULL, NULL }, .needs_for = extract_needs, .inapplicable = extract_inapplicable,
	.run = extract_run, .search = "smoothing=0,0.1,0.3 batch=32,64,128",
};
