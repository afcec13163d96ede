/* See support_contract.h. */
#include "tests/support_contract.h"

#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/tile.h"
#include "bench/judge.h"
#include "nn/wiring.h"
#include "schemes/kit/creds.h"
#include "tests/support_bench.h"

enum { USERS = 4, TEST = 200 };

/* ---- on paper ---- */

void contract_tiers(const struct driver *d, const char *const *tier)
{
	for (int i = 0; i < 3; i++) {
		void *conf = conf_of(d, tier[i] ? tier[i] : "");

		ck_assert_msg(conf != NULL, "%s, tier %d: %s", d->name, i, error_text());
		free(conf);
	}
}

void contract_scheme(const struct scheme *s)
{
	const struct declared *d = &s->decl;

	ck_assert_msg(driver_check(&s->drv) == 0, "%s", error_text());
	contract_tiers(&s->drv, s->tier);
	ck_assert(s->lock != NULL);
	ck_assert(d->scenario && d->mechanism && d->capacity && d->type && d->function && d->target_models);
	ck_assert(d->knowledge && d->ships);
	ck_assert_int_eq(d->has_users, s->enrol != NULL);
	ck_assert_int_eq(d->has_revocation, s->revoke != NULL);
	ck_assert_int_eq(d->has_ownership, s->verify != NULL);
	if (!s->enrol)
		return;
	ck_assert(s->users || opt_find(s->drv.opts, "users"));
	ck_assert(s->authenticate || s->unlock || s->prepare);
	ck_assert(!d->gate || s->authenticate);                  /* an `if` asks somebody */
	ck_assert(!d->has_identities || s->authenticate || s->trace); /* who would tell them apart? */
}

/* ---- hooks ---- */

static void change_nothing(const struct world *w)
{
	const struct scheme *s = w->setup.scheme;
	struct service v = { .scheme = s, .conf = w->setup.conf, .model = w->locked.model, .pub = w->locked.pub, .classes = 10 };
	const struct images q = images_first(w->splits.test, 8);
	const unsigned long before = model_bits(w->locked.model);
	char pub[65], after[65];
	float x[8 * 784], probs[8 * 10];
	struct auth auth[8];
	struct ownership *mark = xcalloc(1, sizeof(*mark));
	struct bundle *creds = bundle_new();

	for (int i = 0; i < 8; i++)
		images_get(&q, i, x + i * 784);
	bundle_put(creds, "image", DT_F32, 4, (int64_t[]){ 8, 1, 28, 28 }, x);
	bundle_hash(w->locked.pub, pub);
	ck_assert_msg(service_query(&v, NULL, 0, &q, 1, probs) == 0, "%s", error_text());
	for (int i = 0; i < 8; i++) {
		double sum = 0;

		for (int k = 0; k < 10; k++)
			sum += (double)probs[i * 10 + k];
		ck_assert_double_eq_tol(sum, 1, 1e-4);
	}
	if (s->authenticate) {
		ck_assert_msg(s->authenticate(&v, creds, 8, auth) == 0, "%s", error_text());
		ck_assert_msg(service_query(&v, creds, 7, &q, 1, probs) == 0, "%s", error_text());
	}
	if (s->verify)
		ck_assert_msg(s->verify(w->setup.conf, &w->locked, w->locked.model, mark) == 0, "%s", error_text());
	bundle_hash(w->locked.pub, after);
	ck_assert_str_eq(pub, after);
	ck_assert_uint_eq(model_bits(w->locked.model), before);
	if (!s->decl.changes_weights)
		ck_assert_uint_eq(model_bits(w->base), before);
	bundle_free(creds);
	free(mark);
}

void contract_hooks(const struct scheme *s)
{
	struct world w;

	world_open(&w, s);
	change_nothing(&w);
	world_close(&w);
}

/* ---- declarations ---- */

/* A scheme in a small world with its users enrolled. */
struct stage {
	const struct scheme *s;
	struct world w;
	struct lock_env e;
	struct service v;
	struct bundle *creds;
};

static struct bundle *enrolled(const struct stage *g, struct locked *l)
{
	const int user[USERS] = { 0, 1, 2, 3 }, trial[USERS] = { 0 };
	struct bundle *out = bundle_new();

	ck_assert_msg(scheme_enrol(g->s, &g->e, g->w.setup.conf, l, user, trial, USERS, out) == 0, "%s: %s", g->s->drv.name, error_text());
	return out;
}

