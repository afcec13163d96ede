/* What an attack gets: private copies of what it was granted, and a counting oracle. See access.h.
 *
 * The oracle knows the deployed service, which holds neither test data nor secrets; everything else in the handle is a copy
 * that is freed with it. */
#include "bench/access.h"

#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "schemes/kit/creds.h"

#define PAIRS 2000    /* at most, under CAP_PAIR */
#define INSTANCES 30  /* at most, under CAP_INSTANCE */
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
	const struct bundle *form;  /* an issued credential, for its form alone; NULL: none was issued */
	struct pages *guard;        /* the service's memory, shut but while it answers; NULL: always open */
};

struct access_store {
	struct oracle oracle;
	struct model *model;
	struct bundle *pub, *creds;
	uint8_t *memory[8]; /* pixels and labels of the copies */
	int used;
	float *keyed;
	struct model *instance[INSTANCES];
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

/* Of `labels` labelled images (0: all there are) those that are for validation, in proportion; at least one. */
static int labels_for_validation(const struct splits *s, long labels)
{
	const long all = (long)s->pool.n + s->attacker_val.n, n = labels * s->attacker_val.n / all;

	return !labels || labels >= all ? s->attacker_val.n : n > 1 ? (int)n : 1;
}

static void grant_images(struct access *a, struct access_store *k, const struct splits *s)
{
	if (a->caps & (CAP_LABELLED | CAP_UNLABELLED)) {
		const bool labelled = a->caps & CAP_LABELLED;
		const long most = labelled ? a->ledger->max_labels : 0;
		const struct images pool = copy_images(k, s->pool, labelled);

		a->val = copy_images(k, images_first(s->attacker_val, labels_for_validation(s, most)), labelled);
		if (labelled)
			a->labelled = most ? images_first(pool, most > a->val.n ? (int)(most - a->val.n) : 1) : pool;
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

/* What user u sends for every users-th image from the u-th on, all at once: out (plain->n, len), of which those rows are written. */
static int prepare_by(const struct service *v, const struct setup *s, int u, const struct images *plain, float *out)
{
	const size_t len = (size_t)images_size(plain);
	const int n = (plain->n - u + s->users - 1) / s->users;
	int *index, ret;
	struct images own = *plain;
	float *x;

	if (u >= plain->n)
		return 0;
	index = xmalloc((size_t)n, sizeof(*index));
	x = xmalloc((size_t)n * len, sizeof(*x));
	for (int i = 0; i < n; i++)
		index[i] = images_at(plain, u + i * s->users);
	own.n = n;
	own.index = index;
	ret = v->scheme->prepare(v, s->creds, u * s->per_user, &own, x);
	for (int i = 0; i < n && !ret; i++)
		memcpy(out + len * (size_t)(u + i * s->users), x + len * (size_t)i, len * sizeof(*out));
	free(index);
	free(x);
	return ret;
}

/* What user i mod users sends for image i. */
static int grant_pairs(struct access *a, struct access_store *k, const struct setup *s)
{
	const struct scheme *scheme = s->scheme;
	size_t len;
	int ret = 0;

	if (!(a->caps & CAP_PAIR))
		return 0;
	if (!scheme->prepare || !s->creds || !s->users)
		return error(EXIT_UNEVALUABLE, "pairs of plain and prepared queries were asked for, but nobody prepares queries for the "
			     "scheme '%s'", scheme->drv.name);
	a->plain = copy_images(k, images_first(s->splits->pool, PAIRS), false);
	a->keyed = a->plain;
	len = (size_t)images_size(&a->plain);
	k->keyed = xmalloc(len * a->plain.n + 1, sizeof(*k->keyed));
	for (int u = 0; u < s->users && !ret; u++)
		ret = prepare_by(&k->oracle.service, s, u, &a->plain, k->keyed);
	a->keyed.px = NULL;
	a->keyed.fx = k->keyed;
	return ret;
}

static int grant_instances(struct access *a, struct access_store *k, const struct setup *s)
{
	const int n = !s->creds || !s->scheme->unlock ? 1 : s->users < INSTANCES ? s->users : INSTANCES;

	if (!(a->caps & CAP_INSTANCE))
		return 0;
	for (int u = 0; u < n; u++) {
		k->instance[u] = s->creds && s->scheme->unlock ? s->scheme->unlock(&k->oracle.service, s->creds, u * s->per_user)
							       : model_copy(s->locked->model);
		if (!k->instance[u])
			return -1;
	}
	a->instance = k->instance;
	a->ninstances = n;
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
		.service = { .scheme = s->scheme, .conf = s->conf, .model = s->locked->model, .pub = s->locked->pub,
			     .classes = s->data->classes },
		.ledger = ledger,
		.seed = rng_derive(seed, "oracle"),
		.caps = caps,
		.form = s->creds
	};
	if (caps & (CAP_WEIGHTS | CAP_GRADX))
		a->model = k->model = model_copy(s->locked->model);
	if (caps & CAP_ARCH)
		a->arch = s->base->spec;
	if (caps & CAP_PARAM && s->locked->pub)
		a->pub = k->pub = bundle_copy(s->locked->pub);
	grant_images(a, k, s->splits);
	if (grant_creds(a, k, s) < 0 || grant_pairs(a, k, s) < 0 || grant_instances(a, k, s) < 0) {
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
	for (int i = 0; i < INSTANCES; i++)
		model_free(keep->instance[i]);
	free(keep->keyed);
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

/* Add n to *spent unless that goes over max (0: no limit), or the attack's time is over (base/interrupt.h). */
static int charge(struct ledger *l, long *spent, long max, long n, const char *what)
{
	if (interrupt_check())
		return -1;
	if (max && *spent + n > max) {
		l->exhausted = true;
		return error(EXIT_UNEVALUABLE, "the attack's budget of %ld %s is spent (%ld used, %ld more asked for)", max, what,
			     *spent, n);
	}
	*spent += n;
	return 0;
}

void access_guard(struct access *a, struct pages *service)
{
	a->oracle->guard = service;
}

static const struct service *enter(struct oracle *o)
{
	if (o->guard)
		pages_open(o->guard);
	return &o->service;
}

static int leave(struct oracle *o, int ret)
{
	if (o->guard)
		pages_shut(o->guard);
	return ret;
}

static int query(struct oracle *o, const struct images *v, const struct bundle *creds, int at, float *out)
{
	const uint64_t nonce = o->seed + (uint64_t)o->ledger->queries;

	if (!(o->caps & (CAP_LABEL | CAP_PROB)))
		return denied("queried the service", "label");
	if (charge(o->ledger, &o->ledger->queries, o->ledger->max_queries, v->n, "queries") < 0)
		return -1;
	if (leave(o, service_query(enter(o), creds, at, v, nonce, out)) < 0)
		return -1;
	if (!(o->caps & CAP_PROB))
		one_hot_rows(out, v->n, o->service.classes);
	return 0;
}

int access_query(struct access *a, const struct images *v, int cred, float *out)
{
	struct oracle *o = a->oracle;

	if (cred >= 0 && (!(o->caps & CAP_CRED) || cred >= o->ncreds))
		return denied("presented a credential it does not hold", "cred");
	return query(o, v, cred >= 0 ? o->creds : NULL, cred >= 0 ? cred : 0, out);
}

int access_query_as(struct access *a, const struct images *v, const struct bundle *creds, int at, float *out)
{
	struct oracle *o = a->oracle;

	if (!o->form || !creds_same_form(creds, o->form))
		creds = NULL; /* malformed: as good as none */
	return query(o, v, creds, at, out);
}

int access_draw(struct access *a, uint64_t seed, int n, struct bundle *out)
{
	struct oracle *o = a->oracle;
	struct bundle *drawn;

	if (!(o->caps & CAP_ALGO))
		return denied("drew credentials as the scheme does", "algo");
	if (!o->form)
		return error(EXIT_UNEVALUABLE, "the scheme '%s' issues no credentials", o->service.scheme->drv.name);
	if (o->service.scheme->wrong_keys)
		return leave(o, o->service.scheme->wrong_keys(enter(o), seed, n, out));
	drawn = creds_random(o->form, n, seed);
	bundle_release(out);
	*out = *drawn;
	free(drawn);
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
	if (charge(o->ledger, &o->ledger->submissions, o->ledger->max_submissions, n, "submissions") < 0)
		return -1;
	if (!scheme->authenticate) {
		memset(accepted, 1, n);
		return 0;
	}
	creds = creds_images(x, n, a->c, a->h, a->w);
	auth = xcalloc(n, sizeof(*auth));
	ret = leave(o, scheme->authenticate(enter(o), creds, n, auth));
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
	if (charge(l, &l->labels, l->max_labels, labels, "labelled images") < 0)
		return -1;
	if (l->max_forward_equivalents > 0 && l->forward_equivalents > l->max_forward_equivalents) {
		l->exhausted = true;
		return error(EXIT_UNEVALUABLE, "the attack's budget of %.3g forward equivalents is spent (%.3g used)",
			     l->max_forward_equivalents, l->forward_equivalents);
	}
	return 0;
}
