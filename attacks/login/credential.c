/* See credential.h. */
#include "attacks/login/credential.h"

#include <math.h>
#include <string.h>

double credential_value(const struct tensor *t, size_t i)
{
	switch (t->dtype) {
	case DT_F32:
		return (double)((const float *)t->data)[i];
	case DT_F64:
		return ((const double *)t->data)[i];
	case DT_U8:
		return ((const uint8_t *)t->data)[i];
	case DT_I32:
		return ((const int32_t *)t->data)[i];
	default:
		return (double)((const int64_t *)t->data)[i];
	}
}

void credential_set(struct tensor *t, size_t i, double v)
{
	switch (t->dtype) {
	case DT_F32:
		((float *)t->data)[i] = (float)v;
		break;
	case DT_F64:
		((double *)t->data)[i] = v;
		break;
	case DT_U8:
		((uint8_t *)t->data)[i] = (uint8_t)fmin(fmax(round(v), 0), 255);
		break;
	case DT_I32:
		((int32_t *)t->data)[i] = (int32_t)round(v);
		break;
	default:
		((int64_t *)t->data)[i] = (int64_t)round(v);
	}
}

bool credential_shared(const struct tensor *t)
{
	return !strncmp(t->name, "shared_", 7);
}

struct bundle *credential_blank(const struct bundle *b, int n)
{
	struct bundle *out = bundle_new();

	for (int i = 0; i < b->nt; i++) {
		const struct tensor *t = &b->t[i];
		int64_t d[6];

		memcpy(d, t->d, sizeof(d));
		if (!credential_shared(t))
			d[0] = n;
		bundle_put(out, t->name, t->dtype, t->nd, d, credential_shared(t) ? t->data : NULL);
	}
	return out;
}
