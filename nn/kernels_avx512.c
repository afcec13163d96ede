/* The kernels for processors with avx512 and FMA; the Makefile sets the instruction set for this file alone. */
#define VBYTES 64
#define KERNELS kernels_avx512
#define KISA "avx512"
#define KFAMILY "fma"
#define CONV_BLOCKS 1

#include "nn/kernels.inc"
