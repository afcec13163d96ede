/* A bundle: named tensors and string metadata in one safetensors file. Artefacts (models, secrets,
 * credentials, what is shipped) and attacks' products are bundles.
 *
 * File: 8-byte little-endian header length, JSON header {"name":{"dtype","shape","data_offsets"},"__metadata__"},
 * then the tensors back to back. We write the header's names sorted and the tensors without gaps, widest dtype first (each
 * then lies on a multiple of its element's size, as PyTorch's loader wants) and by name within, so equal bundles are equal bytes.
 * Reading is strict: header at most 16 MiB, known dtypes, no overlap, no gap, no bytes left over, names of 1 to 255 bytes. */
#ifndef LB_NN_BUNDLE_H
#define LB_NN_BUNDLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum dtype { DT_F32, DT_F64, DT_U8, DT_I32, DT_I64 };

struct tensor {
	char *name;
	enum dtype dtype;
	int nd;
	int64_t d[6];
	size_t len;   /* elements */
	void *data;   /* owned by the bundle */
};

struct bundle {
	struct tensor *t; /* sorted by name */
	int nt;
	json_t *meta;     /* object of strings; never NULL after bundle_init */
};

void bundle_init(struct bundle *b);
void bundle_release(struct bundle *b);
struct bundle *bundle_new(void);
void bundle_free(struct bundle *b); /* NULL is fine */
struct bundle *bundle_copy(const struct bundle *b);

/* Add or replace a tensor with a copy of data (NULL: zeroed); returns its data. */
void *bundle_put(struct bundle *b, const char *name, enum dtype t, int nd, const int64_t *d, const void *data);
/* Shorthands for one dimension. */
float *bundle_put_f32(struct bundle *b, const char *name, int64_t n, const float *data);
int32_t *bundle_put_i32(struct bundle *b, const char *name, int64_t n, const int32_t *data);
uint8_t *bundle_put_u8(struct bundle *b, const char *name, int64_t n, const uint8_t *data);
void bundle_remove(struct bundle *b, const char *name);
/* NULL when absent or of another dtype. */
const struct tensor *bundle_get(const struct bundle *b, const char *name, enum dtype t);
const float *bundle_f32(const struct bundle *b, const char *name, size_t *len);
const int32_t *bundle_i32(const struct bundle *b, const char *name, size_t *len);
const uint8_t *bundle_u8(const struct bundle *b, const char *name, size_t *len);
/* Metadata strings and numbers (17 digits). */
void bundle_meta(struct bundle *b, const char *key, const char *value);
void bundle_meta_num(struct bundle *b, const char *key, double v);
const char *bundle_meta_get(const struct bundle *b, const char *key); /* NULL when absent */
double bundle_meta_getnum(const struct bundle *b, const char *key, double def);

#define BUNDLE_FILE_LIMIT ((size_t)8 << 30) /* no file is larger */
/* Serialise; caller frees. */
void *bundle_encode(const struct bundle *b, size_t *len);
/* NULL after error() naming `where`. */
struct bundle *bundle_decode(const void *data, size_t len, const char *where);
int bundle_save(const struct bundle *b, const char *path); /* atomic */
struct bundle *bundle_load(const char *path);
void bundle_hash(const struct bundle *b, char out[65]); /* SHA-256 of bundle_encode */
size_t dtype_size(enum dtype t);

#endif
