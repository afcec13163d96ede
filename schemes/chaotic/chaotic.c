/* Chaotic weights: the kernels of a trained network change places by a keyed permutation; whoever has the key puts them
 * back.
 *
 * A locked layer is a matrix of cells, one for each (output, input) pair: kernels of a convolution, which move whole,
 * or single weights of a linear layer. It is cut into squares ("patches"), each with a key of its own; biases and norms
 * stay.
 *
 * Users. The paper has one key. Here each device has its own key and its own ciphertext of the one model, made by the
 * owner at enrolment. What ships keeps the ciphertexts in their shortest form: the model under the owner's master key,
 * and for each device the public step from there to its own ciphertext (map=arnold: the matrix A_user A_master^-1 of
 * SL2(Z_n) per patch; map=logistic: the difference of the two keys mod 2^44, for a permutation is as large as the
 * layer). docs/schemes/chaotic.md says what that reveals.
 *
 *   pub     "patch" i32 (T,5): parameter, row, col, rows, cols; "device" i32 (D,2): user, trial, ascending;
 *           "step" i32 (D,T,4) or i64 (D,T,2)
 *   secret  "master" i32 (T,4) or i64 (T,2); "reserve" u8 (8): seed of the master keys that revocations will need
 *   credentials "device" i32 (n,2) and "key": i32 (n,T,3), (tau, p, q) each, or i64 (n,T,2)
 *
 * Source: Lin et al., "Chaotic Weights", IEEE TCAD 40(7), 2021 (see chaotic_map.h); the logistic map as in Mukherjee
 * and Chakraborty, IEEE TCAD 2023. Differs: rectangles are covered, weak keys are refused, every key has its right
 * inverse, users. */
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "schemes/chaotic/chaotic_key.h"
#include "schemes/kit/table.h"
#include "schemes/kit/users.h"

#define AUTO_SIDE 4 /* layers=auto leaves layers alone whose squares are smaller: nothing much can move */
#define DRAWS 1000  /* keys tried until one is not weak */

struct chaotic_conf {
	char layers[OPT_STRING_MAX];
	int map, tile, block, users;
	struct opt_ints key;
	double weak;
};
#define ROW(field) offsetof(struct chaotic_conf, field)
static const struct opt chaotic_opts[] = {
	{ "layers", OPT_STRING, ROW(layers), "auto", 1, 255,
	  "weights to lock, separated by commas; auto: all with 4 outputs and inputs or more", NULL },
	{ "map", OPT_CHOICE, ROW(map), "arnold", 0, 0,
	  "Arnold's cat map on squares, or the order of a logistic orbit on whole layers", "arnold|logistic" },
	{ "tile", OPT_BOOL, ROW(tile), "yes", 0, 0,
	  "cover rectangular layers with squares; off: the first square only, as the authors' demo", NULL },
	{ "block", OPT_INT, ROW(block), "0", 0, 65536, "largest side of a square; 0: as large as the layer allows",
	  NULL },
	{ "key", OPT_INTS, ROW(key), "", 0, 1000000,
	  "tau,p,q of the owner in every square; empty: drawn at random for each", NULL },
	{ "weak", OPT_FLOAT, ROW(weak), "0.25", 0, 1,
	  "a key is refused that leaves more than this share of a patch in place", NULL },
	{ "users", OPT_INT, ROW(users), "30", 1, 1000000, "users that exist by default", NULL },
	{ 0 }
};

/* ---- what is locked, and keys that are not weak ---- */

