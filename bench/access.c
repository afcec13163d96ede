/* What an attack gets: private copies of what it was granted, and a counting oracle. See access.h.
 *
 * The oracle knows the deployed service, which holds neither test data nor secrets; everything else in the handle is a copy
 * that is freed with it. */
#include "bench/access.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "bench/creds.h"

/* Share of the test set that the published leaking protocols train on: ActiveGuard takes 7,000 of 10,000. */
#define PAPER_TEST_SHARE 0.7

/* What was granted is kept here: an attack can write into its handle, and gains nothing by it. */
struct oracle {
	struct service service;
	struct ledger *ledger;
	uint64_t seed;
	unsigned caps;
	const struct bundle *creds; /* the leaked ones */
	int ncreds;
};

struct access_store {
	struct oracle oracle;
	struct model *model;
	struct bundle *pub, *creds;
	uint8_t *memory[6]; /* pixels and labels of the copies */
	int used;
};

/* ---- copies of images ---- */

static uint8_t *keep_bytes(struct access_store *k, size_t n)
{
	BUG_ON(k->used == (int)ARRAY_LEN(k->memory));
	return k->memory[k->used++] = xmalloc(n + 1, 1);
}

/* The images of v (8-bit) in memory of their own, with labels or without. */
static struct images copy_images(struct access_store *k, struct images v, bool labelled)
{
	const size_t len = images_size(&v);
	struct images out = { .n = v.n, .c = v.c, .h = v.h, .w = v.w, .classes = v.classes };
	uint8_t *px = keep_bytes(k, len * v.n), *labels = labelled ? keep_bytes(k, v.n) : NULL;

	BUG_ON(!v.px || (labelled && !v.labels));
	for (int i = 0; i < v.n; i++) {
		memcpy(px + len * i, v.px + len * images_at(&v, i), len);
		if (labels)
			labels[i] = (uint8_t)images_label(&v, i);
	}
	out.px = px;
	out.labels = labels;
	return out;
}

static void grant_images(struct access *a, struct access_store *k, const struct splits *s)
{
	if (a->caps & (CAP_LABELLED | CAP_UNLABELLED)) {
		const bool labelled = a->caps & CAP_LABELLED;
		const struct images pool = copy_images(k, s->pool, labelled);

		a->val = copy_images(k, s->attacker_val, labelled);
		if (labelled)
			a->labelled = pool;
		if (a->caps & CAP_UNLABELLED) {
			a->unlabelled = pool;
			a->unlabelled.labels = NULL;
		}
	}
	if (a->caps & CAP_PAPER_TEST)
		a->paper_test = copy_images(k, images_first(s->test, (int)(s->test.n * PAPER_TEST_SHARE)), true);
}

/* The first credential of every user. */
static int grant_creds(struct access *a, struct access_store *k, const struct setup *s)
{
	int *row;

	if (!(a->caps & CAP_CRED))
		return 0;
	if (!s->creds || !s->users)
		return error(EXIT_UNEVALUABLE, "leaked credentials were asked for, but the scheme '%s' issues none",
			     s->scheme->drv.name);
	row = xmalloc(s->users, sizeof(*row));
	for (int u = 0; u < s->users; u++)
		row[u] = u * s->per_user;
	k->creds = creds_rows(s->creds, row, s->users, false);
	free(row);
	a->creds = k->oracle.creds = k->creds;
	a->ncreds = k->oracle.ncreds = s->users;
	return 0;
}

int access_open(struct access *a, struct access_store **keep, const struct setup *s, unsigned caps, uint64_t seed,
		struct ledger *ledger)
{
	struct access_store *k = *keep = xcalloc(1, sizeof(*k));

	*a = (struct access){
		.caps = caps, .seed = seed, .c = s->data->c, .h = s->data->h, .w = s->data->w,
		.classes = s->data->classes, .ledger = ledger, .oracle = &k->oracle
	};
	k->oracle = (struct oracle){
		.service = { s->scheme, s->conf, s->locked->model, s->locked->pub, s->data->classes },
		.ledger = ledger,
		.seed = rng_derive(seed, "oracle"),
		.caps = caps
	};
	if (caps & (CAP_WEIGHTS | CAP_GRADX))
		a->model = k->model = model_copy(s->locked->model);
	if (caps & CAP_PARAM && s->locked->pub)
		a->pub = k->pub = bundle_copy(s->locked->pub);
	grant_images(a, k, s->splits);
	if (grant_creds(a, k, s) < 0) {
		access_close(a, k);
		*keep = NULL;
		return -1;
	}
	return 0;
}

