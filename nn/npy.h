/* NumPy .npy arrays, version 1.0 to write, 1.0-3.0 to read; C order, little-endian float32 or uint8. */
#ifndef LB_NN_NPY_H
#define LB_NN_NPY_H

#include <stddef.h>
#include <stdint.h>

/* Atomic; 0, or -1 after error(). dtype: 'f' float32, 'u' uint8. */
int npy_save(const char *path, char dtype, int nd, const int64_t *d, const void *data);
/* nd at most 6. Converts nothing: *dtype says what was found. Caller frees. NULL after error(). */
void *npy_load(const char *path, char *dtype, int *nd, int64_t d[6]);
void *npy_decode(const void *file, size_t len, const char *where, char *dtype, int *nd, int64_t d[6]);

#endif