static int add_zones(struct zones *out, const struct chaotic_conf *c, const struct model *m, int param, bool named)
{
	const struct param *p = &m->p[param];
	const int side = p->d[0] < p->d[1] ? p->d[0] : p->d[1];
	struct patch *sq;
	int n;

	if (side < (named ? 2 : AUTO_SIDE))
		return !named ? 0 : error(EXIT_UNEVALUABLE, "chaotic: '%s' has %d outputs and %d inputs: nothing there"
					  " can change places", p->name, p->d[0], p->d[1]);
	sq = patch_squares(p->d[0], p->d[1], c->block, &n);
	if (c->map == MAP_LOGISTIC) {
		n = 1;
		sq[0] = (struct patch){ 0, 0, p->d[0], p->d[1] };
	}
	if (!c->tile)
		n = 1;
	out->z = xrealloc(out->z, (size_t)out->n + (size_t)n, sizeof(*out->z));
	for (int i = 0; i < n; i++)
		out->z[out->n++] = (struct zone){ param, sq[i] };
	free(sq);
	return 0;
}

/* Position of the weight that the user calls `name` ("conv2" or "conv2.weight"), -1 after error(). */
static int find_weight(const struct model *m, const char *name)
{
	char full[OPT_STRING_MAX + 8];

	snprintf(full, sizeof(full), "%s.weight", name);
	for (int i = 0; i < m->np; i++)
		if (zone_is_weight(&m->p[i]) && (!strcmp(m->p[i].name, name) || !strcmp(m->p[i].name, full)))
			return i;
	return error(EXIT_UNEVALUABLE, "chaotic: the model has no weight '%s' to lock", name);
}

static int zones_choose(struct zones *out, const struct chaotic_conf *c, const struct model *m)
{
	char list[OPT_STRING_MAX], *rest = list;
	int ret = 0;

	*out = (struct zones){ 0 };
	for (int i = 0; !strcmp(c->layers, "auto") && i < m->np && !ret; i++)
		if (zone_is_weight(&m->p[i]))
			ret = add_zones(out, c, m, i, false);
	memcpy(list, c->layers, sizeof(list));
	for (const char *name; strcmp(c->layers, "auto") && !ret && (name = strsep(&rest, ","));) {
		const int i = find_weight(m, name);

		for (int k = 0; k < out->n && i >= 0; k++)
			if (out->z[k].param == i)
				return error(EXIT_UNEVALUABLE, "chaotic: layer '%s' is named twice", name);
		ret = i < 0 ? -1 : add_zones(out, c, m, i, true);
	}
	if (!ret && !out->n)
		ret = error(EXIT_UNEVALUABLE,
			    "chaotic: no layer of this model has %d outputs and inputs; name some with 'layers'",
			    AUTO_SIDE);
	return ret;
}

static bool is_weak(const struct chaotic_conf *c, const struct zone *z, const struct key *k)
{
	const struct effect e = effect_of(c->map, z, k);
	const int cells = zone_cells(z);
	int *to = xmalloc((size_t)cells, sizeof(*to));
	const bool fresh = effect_table(c->map, z, &e, to);
	const int stay = table_stays(to, cells);

	free(to);
	return !fresh || stay > c->weak * cells;
}

static int key_make(const struct chaotic_conf *c, const struct zone *z, struct rng *r, struct key *out)
{
	for (int i = 0; i < DRAWS; i++) {
		*out = key_draw(c->map, z, r);
		if (!is_weak(c, z, out))
			return 0;
	}
	return error(EXIT_UNEVALUABLE, "chaotic: every key of a patch of %d x %d leaves more than %.3g of its cells in"
		     " place; raise 'weak' or leave the layer out", z->at.rows, z->at.cols, c->weak);
}

/* The owner's own choice, the same in every patch. */
static int key_given(const struct chaotic_conf *c, const struct zone *z, struct key *out)
{
	*out = (struct key){ .tau = c->key.v[0], .p = c->key.v[1], .q = c->key.v[2] };
	if (!is_weak(c, z, out))
		return 0;
	return error(EXIT_UNEVALUABLE, "chaotic: the key tau=%d p=%d q=%d is weak on a square of side %d: it leaves"
		     " more than %.3g of the cells in place (rounds of this p, q repeat after %ld)", out->tau, out->p,
		     out->q, z->at.rows, c->weak, catmap_period(z->at.rows, out->p, out->q));
}

/* ---- hooks ---- */

