/* A network of the attacker's own. See surrogate.h. */
#include "attacks/surrogate.h"

#include <string.h>

#include "base/error.h"
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
	float *logits;
	int ret, k;

	if (!a->model || a->model->arch->image)
		return error(EXIT_UNEVALUABLE, "the teacher's weights were not granted, or are no classifier");
	m = model_copy(a->model);
	k = m->spec.classes;
	logits = xmalloc((size_t)v->n * (size_t)k, sizeof(*logits));
	ret = k < a->classes ? error(EXIT_UNEVALUABLE, "the teacher has %d outputs for %d classes", k, a->classes) :
			       model_predict(m, v, logits);
	for (int i = 0; i < v->n && !ret; i++)
		memcpy(probs + (size_t)i * (size_t)a->classes, logits + (size_t)i * (size_t)k, (size_t)a->classes * sizeof(*probs));
	if (!ret)
		softmax_rows(probs, v->n, a->classes);
	free(logits);
	model_free(m);
	return ret ? -1 : access_spend(a, 0, v->n);
}

static void harden(float *probs, int n, int k)
{
	for (int i = 0; i < n; i++, probs += k) {
		int top;

		argmax_rows(probs, 1, k, &top);
		memset(probs, 0, (size_t)k * sizeof(*probs));
		probs[top] = 1;
	}
}

int surrogate_ask(struct access *a, int teacher, bool top1, const struct images *v, float *probs)
{
	const int ret = teacher == TEACHER_WEIGHTS ? ask_weights(a, v, probs) :
						     access_query(a, v, teacher == TEACHER_INSIDER ? 0 : -1, probs);

	if (!ret && top1)
		harden(probs, v->n, a->classes);
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
