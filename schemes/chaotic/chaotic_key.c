/* See chaotic_key.h. */
#include "schemes/chaotic/chaotic_key.h"

#include <string.h>

#include "base/error.h"

/* ---- patches: where cells move ---- */

int zone_cells(const struct zone *z)
{
	return z->at.rows * z->at.cols;
}

bool zone_is_weight(const struct param *p)
{
	return !p->buffer && p->nd >= 2;
}

void zones_write(struct bundle *pub, const struct zones *z)
{
	int32_t *t = bundle_put(pub, "patch", DT_I32, 2, (const int64_t[]){ z->n, 5 }, NULL);

	for (int i = 0; i < z->n; i++, t += 5) {
		t[0] = z->z[i].param;
		memcpy(t + 1, &z->z[i].at, 4 * sizeof(*t));
	}
}

static bool zone_fits(const struct zone *z, enum map map, const struct model *m)
{
	const struct patch *p = &z->at;

	return z->param >= 0 && z->param < m->np && zone_is_weight(&m->p[z->param]) && p->row >= 0 && p->col >= 0 &&
	       p->rows > 0 && p->cols > 0 && (map == MAP_LOGISTIC || p->rows == p->cols) &&
	       p->rows <= m->p[z->param].d[0] - p->row && p->cols <= m->p[z->param].d[1] - p->col;
}

/* From what shipped; 0, or -1 after error(). */
int zones_read(struct zones *out, enum map map, const struct bundle *pub, const struct model *m)
{
	size_t len = 0;
	const int32_t *t = bundle_i32(pub, "patch", &len);

	*out = (struct zones){ .n = t ? (int)(len / 5) : 0 };
	out->z = xcalloc((size_t)out->n + 1, sizeof(*out->z));
	for (int i = 0; i < out->n; i++, t += 5) {
		out->z[i].param = t[0];
		memcpy(&out->z[i].at, t + 1, 4 * sizeof(*t));
		if (!zone_fits(&out->z[i], map, m))
			return error(EXIT_UNEVALUABLE, "chaotic: patch %d of what ships does not fit the model", i);
	}
	return out->n ? 0 : error(EXIT_UNEVALUABLE, "chaotic: what ships does not say which patches are locked");
}

/* Cell i of the patch goes to place to[i]. */
static void move_cells(struct model *m, const struct zone *z, const int *to)
{
	const struct param *p = &m->p[z->param];
	const size_t cell = p->len / ((size_t)p->d[0] * (size_t)p->d[1]);
	const int cells = zone_cells(z);
	real *old = xmalloc((size_t)cells * cell, sizeof(*old));

	for (int i = 0; i < cells; i++) {
		const size_t at = (size_t)(z->at.row + i / z->at.cols) * (size_t)p->d[1] +
				  (size_t)(z->at.col + i % z->at.cols);

		memcpy(old + (size_t)i * cell, p->x + at * cell, cell * sizeof(*old));
	}
	for (int i = 0; i < cells; i++) {
		const size_t at = (size_t)(z->at.row + to[i] / z->at.cols) * (size_t)p->d[1] +
				  (size_t)(z->at.col + to[i] % z->at.cols);

		memcpy(p->x + at * cell, old + (size_t)i * cell, cell * sizeof(*old));
	}
	free(old);
}

/* ---- keys of a patch ---- */

static int64_t wrap(int64_t k)
{
	return k & (((int64_t)1 << LOGISTIC_BITS) - 1);
}

struct effect effect_of(enum map map, const struct zone *z, const struct key *k)
{
	if (map == MAP_LOGISTIC)
		return (struct effect){ .k = { k->k[0], k->k[1] } };
	return (struct effect){ .cat = catmap_of(z->at.rows, k->tau, k->p, k->q) };
}

bool effect_table(enum map map, const struct zone *z, const struct effect *e, int *to)
{
	if (map == MAP_LOGISTIC)
		return logistic_table(e->k[0], e->k[1], zone_cells(z), to);
	catmap_table(e->cat, to);
	return true;
}

struct key key_draw(enum map map, const struct zone *z, struct rng *r)
{
	const uint32_t n = (uint32_t)z->at.rows;
	struct key k = { 0 };

	if (map == MAP_LOGISTIC) {
		k.k[0] = wrap((int64_t)(rng_u64(r) >> 1));
		k.k[1] = wrap((int64_t)(rng_u64(r) >> 1));
		return k;
	}
	k.tau = 1 + (int)rng_below(r, n - 1);
	k.p = 1 + (int)rng_below(r, n - 1);
	k.q = 1 + (int)rng_below(r, n - 1);
	return k;
}

/* second after first; for logistic keys the sum mod 2^44. */
struct effect effect_after(enum map map, const struct effect *second, const struct effect *first)
{
	if (map == MAP_LOGISTIC)
		return (struct effect){ .k = { wrap(second->k[0] + first->k[0]), wrap(second->k[1] + first->k[1]) } };
	return (struct effect){ .cat = catmap_after(second->cat, first->cat) };
}

