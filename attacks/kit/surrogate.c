/* A network of the attacker's own. See surrogate.h. */
#include "attacks/kit/surrogate.h"

#include <string.h>

#include "attacks/kit/through.h"
#include "attacks/kit/tune.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

unsigned student_needs(const struct student *s)
{
	return *s->model ? 0 : CAP_ARCH;
}

struct model *student_new(const struct access *a, const struct student *s, const char *purpose)
{
	struct model_spec spec = a->arch;

	if (!*s->model && !*spec.arch) {
		error(EXIT_UNEVALUABLE, "the architecture was not granted; name one with the option model");
		return NULL;
	}
	if (*s->model && model_spec_parse(&spec, s->model) < 0)
		return NULL;
	spec.c = a->c;
	spec.h = a->h;
	spec.w = a->w;
	spec.classes = a->classes;
	return model_new(&spec, rng_derive(a->seed, purpose));
}

struct train_conf student_recipe(const struct student *s, const struct model *m, int n)
{
	const int pass = (n + s->batch - 1) / s->batch, passes = (s->steps + pass - 1) / (pass > 0 ? pass : 1);
	struct train_conf c;

	train_recipe(&c, &m->spec);
	c.batch = s->batch;
	c.epochs = s->epochs && passes > s->epochs ? passes : s->epochs;
	return c;
}

unsigned surrogate_teacher_needs(int teacher, bool top1)
{
	const unsigned query = top1 ? CAP_LABEL : CAP_PROB;

	switch (teacher) {
	case TEACHER_INSIDER:
		return query | CAP_CRED;
	case TEACHER_LOCKED:
		return query;
	default:
		return CAP_WEIGHTS;
	}
}

const char *surrogate_no_teacher(int teacher, int has_users)
{
	return teacher == TEACHER_INSIDER && !has_users ? "the scheme issues no credentials that could leak" : NULL;
}

int surrogate_afford(const struct access *a, int teacher, int n)
{
	const struct ledger *l = a->ledger;

	if (teacher != TEACHER_WEIGHTS && l->max_queries && l->max_queries - l->queries < n)
		return (int)(l->max_queries - l->queries);
	return n;
}

/* Answers of the stolen network; outputs beyond the classes (an extra class) are left out. */
static int ask_weights(struct access *a, const struct images *v, float *probs)
{
	struct model *m;
	int ret;

	if (!a->model)
		return error(EXIT_UNEVALUABLE, "the teacher's weights were not granted");
	m = model_copy(a->model);
	ret = through_weights(m, v, a->classes, probs);
	model_free(m);
	return ret ? -1 : access_spend(a, 0, v->n);
}

int surrogate_ask(struct access *a, int teacher, bool top1, const struct images *v, float *probs)
{
	const int ret = teacher == TEACHER_WEIGHTS ? ask_weights(a, v, probs) :
						     access_query(a, v, teacher == TEACHER_INSIDER ? 0 : -1, probs);

	if (!ret && top1)
		one_hot_rows(probs, v->n, a->classes);
	return ret;
}

double surrogate_agreement(struct model *m, const struct images *v, const float *probs)
{
	const int k = m->spec.classes;
	float *logits = xmalloc((size_t)v->n * (size_t)k + 1, sizeof(*logits));
	int same = 0, mine, theirs, ret = model_predict(m, v, logits);

	for (int i = 0; i < v->n && !ret; i++) {
		argmax_rows(logits + (size_t)i * (size_t)k, 1, k, &mine);
		argmax_rows(probs + (size_t)i * (size_t)k, 1, k, &theirs);
		same += mine == theirs;
	}
	free(logits);
	return ret ? -1 : v->n ? (double)same / v->n : 0;
}

/* ---- gradients ---- */

static int teacher_of(int gradients)
{
	return gradients == GRADIENTS_INSIDER ? TEACHER_INSIDER : TEACHER_LOCKED;
}

unsigned surrogate_needs(const struct surrogate *s)
{
	const unsigned arch = *s->model ? 0 : CAP_ARCH;

	switch (s->gradients) {
	case GRADIENTS_DEPLOYED:
		return CAP_WEIGHTS | CAP_GRADX;
	case GRADIENTS_LABELS:
		return CAP_LABELLED | arch;
	default:
		return CAP_UNLABELLED | surrogate_teacher_needs(teacher_of(s->gradients), false) | arch;
	}
}

const char *surrogate_unavailable(const struct surrogate *s, int has_users)
{
	return s->gradients == GRADIENTS_INSIDER ? surrogate_no_teacher(TEACHER_INSIDER, has_users) : NULL;
}

/* What it learns from: v, with the service's answers as soft labels unless there are labels. probs is the caller's to free. */
static int study(struct access *a, const struct surrogate *s, struct images *v, float **probs)
{
	const bool labels = s->gradients == GRADIENTS_LABELS;

	*probs = NULL;
	*v = labels ? images_first(a->labelled, s->images) :
		      images_first(a->unlabelled, surrogate_afford(a, teacher_of(s->gradients), s->images));
	if (!v->n)
		return error(EXIT_UNEVALUABLE, "images were not granted, or no query is left");
	if (labels)
		return 0;
	v->soft = *probs = xmalloc((size_t)v->n * (size_t)a->classes, sizeof(**probs));
	return surrogate_ask(a, teacher_of(s->gradients), false, v, *probs);
}

static struct model *apprentice(struct access *a, const struct surrogate *s, const char *purpose, json_t *notes)
{
	struct student student = { .epochs = s->epochs, .steps = 1000, .batch = 64 };
	struct tune t = { .purpose = purpose };
	struct model *m;
	struct images v;
	float *probs;
	int ret;

	memcpy(student.model, s->model, sizeof(student.model));
	m = student_new(a, &student, purpose);
	ret = m ? study(a, s, &v, &probs) : -1;
	if (!m)
		return NULL;
	if (!ret) {
		t.train = student_recipe(&student, m, v.n);
		t.train.crop_pad = t.train.flip = 0; /* an answer is that to the image as it is */
		ret = tune(a, m, &v, v.soft ? 0 : v.n, &t);
		jset_int(notes, "surrogate_images", v.n);
	}
	if (!ret && v.soft)
		jset_num(notes, "surrogate_agreement", surrogate_agreement(m, &v, probs));
	free(probs);
	if (!ret)
		return m;
	model_free(m);
	return NULL;
}

struct model *surrogate_open(struct access *a, const struct surrogate *s, const char *purpose, json_t *notes)
{
	if (s->gradients != GRADIENTS_DEPLOYED)
		return apprentice(a, s, purpose, notes);
	if (a->model && !a->model->arch->image)
		return model_copy(a->model);
	error(EXIT_UNEVALUABLE, "the deployed network was not granted, or is no classifier");
	return NULL;
}
