/* The engine's number. float in the product; the same sources are compiled once more with NN_DOUBLE
 * for gradient checks, so that an op's backward is tested against finite differences in double. */
#ifndef LB_NN_REAL_H
#define LB_NN_REAL_H

#ifdef NN_DOUBLE
typedef double real;
#define REAL_BYTES 8
#else
typedef float real;
#define REAL_BYTES 4
#endif

/* Images are stored in groups of LANES: one vector register holds the same pixel of LANES images.
 * A constant of the engine version: tiles of work, hence every bit of a result, depend on it. */
#define LANES 16
#define GROUPS(n) (((n) + LANES - 1) / LANES)

/* Raised whenever the bits of a result can change; part of every key. */
#define ENGINE_VERSION 3

#endif