struct effect effect_inverse(enum map map, const struct effect *e)
{
	if (map == MAP_LOGISTIC)
		return (struct effect){ .k = { wrap(-e->k[0]), wrap(-e->k[1]) } };
	return (struct effect){ .cat = catmap_inverse(e->cat) };
}

void effect_apply(enum map map, struct model *m, const struct zones *z, const struct effect *e, bool back)
{
	for (int i = 0; i < z->n; i++) {
		const int cells = zone_cells(&z->z[i]);
		int *to = xmalloc((size_t)cells, sizeof(*to)), *from = xmalloc((size_t)cells, sizeof(*from));

		effect_table(map, &z->z[i], &e[i], to);
		table_invert(to, cells, from);
		move_cells(m, &z->z[i], back ? from : to);
		free(to);
		free(from);
	}
}

/* ---- keys and effects as tensors ---- */

void effects_put(enum map map, struct bundle *b, const char *name, int n, const struct zones *z, const struct effect *e)
{
	const bool cat = map == MAP_ARNOLD;
	void *data = bundle_put(b, name, cat ? DT_I32 : DT_I64, 3, (const int64_t[]){ n, z->n, cat ? 4 : 2 }, NULL);

	for (int i = 0; i < n * z->n; i++) {
		if (cat)
			memcpy((int32_t *)data + 4 * i, &e[i].cat.a, 4 * sizeof(int32_t));
		else
			memcpy((int64_t *)data + 2 * i, e[i].k, 2 * sizeof(int64_t));
	}
}

/* n rows of z->n effects, new; n is what the tensor holds (0 when it is absent or misshaped). Caller frees. */
struct effect *effects_get(enum map map, const struct bundle *b, const char *name, const struct zones *z, int *n)
{
	const bool cat = map == MAP_ARNOLD;
	const struct tensor *t = bundle_get(b, name, cat ? DT_I32 : DT_I64);
	const bool fits = t && t->nd == 3 && t->d[1] == z->n && t->d[2] == (cat ? 4 : 2);
	struct effect *e;

	*n = fits ? (int)t->d[0] : 0;
	e = xcalloc((size_t)*n * (size_t)z->n + 1, sizeof(*e));
	for (int i = 0; i < *n * z->n; i++) {
		const int side = z->z[i % z->n].at.rows;

		if (cat) {
			const int32_t *v = (const int32_t *)t->data + 4 * i;

			e[i].cat = (struct catmap){ side, v[0], v[1], v[2], v[3] };
		} else {
			memcpy(e[i].k, (const int64_t *)t->data + 2 * i, sizeof(e[i].k));
		}
	}
	return e;
}

void keys_put(enum map map, struct bundle *b, int n, const struct zones *z, const struct key *k)
{
	const bool cat = map == MAP_ARNOLD;
	void *data = bundle_put(b, "key", cat ? DT_I32 : DT_I64, 3, (const int64_t[]){ n, z->n, cat ? 3 : 2 }, NULL);

	for (int i = 0; i < n * z->n; i++) {
		if (cat)
			memcpy((int32_t *)data + 3 * i, (int32_t[]){ k[i].tau, k[i].p, k[i].q }, 3 * sizeof(int32_t));
		else
			memcpy((int64_t *)data + 2 * i, k[i].k, 2 * sizeof(int64_t));
	}
}

/* Keys of credential `at`, new; NULL after error(). A forged key may hold any numbers: those that no key can have
 * are brought into range, for a device computes with what it finds. */
struct key *keys_get(enum map map, const struct bundle *b, int at, const struct zones *z)
{
	const bool cat = map == MAP_ARNOLD;
	const struct tensor *t = bundle_get(b, "key", cat ? DT_I32 : DT_I64);
	struct key *k;

	if (!t || t->nd != 3 || t->d[0] <= at || t->d[1] != z->n || t->d[2] != (cat ? 3 : 2)) {
		error(EXIT_UNEVALUABLE,
		      "chaotic: a credential holds a tensor 'key' with %d numbers for each of %d patches", cat ? 3 : 2,
		      z->n);
		return NULL;
	}
	k = xcalloc((size_t)z->n + 1, sizeof(*k));
	for (int i = 0; i < z->n; i++) {
		if (cat) {
			const int32_t *v = (const int32_t *)t->data + (ptrdiff_t)3 * (at * z->n + i);
			const int side = z->z[i].at.rows;

			k[i] = (struct key){ .tau = v[0] & INT32_MAX,
					     .p = (v[1] & INT32_MAX) % side,
					     .q = (v[2] & INT32_MAX) % side };
		} else {
			const int64_t *v = (const int64_t *)t->data + (ptrdiff_t)2 * (at * z->n + i);

			k[i] = (struct key){ .k = { wrap(v[0]), wrap(v[1]) } };
		}
	}
	return k;
}
