/* The kernels for processors with avx2 and FMA; the Makefile sets the instruction set for this file alone. */
#define VBYTES 32
#define KERNELS kernels_avx2
#define KISA "avx2"
#define KFAMILY "fma"
#define CONV_BLOCKS 0

#include "nn/kernels.inc"