static void stage_open(struct stage *g, const struct scheme *s)
{
	*g = (struct stage){ .s = s };
	world_open(&g->w, s);
	g->e = (struct lock_env){ .train = &g->w.splits.owner, .val = &g->w.splits.val, .recipe = &g->w.recipe, .base = g->w.base, .seed = 7 };
	if (scheme_users(s, g->w.setup.conf, 10))
		g->creds = enrolled(g, &g->w.locked);
	g->v = (struct service){ .scheme = s, .conf = g->w.setup.conf, .model = g->w.locked.model, .pub = g->w.locked.pub, .classes = 10 };
}

static void stage_close(struct stage *g)
{
	bundle_free(g->creds);
	world_close(&g->w);
}

static int right_of(const struct service *v, const struct bundle *creds, int at, const struct images *test)
{
	float *probs = xcalloc((size_t)test->n * 10, sizeof(*probs));
	int *top = xcalloc((size_t)test->n, sizeof(*top)), right = 0;

	ck_assert_msg(service_query(v, creds, at, test, 3, probs) == 0, "%s", error_text());
	argmax_rows(probs, test->n, 10, top);
	for (int i = 0; i < test->n; i++)
		right += top[i] == images_label(test, i);
	free(probs);
	free(top);
	return right;
}

/* Two threads instead of one, once more from the same seed: the same bytes of everything. */
static void deterministic(const struct stage *g)
{
	const int threads = tile_threads_get();
	struct bundle *creds = NULL;
	struct locked l;
	char a[65], b[65];

	tile_threads(threads == 2 ? 1 : 2);
	ck_assert_msg(scheme_lock(g->s, &g->e, g->w.setup.conf, &l) == 0, "%s", error_text());
	if (g->creds)
		creds = enrolled(g, &l);
	tile_threads(threads);
	ck_assert_msg(model_bits(l.model) == model_bits(g->w.locked.model), "%s: locked twice, two networks", g->s->drv.name);
	bundle_hash(l.pub, a);
	bundle_hash(g->w.locked.pub, b);
	ck_assert_str_eq(a, b);
	bundle_hash(l.secret, a);
	bundle_hash(g->w.locked.secret, b);
	ck_assert_str_eq(a, b);
	if (creds) {
		bundle_hash(creds, a);
		bundle_hash(g->creds, b);
		ck_assert_str_eq(a, b);
	}
	bundle_free(creds);
	locked_release(&l);
}

/* The training that a lock took against what it says of itself; and whether the weights are the base network's. */
static void deployment(const struct stage *g)
{
	const double share = g->w.lock_fe / g->w.base_fe;
	const bool same = g->w.base->nx == g->w.locked.model->nx && model_bits(g->w.base) == model_bits(g->w.locked.model);

	ck_assert_msg(g->s->decl.changes_weights == !same, "%s: weights %s", g->s->drv.name, same ? "unchanged" : "changed");
	switch (g->s->decl.deployment) {
	case DEPLOY_POSTHOC:
		ck_assert_msg(share == 0, "%s: post hoc, and %.3f of the base's training", g->s->drv.name, share); /* not a step */
		break;
	case DEPLOY_FINETUNE:
		ck_assert(share > 0 && share <= 0.1);
		break;
	default:
		ck_assert_msg(share >= 0.9, "%s: retrained, with %.3f of the base's training", g->s->drv.name, share);
	}
}

/* A gate stands beside a network that answers whoever runs it; without one the network itself is of little use, or there would be no
 * lock at all. Networks that must learn to tell prepared queries from others do not learn that here, from 480 images: such schemes'
 * own suites see to it on the desk of support_scheme.h. */
static void gate(const struct stage *g)
{
	const struct images test = images_first(g->w.splits.test, TEST);
	struct service bare = g->v;
	const struct scheme plain = { .decl = { .gate = 0 } };
	const int base = right_of(&(struct service){ .scheme = &plain, .model = g->w.base, .classes = 10 }, NULL, 0, &test);
	int right;

	if (g->s->prepare)
		return;
	bare.scheme = &plain;
	right = right_of(&bare, NULL, 0, &test);
	printf("%s: base %d, shipped network alone %d, service without credential %d of %d\n", g->s->drv.name, base, right,
	       right_of(&g->v, NULL, 0, &test), TEST);
	if (g->s->decl.gate || !g->s->decl.has_users)
		ck_assert_int_gt(right, base / 2);
	else
		ck_assert_int_lt(right, base / 2);
	if (g->s->decl.has_users)
		ck_assert_int_lt(right_of(&g->v, NULL, 0, &test), base / 2);
}

