/* See support_scheme.h. */
#include "tests/support_scheme.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/tile.h"
#include "tests/support_bench.h"
#include <math.h>
#include <string.h>

/* Not ck_assert: fixtures run outside of tests. In a test, an exit that is not 0 fails it. */
static void must(int ok)
{
	if (!ok)
		die(EXIT_FAILED_CELLS, NULL);
}

void desk_open(struct desk *d)
{
	struct model_spec spec = { .c = 1, .h = 28, .w = 28, .classes = 10 };

	memset(d, 0, sizeof(*d));
	progress_quiet = 1;
	tile_threads(1);
	d->data = dataset_load("synthetic", NULL);
	must(d->data != NULL);
	must(splits_make(&d->splits, d->data, DESK_SEED, 2400, 500) == 0);
	must(model_spec_parse(&spec, "lenet5") == 0);
	d->base = model_new(&spec, DESK_SEED);
	must(d->base != NULL);
	d->recipe = (struct train_conf){ .epochs = 8, .batch = 32, .optimizer = OPTIM_ADAM, .lr = 2e-3 };
	must(train(d->base, &d->splits.owner, &d->recipe, DESK_SEED, NULL, NULL, NULL) == 0);
	d->env = (struct lock_env){ .train = &d->splits.owner, .val = &d->splits.val, .recipe = &d->recipe, .base = d->base,
				     .seed = DESK_SEED };
}

void desk_close(struct desk *d)
{
	model_free(d->base);
	splits_release(&d->splits);
	dataset_free(d->data);
}

int lock_open(struct lock *l, const struct desk *d, const struct scheme *scheme, const char *options)
{
	memset(l, 0, sizeof(*l));
	l->scheme = scheme;
	l->conf = conf_of(&scheme->drv, options);
	must(l->conf != NULL);
	if (scheme_lock(scheme, &d->env, l->conf, &l->locked)) {
		lock_close(l);
		return -1;
	}
	l->service = (struct service){ .scheme = scheme, .conf = l->conf, .model = l->locked.model, .pub = l->locked.pub,
				       .classes = d->base->spec.classes };
	return 0;
}

void lock_close(struct lock *l)
{
	locked_release(&l->locked);
	free(l->conf);
}

struct bundle *lock_enrol(struct lock *l, const struct desk *d, int first, int users, int each)
{
	const int n = users * each;
	int *user = xcalloc((size_t)n, sizeof(int)), *trial = xcalloc((size_t)n, sizeof(int));
	struct bundle *out = bundle_new();

	for (int i = 0; i < n; i++) {
		user[i] = first + i / each;
		trial[i] = i % each;
	}
	if (scheme_enrol(l->scheme, &d->env, l->conf, &l->locked, user, trial, n, out)) {
		bundle_free(out);
		out = NULL;
	}
	free(user);
	free(trial);
	return out;
}

int lock_accepted(const struct lock *l, const struct bundle *creds, int n, struct auth *out)
{
	struct auth *a = out ? out : xcalloc((size_t)n, sizeof(*a));
	int accepted = 0;

	must(l->scheme->authenticate(&l->service, creds, n, a) == 0);
	for (int i = 0; i < n; i++)
		accepted += a[i].accepted;
	if (!out)
		free(a);
	return accepted;
}

int lock_correct(const struct lock *l, const struct desk *d, const struct bundle *creds, int at, int n, uint64_t nonce)
{
	const struct images v = images_first(d->splits.test, n);
	const int k = d->base->spec.classes;
	float *probs = xcalloc((size_t)v.n * k, sizeof(*probs));
	int *top = xcalloc((size_t)v.n, sizeof(*top)), right = 0;

	must(service_query(&l->service, creds, at, &v, nonce, probs) == 0);
	for (int i = 0; i < v.n; i++) {
		double sum = 0;

		for (int j = 0; j < k; j++)
			sum += (double)probs[i * k + j];
		must(fabs(sum - 1) < 1e-5);
	}
	argmax_rows(probs, v.n, k, top);
	for (int i = 0; i < v.n; i++)
		right += top[i] == images_label(&v, i);
	free(probs);
	free(top);
	return right;
}

struct bundle *creds_of(const struct model_spec *s, const float *x, int n)
{
	struct bundle *b = bundle_new();

	bundle_put(b, "image", DT_F32, 4, (const int64_t[]){ n, s->c, s->h, s->w }, x);
	return b;
}
