/* NumPy .npy arrays of float32 or uint8. Version 1.0, little-endian, C order to write; 1.0-3.0, either endian and
 * either order to read, also as Python 2 and writers other than NumPy have them. */
#ifndef LB_NN_NPY_H
#define LB_NN_NPY_H

#include <stddef.h>
#include <stdint.h>

/* Atomic; 0, or -1 after error(). dtype: 'f' float32, 'u' uint8. */
int npy_save(const char *path, char dtype, int nd, const int64_t *d, const void *data);
/* nd at most 6; the array in C order. *dtype says what was found, other types are refused by their name. Caller frees.
 * NULL after error(). */
void *npy_load(const char *path, char *dtype, int *nd, int64_t d[6]);
void *npy_decode(const void *file, size_t len, const char *where, char *dtype, int *nd, int64_t d[6]);

#endif
