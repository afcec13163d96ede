/* See through.h. */
#include "attacks/kit/through.h"

#include <string.h>

#include "base/error.h"

unsigned through_needs(int through, bool top1)
{
	return through == THROUGH_WEIGHTS ? CAP_WEIGHTS : top1 ? CAP_LABEL : CAP_PROB;
}

int through_weights(struct model *m, const struct images *v, int classes, float *probs)
{
	const int k = m->spec.classes;
	float *logits;
	int ret;

	if (m->arch->image || k < classes)
		return error(EXIT_UNEVALUABLE, "the stolen network has %d outputs for %d classes, or is no classifier", k, classes);
	logits = xmalloc((size_t)v->n * (size_t)k + 1, sizeof(*logits));
	ret = model_predict(m, v, logits);
	for (int i = 0; i < v->n && !ret; i++)
		memcpy(probs + (size_t)i * (size_t)classes, logits + (size_t)i * (size_t)k, (size_t)classes * sizeof(*probs));
	if (!ret)
		softmax_rows(probs, v->n, classes);
	free(logits);
	return ret;
}

int through_answer(const struct product *p, struct asked *service, int through, const struct images *v, float *probs)
{
	return through == THROUGH_WEIGHTS ? through_weights(p->stolen, v, v->classes, probs) : service->query(service, v, probs);
}
