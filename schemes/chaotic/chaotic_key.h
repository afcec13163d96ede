/* What chaotic.c's keys are made of: patches of weights whose cells move, keys, what they amount to, and all three
 * as tensors. A cell is a kernel of a convolution or one weight of a linear layer; it moves whole. For an attack on
 * the scheme as well. */
#ifndef LB_SCHEMES_CHAOTIC_CHAOTIC_KEY_H
#define LB_SCHEMES_CHAOTIC_CHAOTIC_KEY_H

#include "base/rng.h"
#include "nn/bundle.h"
#include "nn/model.h"
#include "schemes/chaotic/chaotic_map.h"

enum map { MAP_ARNOLD, MAP_LOGISTIC };

/* Rows and columns `at` of the outputs x inputs matrix of cells of m->p[param]. */
struct zone {
	int param;
	struct patch at;
};
struct zones {
	struct zone *z;
	int n;
};
bool zone_is_weight(const struct param *p);
int zone_cells(const struct zone *z);
/* Tensor "patch" i32 (T,5): parameter, row, col, rows, cols. Reading checks them against m: 0, or -1 after error(); the
 * caller frees out->z in both cases. */
void zones_write(struct bundle *pub, const struct zones *z);
int zones_read(struct zones *out, enum map map, const struct bundle *pub, const struct model *m);

/* A key of one patch as its holder stores it: rounds and matrix of the cat map, or the two numbers of the logistic
 * map. */
struct key {
	int tau, p, q;
	int64_t k[2];
};
/* What it amounts to: an element of SL2(Z_n), or of Z_2^44 x Z_2^44; groups in which keys are put together. */
struct effect {
	struct catmap cat;
	int64_t k[2];
};
struct key key_draw(enum map map, const struct zone *z, struct rng *r); /* weak ones, too */
struct effect effect_of(enum map map, const struct zone *z, const struct key *k);
struct effect effect_after(enum map map, const struct effect *second, const struct effect *first);
struct effect effect_inverse(enum map map, const struct effect *e);
/* Where the cells go (zone_cells() numbers); false: a logistic orbit that runs in a circle. */
bool effect_table(enum map map, const struct zone *z, const struct effect *e, int *to);
/* Move the cells of every patch as e says (z->n of them), or back. Exact. */
void effect_apply(enum map map, struct model *m, const struct zones *z, const struct effect *e, bool back);

/* n rows of z->n effects: i32 (n,T,4) or i64 (n,T,2). get: new, the caller frees; *n 0 when absent or misshaped. */
void effects_put(enum map map, struct bundle *b, const char *name, int n, const struct zones *z,
		 const struct effect *e);
struct effect *effects_get(enum map map, const struct bundle *b, const char *name, const struct zones *z, int *n);
/* Tensor "key" of n credentials: i32 (n,T,3) or i64 (n,T,2). get: those of credential `at`, brought into range, for
 * a device computes with what it finds; new, the caller frees; NULL after error(). */
void keys_put(enum map map, struct bundle *b, int n, const struct zones *z, const struct key *k);
struct key *keys_get(enum map map, const struct bundle *b, int at, const struct zones *z);

#endif