/* Users by the formula are no fewer than those that exist. */
static void users(const struct stage *g)
{
	if (g->s->users_analytic && g->creds && g->s->decl.has_identities)
		ck_assert_double_ge(g->s->users_analytic(g->w.setup.conf, 10), scheme_users(g->s, g->w.setup.conf, 10));
}

static struct model *permuted(const struct model *m)
{
	struct model *out = model_copy(m);
	struct wiring w;
	struct rng r;

	ck_assert_int_eq(wiring_of(out, &w), 0);
	rng_open(&r, 1, "permuted", 0, 0);
	for (int i = 0; i < w.n; i++) {
		int *perm = xmalloc((size_t)w.group[i].channels, sizeof(*perm));

		rng_permutation(&r, perm, w.group[i].channels);
		wiring_permute(&w.group[i], perm);
		free(perm);
	}
	return out;
}

/* "Black-box": in another network of the same function the same credentials are accepted, for the same users, and the mark reads the
 * same, unless the declaration says "white-box to verify". A white-box scheme must lose something, or it is not one. */
static void knowledge(const struct stage *g)
{
	const bool black = !strncmp(g->s->decl.knowledge, "black-box", 9), black_mark = black && !strstr(g->s->decl.knowledge, "white-box to verify");
	struct ownership *a = xcalloc(2, sizeof(*a)), *b = a + 1;
	struct auth before[USERS], after[USERS];
	struct service v = g->v;
	struct model *m = permuted(g->w.locked.model);

	v.model = m;
	if (g->s->authenticate && g->creds && black) {
		ck_assert_int_eq(g->s->authenticate(&g->v, g->creds, USERS, before), 0);
		ck_assert_int_eq(g->s->authenticate(&v, g->creds, USERS, after), 0);
		for (int i = 0; i < USERS; i++)
			ck_assert(before[i].accepted == after[i].accepted && before[i].user == after[i].user);
	}
	if (g->s->verify) {
		ck_assert_int_eq(g->s->verify(g->w.setup.conf, &g->w.locked, g->w.locked.model, a), 0);
		ck_assert_int_eq(g->s->verify(g->w.setup.conf, &g->w.locked, m, b), 0);
		if (a->applies)
			ck_assert_msg((a->matched == b->matched) == black_mark, "%s: mark %d of %d, permuted %d", g->s->drv.name, a->matched,
				      a->total, b->matched);
	}
	model_free(m);
	free(a);
}

/* Revoked is who was, and nobody else. */
static void revocation(const struct stage *g)
{
	const struct images test = images_first(g->w.splits.test, TEST);
	struct locked l = { model_copy(g->w.locked.model), bundle_copy(g->w.locked.pub), bundle_copy(g->w.locked.secret) };
	struct service v = g->v;
	int was[USERS], is[USERS];

	if (g->creds && g->s->revoke) {
		for (int u = 0; u < USERS; u++)
			was[u] = right_of(&g->v, g->creds, u, &test);
		ck_assert_int_eq(g->s->revoke(g->w.setup.conf, &l, 2), 0);
		v.model = l.model;
		v.pub = l.pub;
		for (int u = 0; u < USERS; u++) {
			is[u] = right_of(&v, g->creds, u, &test);
			ck_assert_msg(u == 2 ? is[u] < TEST / 2 : is[u] == was[u], "%s: user %d %d, then %d", g->s->drv.name, u, was[u], is[u]);
		}
	}
	locked_release(&l);
}

/* Identities: every user's credential names him, by the login or by his queries (two of three at least, after little training). */
static void identities(const struct stage *g)
{
	struct images test = images_first(g->w.splits.test, 30);
	struct traced t[30];
	struct auth a[USERS];

	if (!g->creds || !g->s->decl.has_identities)
		return;
	if (g->s->authenticate)
		ck_assert_int_eq(g->s->authenticate(&g->v, g->creds, USERS, a), 0);
	for (int u = 0; u < USERS; u++) {
		float *x = service_sent(&g->v, g->creds, u, &test);
		int named = 0;

		if (g->s->authenticate) {
			ck_assert(!a[u].accepted || a[u].user == u);
		} else {
			ck_assert_int_eq(g->s->trace(g->w.setup.conf, &g->w.locked, x, test.n, t), 0);
			for (int i = 0; i < test.n; i++)
				named += t[i].user == u;
			ck_assert_int_gt(named, 20);
		}
		free(x);
	}
}

void contract_declared(const struct scheme *s)
{
	struct stage g;

	stage_open(&g, s);
	deployment(&g);
	users(&g);
	gate(&g);
	knowledge(&g);
	revocation(&g);
	identities(&g);
	deterministic(&g);
	stage_close(&g);
}