void access_close(struct access *a, struct access_store *keep)
{
	*a = (struct access){ 0 };
	if (!keep)
		return;
	for (int i = 0; i < keep->used; i++)
		free(keep->memory[i]);
	model_free(keep->model);
	bundle_free(keep->pub);
	bundle_free(keep->creds);
	free(keep);
}

/* ---- the oracle ---- */

static int denied(const char *what, const char *capability)
{
	return error(EXIT_UNEVALUABLE, "the attack %s without the capability '%s'", what, capability);
}

/* Add n to *spent unless that goes over max (0: no limit). */
static int charge(long *spent, long max, long n, const char *what)
{
	if (max && *spent + n > max)
		return error(EXIT_UNEVALUABLE, "the attack's budget of %ld %s is spent (%ld used, %ld more asked for)", max, what,
			     *spent, n);
	*spent += n;
	return 0;
}

/* Rows become 1 at their largest entry and 0 elsewhere. */
static void one_hot(float *rows, int n, int k)
{
	int *top = xmalloc(n, sizeof(*top));

	argmax_rows(rows, n, k, top);
	memset(rows, 0, (size_t)n * k * sizeof(*rows));
	for (int i = 0; i < n; i++)
		rows[(size_t)i * k + top[i]] = 1;
	free(top);
}

int access_query(struct access *a, const struct images *v, int cred, float *out)
{
	struct oracle *o = a->oracle;
	const uint64_t nonce = o->seed + (uint64_t)o->ledger->queries;

	if (!(o->caps & (CAP_LABEL | CAP_PROB)))
		return denied("queried the service", "label");
	if (cred >= 0 && (!(o->caps & CAP_CRED) || cred >= o->ncreds))
		return denied("presented a credential it does not hold", "cred");
	if (charge(&o->ledger->queries, o->ledger->max_queries, v->n, "queries") < 0)
		return -1;
	if (o->service.scheme->query(&o->service, cred >= 0 ? o->creds : NULL, cred >= 0 ? cred : 0, v, nonce, out) < 0)
		return -1;
	if (!(o->caps & CAP_PROB))
		one_hot(out, v->n, o->service.classes);
	return 0;
}

int access_submit(struct access *a, const float *x, int n, unsigned char *accepted)
{
	struct oracle *o = a->oracle;
	const struct scheme *scheme = o->service.scheme;
	struct bundle *creds;
	struct auth *auth;
	int ret = 0;

	if (!(o->caps & CAP_DECISION))
		return denied("submitted credentials", "decision");
	if (charge(&o->ledger->submissions, o->ledger->max_submissions, n, "submissions") < 0)
		return -1;
	if (!scheme->authenticate) {
		memset(accepted, 1, n);
		return 0;
	}
	creds = creds_images(x, n, a->c, a->h, a->w);
	auth = xcalloc(n, sizeof(*auth));
	ret = scheme->authenticate(&o->service, creds, n, auth);
	for (int i = 0; !ret && i < n; i++)
		accepted[i] = auth[i].accepted != 0;
	free(auth);
	bundle_free(creds);
	return ret;
}

int access_spend(struct access *a, long labels, double forward_equivalents)
{
	struct ledger *l = a->oracle->ledger;

	l->forward_equivalents += forward_equivalents;
	if (charge(&l->labels, l->max_labels, labels, "labelled images") < 0)
		return -1;
	if (l->max_forward_equivalents > 0 && l->forward_equivalents > l->max_forward_equivalents)
		return error(EXIT_UNEVALUABLE, "the attack's budget of %.3g forward equivalents is spent (%.3g used)",
			     l->max_forward_equivalents, l->forward_equivalents);
	return 0;
}
