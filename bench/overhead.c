/* Seconds, measured on this machine now: they do not repeat and go beside the cell. See evaluate.h.
 * Median of RUNS calls after WARM_UP, monotonic clock. */
#include <math.h>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"

#define WARM_UP 5
#define RUNS 31 /* odd: the median is one of them */

/* What is timed: one call for a batch of images, or for one credential. */
struct timed {
	const struct judge *j;
	struct model *base;
	struct bundle *cred; /* one, or NULL */
	struct images v;
	float *probs;
};

static int run_reference(struct timed *t)
{
	return model_predict_probs(t->base, &t->v, t->probs);
}

static int run_authorised(struct timed *t)
{
	return service_query(&t->j->service, t->cred, 0, &t->v, 1, t->probs);
}

static int run_authentication(struct timed *t)
{
	struct auth auth = { 0 };

	return t->j->service.scheme->authenticate(&t->j->service, t->cred, 1, &auth);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Median seconds of a call of fn; negative after error(). */
static double median_seconds(int (*fn)(struct timed *), struct timed *t)
{
	double seconds[RUNS];

	for (int i = -WARM_UP; i < RUNS; i++) {
		const double start = now_seconds();

		if (fn(t) < 0)
			return -1;
		if (i >= 0)
			seconds[i] = now_seconds() - start;
	}
	qsort(seconds, RUNS, sizeof(*seconds), by_value);
	return seconds[RUNS / 2];
}

/* Milliseconds an image at this batch size, for both, and their ratio. */
static int measure_batch(struct timed *t, int batch, json_t *out)
{
	double reference, authorised;
	char name[64];

	t->v = images_first(t->j->s->splits->test, batch);
	reference = median_seconds(run_reference, t);
	authorised = reference < 0 ? -1 : median_seconds(run_authorised, t);
	if (authorised < 0)
		return -1;
	snprintf(name, sizeof(name), "reference_latency_ms_%d", batch);
	jset_num(out, name, 1e3 * reference / t->v.n);
	snprintf(name, sizeof(name), "authorised_latency_ms_%d", batch);
	jset_num(out, name, 1e3 * authorised / t->v.n);
	snprintf(name, sizeof(name), "latency_ratio_%d", batch);
	jset_num(out, name, reference > 0 ? authorised / reference : NAN);
	return 0;
}

static int measure(struct timed *t, json_t *out)
{
	double seconds;

	if (measure_batch(t, 1, out) < 0 || measure_batch(t, 64, out) < 0)
		return -1;
	if (!t->cred || !t->j->service.scheme->authenticate)
		return 0;
	seconds = median_seconds(run_authentication, t);
	jset_num(out, "authentication_ms", 1e3 * seconds);
	return seconds < 0 ? -1 : 0;
}

json_t *measure_overhead(const struct setup *s)
{
	json_t *out = json_object();
	struct judge j;
	struct timed t = { .j = &j };

	if (judge_open(&j, s) < 0) {
		json_decref(out);
		return NULL;
	}
	t.base = model_copy(s->base);
	t.probs = xmalloc((size_t)64 * s->data->classes, sizeof(*t.probs));
	if (j.nrows)
		t.cred = creds_range(s->creds, j.row[0], 1);
	if (measure(&t, out) < 0) {
		json_decref(out);
		out = NULL;
	}
	bundle_free(t.cred);
	free(t.probs);
	model_free(t.base);
	judge_close(&j);
	return out;
}
