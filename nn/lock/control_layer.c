/* ActiveGuard's control layer. See control_layer.h. */
#include "nn/lock/control_layer.h"

#include <math.h>

#include "base/error.h"
#include "nn/model.h"

void control_pack(struct bundle *pub, const struct control *c)
{
	bundle_put_f32(pub, "confidences", c->T, c->confidence);
	bundle_put_i32(pub, "classes", c->K, c->class);
	bundle_meta_num(pub, "tolerance", c->tolerance);
}

bool control_found(struct control *c, const struct bundle *pub)
{
	size_t nt = 0, nk = 0;

	c->confidence = pub ? bundle_f32(pub, "confidences", &nt) : NULL;
	c->class = pub ? bundle_i32(pub, "classes", &nk) : NULL;
	c->tolerance = pub ? bundle_meta_getnum(pub, "tolerance", -1) : -1;
	c->T = (int)nt;
	c->K = (int)nk;
	return c->confidence && c->class && nt && nk && c->tolerance > 0;
}

int control_open(struct control *c, const struct bundle *pub)
{
	if (!control_found(c, pub))
		return error(EXIT_UNEVALUABLE, "no control layer here: 'confidences', 'classes' or 'tolerance' is missing");
	return 0;
}

int control_judge(const struct control *c, const float *probs, int classes, double *score)
{
	double nearest = INFINITY;
	int top, i = -1, j = -1;

	argmax_rows(probs, 1, classes, &top);
	for (int k = 0; k < c->K; k++)
		if (c->class[k] == top)
			i = k;
	for (int k = 0; k < c->T; k++)
		if (fabs((double)probs[top] - (double)c->confidence[k]) < nearest) {
			nearest = fabs((double)probs[top] - (double)c->confidence[k]);
			j = k;
		}
	*score = i < 0 || isinf(nearest) ? -1 : -nearest;
	return i < 0 || !(nearest < c->tolerance) ? -1 : i * c->T + j;
}
