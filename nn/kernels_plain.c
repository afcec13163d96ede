/* The kernels for any x86-64 (SSE2, no fused multiply-add); the Makefile sets the instruction set for this file alone. */
#define VBYTES 16
#define KERNELS kernels_plain
#define KISA "plain"
#define KFAMILY "plain"
#define CONV_BLOCKS 0

#include "nn/kernels.inc"
