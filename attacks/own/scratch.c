/* Control: a fresh network trained on the same labels. It touches nothing of the owner's: what an attack with labels gets beyond
 * it, it has stolen; an attack that gets less has stolen nothing.
 *
 * Source: Fan et al., "Rethinking deep neural network ownership verification" (NeurIPS 2019), and every later work on locks,
 * compare with training from scratch. Differs: nothing; the recipe is the one that suits the architecture. */
#include <stddef.h>

#include "attacks/kit/surrogate.h"
#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"

struct scratch_conf {
	int images;
	double fraction;
	struct student student;
};

static const struct opt scratch_opts[] = {
	{ "images", OPT_INT, offsetof(struct scratch_conf, images), "7000", 1, 1000000, "labelled images, at most as many as there are", NULL },
	{ "fraction", OPT_FLOAT, offsetof(struct scratch_conf, fraction), "1", 0, 1, "at most this share of all there are", NULL },
	STUDENT(struct scratch_conf, student, "30"),
	{ 0 }
};

static unsigned scratch_needs(const void *conf)
{
	return CAP_LABELLED | student_needs(&((const struct scratch_conf *)conf)->student);
}

static int scratch_run(struct access *a, const void *conf, struct product *p)
{
	const struct scratch_conf *c = conf;
	const struct images v = tune_images(a->labelled, c->images, c->fraction);
	struct tune t = { .purpose = "scratch" };

	if (!v.n)
		return error(EXIT_UNEVALUABLE, "scratch: labelled images were not granted");
	p->goal = GOAL_USE;
	p->model = student_new(a, &c->student, "scratch init");
	if (!p->model)
		return -1;
	p->notes = json_object();
	jset_int(p->notes, "images", v.n);
	t.train = student_recipe(&c->student, p->model, v.n);
	return tune(a, p->model, &v, v.n, &t);
}

const struct attack attack_scratch = {
	.drv = { .name = "scratch", .summary = "control: a fresh network trained on the attacker's labels alone",
		 .source = "Fan et al., NeurIPS 2019, compare with it. Differs: nothing",
		 .version = 1, .conf_size = sizeof(struct scratch_conf), .opts = scratch_opts },
	.goal = GOAL_USE, .needs = CAP_LABELLED, .strength = "images", .strength_up = 1,
	.tier = { "images=1000 epochs=10", NULL, NULL }, .needs_for = scratch_needs, .run = scratch_run, .search = "batch=32,64,128",
};
