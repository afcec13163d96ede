/* See support_bench.h. */
#include "tests/support_bench.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"

/* Not ck_assert: fixtures run outside of tests. */
static void must(int ok)
{
	if (!ok)
		die(EXIT_FAILED_CELLS, NULL);
}

/* ---- the toy scheme ---- */

static const float mark[WORLD_MARK] = { 0.2f, 0.0001f, 0.2f, 0.0001f, 0.2f, 0.0001f, 0.2f, 0.0001f };

static int toy_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	for (int i = 0; i < WORLD_MARK; i++)
		l->model->x[i] = mark[i];
	bundle_put_f32(l->pub, "shipped", 3, NULL);
	bundle_put_f32(l->secret, "mark", WORLD_MARK, mark);
	return 0;
}

static int toy_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user, const int *trial,
		     int n, struct bundle *out)
{
	const int len = e->train->c * e->train->h * e->train->w;
	const int64_t d[] = { n, e->train->c, e->train->h, e->train->w };
	float *x = bundle_put(out, "image", DT_F32, 4, d, NULL);
	uint8_t *ok = bundle_put_u8(out, "ok", n, NULL);

	(void)conf, (void)l;
	bundle_put_i32(out, "tries", n, NULL);
	for (int i = 0; i < n; i++) {
		float *at = x + (size_t)i * len;

		at[0] = (float)((user[i] == 3 && trial[i] == 2 ? 0 : user[i]) + 1) / 51.0f;
		at[1] = (float)trial[i] / 51.0f;
		at[2] = trial[i] == 3;
		ok[i] = trial[i] != 3;
	}
	return 0;
}

static int toy_revoke(const void *conf, struct locked *l, int user)
{
	(void)conf;
	bundle_put_i32(l->pub, "revoked", 1, &user);
	return 0;
}

static int toy_users(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return WORLD_USERS;
}

static double toy_users_analytic(const void *conf, int classes)
{
	(void)conf;
	return classes;
}

static int toy_authenticate(const struct service *s, const struct bundle *creds, int n, struct auth *out)
{
	const struct tensor *t = bundle_get(creds, "image", DT_F32);
	const int32_t *revoked = bundle_i32(s->pub, "revoked", NULL);
	const size_t len = t->len / (size_t)t->d[0];

	for (int i = 0; i < n; i++) {
		const float *x = (const float *)t->data + len * i;
		const int user = (int)lrintf(x[0] * 51) - 1;

		out[i].accepted = user >= 0 && user < WORLD_USERS && fabsf(x[0] * 51 - (float)(user + 1)) < 0.01f;
		for (size_t k = 2; k < len; k++)
			out[i].accepted &= x[k] == 0;
		out[i].accepted &= !revoked || *revoked != user;
		out[i].user = user;
	}
	return 0;
}

static int toy_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce,
		     float *probs)
{
	struct auth auth[64] = { 0 };
	struct rng r;

	BUG_ON(at >= 64);
	if (creds && toy_authenticate(s, creds, at + 1, auth) == 0 && auth[at].accepted)
		return model_predict_probs(s->model, v, probs);
	memset(probs, 0, (size_t)v->n * s->classes * sizeof(*probs));
	rng_open(&r, nonce, "toy", 0, 0);
	for (int i = 0; i < v->n; i++)
		probs[i * s->classes + (int)rng_below(&r, (uint32_t)s->classes)] = 1;
	return 0;
}

static int toy_verify(const void *conf, const struct locked *owner, const struct model *suspect, struct ownership *out)
{
	const float *want = bundle_f32(owner->secret, "mark", NULL);

	(void)conf;
	out->applies = 1;
	out->total = WORLD_MARK;
	for (int i = 0; i < WORLD_MARK; i++) {
		out->symbol[i] = fabsf((float)suspect->x[i] - want[i]) < 1e-6f;
		out->matched += out->symbol[i];
	}
	out->verified = out->matched == out->total;
	return 0;
}

const struct scheme toy_scheme = {
	.drv = { .name = "toy", .summary = "a scheme for tests", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .gate = 1, .has_users = 1, .has_revocation = 1, .has_ownership = 1, .has_identities = 1, .changes_weights = 1 },
	.lock = toy_lock,
	.enrol = toy_enrol,
	.revoke = toy_revoke,
	.users_analytic = toy_users_analytic,
	.users = toy_users,
	.authenticate = toy_authenticate,
	.query = toy_query,
	.verify = toy_verify,
};

/* ---- the world ---- */

