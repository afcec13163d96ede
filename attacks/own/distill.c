/* Distillation: a fresh student learns a teacher's softened answers to unlabelled images. The teacher is the service with a
 * leaked credential (an insider: no lock on the client's side stops this), the service without one (does the lock poison
 * students?), or the stolen weights without the scheme around them.
 *
 * Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015, section 2: T^2 KL(q_T || softmax(z / T)) with T =
 * 3 and no hard labels, as Lukas et al., S&P 2022, set it up.
 * Differs: q_T comes from probabilities: softmax(log p / T) is softmax(z / T), because log p is z up to a constant. */
#include <math.h>
#include <stddef.h>

#include "attacks/kit/surrogate.h"
#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"
#include "nn/ops.h"

#define SMALLEST 1e-30 /* of a probability, so that its logarithm is finite */

struct distill_conf {
	int teacher, images;
	double temperature;
	struct student student;
};

static const struct opt distill_opts[] = {
	SURROGATE_TEACHER(struct distill_conf, teacher),
	{ "images", OPT_INT, offsetof(struct distill_conf, images), "7000", 1, 1000000, "unlabelled images, a query each", NULL },
	{ "temperature", OPT_FLOAT, offsetof(struct distill_conf, temperature), "3", 0.01, 1000, "T, by which logits are divided", NULL },
	STUDENT(struct distill_conf, student, "60"),
	{ 0 }
};

struct lesson {
	const float *soft; /* (n, classes) q_T */
	int classes;
	double temperature;
};

/* T^2 times the divergence: the gradient stays as large as that of hard labels. */
static struct node *lesson_loss(void *ctx, struct node *logits, const int *at, int n)
{
	const struct lesson *k = ctx;
	float *rows = xmalloc((size_t)n * (size_t)k->classes, sizeof(*rows));
	struct node *target = tape_input(logits->t, n, k->classes, 1, 1, false);

	for (int i = 0; i < n * k->classes; i++)
		rows[i] = k->soft[(size_t)at[i / k->classes] * (size_t)k->classes + (size_t)(i % k->classes)];
	node_load_f32(target, rows);
	free(rows);
	return op_scale(op_kl_div(op_scale(logits, (real)(1 / k->temperature), 0), target), (real)(k->temperature * k->temperature), 0);
}

static void soften(float *probs, int n, int k, double temperature)
{
	for (long i = 0; i < (long)n * k; i++)
		probs[i] = (float)(log(fmax((double)probs[i], SMALLEST)) / temperature);
	softmax_rows(probs, n, k);
}

static int teach(struct access *a, const struct distill_conf *c, struct images v, float *probs, struct product *p)
{
	struct lesson k = { probs, a->classes, c->temperature };
	struct tune t = { .purpose = "distill", .hooks = { .ctx = &k, .loss = lesson_loss } };
	double same;

	if (c->student.epochs && surrogate_ask(a, c->teacher, false, &v, probs) < 0)
		return -1;
	soften(probs, c->student.epochs ? v.n : 0, a->classes, c->temperature);
	v.soft = probs;
	t.train = student_recipe(&c->student, p->model, v.n);
	t.train.crop_pad = t.train.flip = 0; /* an answer is that to the image as it is */
	if (tune(a, p->model, &v, 0, &t) < 0)
		return -1;
	same = c->student.epochs ? surrogate_agreement(p->model, &v, probs) : 0;
	jset_num(p->notes, "agreement_on_queries", same);
	return same < 0 ? -1 : 0;
}

static unsigned distill_needs(const void *conf)
{
	const struct distill_conf *c = conf;

	return CAP_UNLABELLED | surrogate_teacher_needs(c->teacher, false) | student_needs(&c->student);
}

static const char *distill_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)has_ownership;
	return surrogate_no_teacher(((const struct distill_conf *)conf)->teacher, has_users);
}

static int distill_run(struct access *a, const void *conf, struct product *p)
{
	const struct distill_conf *c = conf;
	const struct images v = images_first(a->unlabelled, surrogate_afford(a, c->teacher, c->images));
	float *probs;
	int ret;

	if (!v.n)
		return error(EXIT_UNEVALUABLE, "distill: images were not granted, or no query is left");
	p->goal = GOAL_USE;
	p->model = student_new(a, &c->student, "distill init");
	if (!p->model)
		return -1;
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	probs = xmalloc((size_t)v.n * (size_t)a->classes, sizeof(*probs));
	ret = teach(a, c, v, probs, p);
	free(probs);
	return ret;
}

const struct attack attack_distill = {
	.drv = { .name = "distill", .summary = "teach a fresh network the softened answers of the service or of the stolen weights",
		 .source = "Hinton, Vinyals, Dean, 2015, section 2; Lukas et al., S&P 2022. Differs: softened from probabilities, which is "
			   "the same; no augmentation",
		 .version = 1, .conf_size = sizeof(struct distill_conf), .opts = distill_opts },
	.goal = GOAL_USE, .needs = CAP_UNLABELLED, .strength = "epochs", .strength_up = 1,
	.tier = { "images=1000 epochs=10", NULL, NULL }, .needs_for = distill_needs, .inapplicable = distill_inapplicable,
	.run = distill_run, .search = "temperature=1,3,10 batch=32,64,128",
};
