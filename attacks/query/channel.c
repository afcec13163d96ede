/* See channel.h. */
#include "attacks/query/channel.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"

void channel_stream(struct rng *r, struct rng_key k, const float *x, size_t len)
{
	uint8_t name[HASH_LEN];
	uint32_t at[2];

	sha256(x, len * sizeof(*x), name);
	memcpy(at, name, sizeof(at));
	rng_at(r, k, at[0], at[1]);
}

struct images channel_images(const float *x, int n, int c, int h, int w)
{
	return (struct images){ .n = n, .c = c, .h = h, .w = w, .fx = x };
}

/* MagNet's code takes element -num of the sorted scores with num = int(n rate), which for small rates is the smallest score
 * of all; here the index is counted from the other end and the two ends are cases of their own. */
double channel_threshold(double *score, int n, double alpha)
{
	const int over = (int)floor(alpha * n);

	BUG_ON(n < 1 || alpha < 0 || alpha > 1);
	sort_ascending(score, (size_t)n);
	if (alpha <= 0)
		return INFINITY;
	return over >= n ? -INFINITY : score[n - 1 - over];
}

int channel_calibrate(const struct access *a, struct product *p, double alpha)
{
	const size_t len = images_size(&a->val), n = (size_t)a->val.n;
	float *x = xmalloc(len * n, sizeof(*x));
	double *score = xmalloc(n, sizeof(*score)), sum = 0;
	int ret;

	for (size_t i = 0; i < n; i++)
		images_get(&a->val, (int)i, x + len * i);
	ret = p->detect(p, x, a->val.n, a->c, a->h, a->w, score);
	for (size_t i = 0; i < n && !ret; i++)
		sum += score[i];
	if (!ret) {
		p->threshold = channel_threshold(score, a->val.n, alpha);
		jset_int(p->notes, "validation_images", a->val.n);
		jset_num(p->notes, "mean_score", sum / (double)n);
	}
	free(score);
	free(x);
	return ret;
}