static void enrol_toy(struct world *w, const struct lock_env *e)
{
	int user[WORLD_USERS * WORLD_EACH], trial[WORLD_USERS * WORLD_EACH];

	for (int i = 0; i < WORLD_USERS * WORLD_EACH; i++) {
		user[i] = i / WORLD_EACH;
		trial[i] = i % WORLD_EACH;
	}
	w->creds = bundle_new();
	must(toy_enrol(e, NULL, &w->locked, user, trial, WORLD_USERS * WORLD_EACH, w->creds) == 0);
}

void world_open(struct world *w, const struct scheme *scheme)
{
	struct model_spec spec = { 0 };
	struct train_stats stats;
	struct lock_env e;

	memset(w, 0, sizeof(*w));
	w->recipe = (struct train_conf){ .epochs = 12, .batch = 20, .optimizer = OPTIM_ADAM, .lr = 2e-3 };
	progress_quiet = 1;
	w->data = dataset_load("synthetic", NULL);
	must(w->data != NULL);
	must(splits_make(&w->splits, w->data, 7, 600, 200) == 0);
	must(model_spec_parse(&spec, "mlp-32") == 0);
	spec.c = w->data->c;
	spec.h = w->data->h;
	spec.w = w->data->w;
	spec.classes = w->data->classes;
	w->base = model_new(&spec, 7);
	must(w->base != NULL);
	must(train(w->base, &w->splits.owner, &w->recipe, 7, NULL, NULL, &stats) == 0);
	w->base_fe = stats.forward_equivalents;
	e = (struct lock_env){ .train = &w->splits.owner, .val = &w->splits.val, .recipe = &w->recipe, .base = w->base, .seed = 7,
			       .forward_equivalents = &w->lock_fe };
	w->setup.conf = conf_of(&scheme->drv, scheme->tier[0] ? scheme->tier[0] : "");
	must(scheme_lock(scheme, &e, w->setup.conf, &w->locked) == 0);
	if (scheme == &toy_scheme)
		enrol_toy(w, &e);
	w->setup = (struct setup){
		.data = w->data, .splits = &w->splits, .scheme = scheme, .conf = w->setup.conf, .base = w->base,
		.locked = &w->locked, .creds = w->creds, .users = w->creds ? WORLD_USERS : 0,
		.per_user = w->creds ? WORLD_EACH : 0, .seed = 7, .base_fe = 1000, .lock_fe = 250, .enrol_fe = 32
	};
}

void world_close(struct world *w)
{
	void *conf = (void *)w->setup.conf;

	free(conf);
	bundle_free(w->creds);
	locked_release(&w->locked);
	model_free(w->base);
	splits_release(&w->splits);
	dataset_free(w->data);
}

void *conf_of(const struct driver *d, const char *options)
{
	void *conf = xcalloc(1, d->conf_size + 1);
	char text[512], *rest = text, *word;

	opt_defaults(d->opts, conf);
	snprintf(text, sizeof(text), "%s", options);
	while ((word = strsep(&rest, " ")) != NULL) {
		char *value = word;
		const char *name = strsep(&value, "=");

		if (*name && (!value || opt_set(d->opts, conf, name, value) < 0)) {
			free(conf);
			return NULL;
		}
	}
	return conf;
}

int world_attack(const struct world *w, const struct attack *a, const char *options, struct ledger *ledger,
		 struct product *p)
{
	void *conf = conf_of(&a->drv, options);
	struct ledger own = { 0 };
	struct access_store *keep;
	struct access access;
	int ret;

	must(conf != NULL);
	memset(p, 0, sizeof(*p));
	ret = access_open(&access, &keep, &w->setup, a->needs_for ? a->needs_for(conf) : a->needs, 7,
			  ledger ? ledger : &own);
	if (!ret) {
		ret = a->run(&access, conf, p);
		p->caps = a->needs_for ? a->needs_for(conf) : a->needs;
		access_close(&access, keep);
	}
	free(conf);
	return ret;
}

const struct attack *attack_named(const char *name)
{
	for (int i = 0; attacks[i]; i++)
		if (!strcmp(attacks[i]->name, name))
			return (const struct attack *)attacks[i];
	return NULL;
}

unsigned long model_bits(const struct model *m)
{
	const unsigned char *b = (const void *)m->x;
	unsigned long h = 14695981039346656037ul; /* FNV-1a */

	for (size_t i = 0; i < m->nx * sizeof(*m->x); i++)
		h = (h ^ b[i]) * 1099511628211ul;
	return h;
}