static int master_draw(const struct chaotic_conf *c, const struct zones *z, struct rng *r, bool given,
		       struct effect *out)
{
	for (int i = 0; i < z->n; i++) {
		struct key k;

		if ((given ? key_given(c, &z->z[i], &k) : key_make(c, &z->z[i], r, &k)) < 0)
			return -1;
		out[i] = effect_of(c->map, &z->z[i], &k);
	}
	return 0;
}

static int check_options(const struct chaotic_conf *c)
{
	if (c->key.n && c->map == MAP_LOGISTIC)
		return error(EXIT_UNEVALUABLE, "chaotic: 'key' gives tau, p and q; map=logistic draws its keys");
	if (c->key.n && c->key.n != 3)
		return error(EXIT_UNEVALUABLE, "chaotic: 'key' takes three numbers (tau,p,q), not %d", c->key.n);
	return 0;
}

static int chaotic_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	const struct chaotic_conf *c = conf;
	struct effect *master = NULL;
	struct zones z = { 0 };
	struct rng r;
	int ret = check_options(c);

	if (!ret)
		ret = zones_choose(&z, c, e->base);
	rng_open(&r, e->seed, "chaotic-master", 0, 0);
	master = xcalloc((size_t)z.n + 1, sizeof(*master));
	if (!ret)
		ret = master_draw(c, &z, &r, c->key.n > 0, master);
	if (!ret) {
		l->model = model_copy(e->base);
		zones_write(l->pub, &z);
		effects_put(c->map, l->secret, "master", 1, &z, master);
		rng_bytes(&r, bundle_put_u8(l->secret, "reserve", 8, NULL), 8);
		effect_apply(c->map, l->model, &z, master, false);
	}
	free(master);
	free(z.z);
	return ret;
}

/* Keys of a device, and its steps from the master's ciphertext: z->n each. */
static int enrol_one(const struct chaotic_conf *c, const struct zones *z, struct rng *r, const struct effect *master,
		     struct key *key, struct effect *step)
{
	for (int i = 0; i < z->n; i++) {
		const struct effect back = effect_inverse(c->map, &master[i]);
		struct effect own;

		if (key_make(c, &z->z[i], r, &key[i]) < 0)
			return -1;
		own = effect_of(c->map, &z->z[i], &key[i]);
		step[i] = effect_after(c->map, &own, &back);
	}
	return 0;
}

static int chaotic_enrol(const struct lock_env *e, const void *conf, struct locked *l, const int *user,
			 const int *trial, int n, struct bundle *out)
{
	const struct chaotic_conf *c = conf;
	const struct rng_key stream = rng_key(e->seed, "chaotic-user");
	struct bundle *rows = bundle_new();
	struct effect *step, *master;
	struct zones z;
	struct key *key;
	int masters, ret = zones_read(&z, c->map, l->pub, l->model);
	int32_t *device;

	master = effects_get(c->map, l->secret, "master", &z, &masters);
	BUG_ON(!ret && masters != 1);
	step = xcalloc((size_t)n * (size_t)z.n + 1, sizeof(*step));
	key = xcalloc((size_t)n * (size_t)z.n + 1, sizeof(*key));
	device = bundle_put(out, "device", DT_I32, 2, (const int64_t[]){ n, 2 }, NULL);
	for (int i = 0; i < n && !ret; i++) {
		const ptrdiff_t at = (ptrdiff_t)i * z.n;
		struct rng r;

		device[2 * i] = user[i];
		device[2 * i + 1] = trial[i];
		rng_at(&r, stream, (uint32_t)user[i], (uint32_t)trial[i]);
		ret = enrol_one(c, &z, &r, master, key + at, step + at);
	}
	if (!ret) {
		keys_put(c->map, out, n, &z, key);
		bundle_put(rows, "device", DT_I32, 2, (const int64_t[]){ n, 2 }, device);
		effects_put(c->map, rows, "step", n, &z, step);
		table_add(l->pub, "device", rows);
	}
	bundle_free(rows);
	free(step);
	free(key);
	free(master);
	free(z.z);
	return ret;
}

