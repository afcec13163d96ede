/* A network's parameter or running statistic: a view into its model's flat arrays. */
#ifndef LB_NN_PARAM_H
#define LB_NN_PARAM_H

#include "nn/real.h"
#include <stdbool.h>
#include <stddef.h>

#define PARAM_NAME_MAX 64

struct param {
	char name[PARAM_NAME_MAX]; /* "conv1.weight" */
	int nd, d[4];     /* shape, trailing 1s; conv (O,I,kh,kw), linear (O,I), bias and batch norm (C) */
	size_t len;       /* numbers */
	real *x, *g;      /* into the model's flat arrays; g NULL for buffers */
	bool buffer;      /* a running statistic: saved, never trained */
	bool frozen;      /* no gradient, not updated */
	long uses;        /* times one image's forward pass multiplies with each number: output pixels of a
	                   * convolution, 1 of a linear layer, 0 of biases and batch norm; for model_macs() */
};

#endif