/* Lift every device's step from the old master key to the fresh one, and drop those of `user`. */
static void follow_master(const struct chaotic_conf *c, struct bundle *pub, const struct zones *z, int user,
			  const struct effect *old, const struct effect *fresh)
{
	size_t numbers;
	const int32_t *was = bundle_i32(pub, "device", &numbers);
	int n, kept = 0;
	struct effect *step = effects_get(c->map, pub, "step", z, &n);
	int32_t *device = xmalloc(2 * (size_t)n + 1, sizeof(*device));

	for (int i = 0; i < n && 2 * (size_t)i < numbers; i++) {
		if (was[2 * i] == user)
			continue;
		memcpy(device + 2 * kept, was + 2 * i, 2 * sizeof(*device));
		for (int k = 0; k < z->n; k++) { /* own master^-1 master fresh^-1 */
			const struct effect back = effect_inverse(c->map, &fresh[k]);
			struct effect *to = &step[(ptrdiff_t)kept * z->n + k];

			*to = effect_after(c->map, &step[(ptrdiff_t)i * z->n + k], &old[k]);
			*to = effect_after(c->map, to, &back);
		}
		kept++;
	}
	bundle_put(pub, "device", DT_I32, 2, (const int64_t[]){ kept, 2 }, device);
	effects_put(c->map, pub, "step", kept, z, step);
	free(device);
	free(step);
}

/* A new master key for what ships from now on; everybody's step follows it, the revoked user's are gone. */
static int chaotic_revoke(const void *conf, struct locked *l, int user)
{
	const struct chaotic_conf *c = conf;
	struct effect *old, *fresh;
	struct zones z;
	struct rng r;
	uint64_t seed;
	int masters, ret;

	if (zones_read(&z, c->map, l->pub, l->model) < 0) {
		free(z.z);
		return -1;
	}
	old = effects_get(c->map, l->secret, "master", &z, &masters);
	BUG_ON(masters != 1);
	fresh = xcalloc((size_t)z.n, sizeof(*fresh));
	memcpy(&seed, bundle_u8(l->secret, "reserve", NULL), sizeof(seed));
	rng_open(&r, seed, "chaotic-revoke", (uint32_t)user, 0);
	ret = master_draw(c, &z, &r, false, fresh);
	if (!ret) {
		follow_master(c, l->pub, &z, user, old, fresh);
		effect_apply(c->map, l->model, &z, old, true);
		effect_apply(c->map, l->model, &z, fresh, false);
		effects_put(c->map, l->secret, "master", 1, &z, fresh);
		rng_bytes(&r, bundle_put_u8(l->secret, "reserve", 8, NULL), 8);
	}
	free(old);
	free(fresh);
	free(z.z);
	return ret;
}

/* The step of credential `at`'s device, NULL when it is not listed; rows: all steps. */
static const struct effect *step_of(const struct bundle *pub, const struct bundle *creds, int at, const struct zones *z,
				    const struct effect *steps, int rows)
{
	const struct tensor *t = bundle_get(creds, "device", DT_I32);
	int row;

	if (!t || t->nd != 2 || t->d[0] <= at || t->d[1] != 2)
		return NULL;
	row = table_find(pub, "device", DT_I32, 2, (const int32_t *)t->data + (ptrdiff_t)2 * at);
	return row >= 0 && row < rows ? steps + (ptrdiff_t)row * z->n : NULL;
}

/* What a device makes of its ciphertext. step = own master^-1, so the master's is step^-1 own. A device that is not
 * listed has the master's ciphertext, and its own key is all it can try. */
static struct model *chaotic_unlock(const struct service *s, const struct bundle *creds, int at)
{
	const struct chaotic_conf *c = s->conf;
	struct effect *steps, *whole;
	const struct effect *step;
	struct model *m = NULL;
	struct zones z;
	struct key *key;
	int rows;

	if (zones_read(&z, c->map, s->pub, s->model) < 0) {
		free(z.z);
		return NULL;
	}
	key = keys_get(c->map, creds, at, &z);
	steps = effects_get(c->map, s->pub, "step", &z, &rows);
	whole = xcalloc((size_t)z.n, sizeof(*whole));
	step = step_of(s->pub, creds, at, &z, steps, rows);
	for (int i = 0; key && i < z.n; i++) {
		whole[i] = effect_of(c->map, &z.z[i], &key[i]);
		if (step) {
			const struct effect back = effect_inverse(c->map, &step[i]);

			whole[i] = effect_after(c->map, &back, &whole[i]);
		}
	}
	if (key) {
		m = model_copy(s->model);
		effect_apply(c->map, m, &z, whole, true);
	}
	free(key);
	free(steps);
	free(whole);
	free(z.z);
	return m;
}

/* Keys as the owner draws them, for devices that exist. */
static int chaotic_wrong_keys(const struct service *s, uint64_t seed, int n, struct bundle *out)
{
	const struct chaotic_conf *c = s->conf;
	size_t devices = 0;
	const int32_t *list = bundle_i32(s->pub, "device", &devices);
	int32_t *device = bundle_put(out, "device", DT_I32, 2, (const int64_t[]){ n, 2 }, NULL);
	struct zones z;
	struct key *key;
	int ret = zones_read(&z, c->map, s->pub, s->model);

	key = xcalloc((size_t)n * (size_t)z.n + 1, sizeof(*key));
	for (int i = 0; i < n && !ret; i++) {
		struct rng r;

		rng_open(&r, seed, "chaotic-guess", (uint32_t)i, 0);
		if (list && devices)
			memcpy(device + (ptrdiff_t)2 * i, list + (ptrdiff_t)2 * rng_below(&r, (uint32_t)(devices / 2)),
			       2 * sizeof(*device));
		for (int k = 0; k < z.n && !ret; k++)
			ret = key_make(c, &z.z[k], &r, &key[(ptrdiff_t)i * z.n + k]);
	}
	if (!ret)
		keys_put(c->map, out, n, &z, key);
	free(key);
	free(z.z);
	return ret;
}

/* Cells are put back one by one: a weight costs a few hundred multiplications. */
static void chaotic_burden(const void *conf, const struct burdened *e, struct burden *b)
{
	struct model *m = model_new(&e->spec, 0);

	(void)conf;
	b->unlock = m && e->macs > 0 ? 4000.0 * (double)model_params(m) / e->macs : 0;
	model_free(m);
}

const struct scheme scheme_chaotic = {
	.drv = { .name = "chaotic", .version = 1,
		 .summary = "kernels change places by a chaotic map; the key puts them back",
		 .source = "Lin et al., \"Chaotic Weights\", IEEE TCAD 40(7), 2021. Differs: rectangular layers are"
			   " covered with squares that have keys of their own (tile=no: the first square only), weak"
			   " keys are refused, the inverse is right for every key, every user's device has a key and"
			   " ciphertext of its own, and a logistic map beside the cat map (map=logistic)",
		 .conf_size = sizeof(struct chaotic_conf), .opts = chaotic_opts },
	.decl = { .scenario = "white-box: the thief reads the stored weights",
		  .mechanism = "parameter-based (weights change places)",
		  .capacity = "17 to 27 bits a square by |SL2(Z_n)|",
		  .type = "active authorization control", .function = "copyright management",
		  .target_models = "any network with weights of 4 outputs and inputs or more",
		  .deployment = DEPLOY_POSTHOC,
		  .knowledge = "white-box: the device decrypts the weights",
		  .ships = "each device holds permuted weights and, in its trusted part, a key; the owner keeps the"
			   " master key. Queries name nobody: all users run the same network",
		  .has_users = 1, .has_revocation = 1, .changes_weights = 1 },
	.secrets = { { "key", NULL } },
	.burden = chaotic_burden, .lock = chaotic_lock, .enrol = chaotic_enrol, .revoke = chaotic_revoke,
	.users_analytic = users_unlimited, .unlock = chaotic_unlock, .wrong_keys = chaotic_wrong_keys,
};
