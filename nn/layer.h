/* Layers the architectures share. Each has two halves: layer_add_X() adds its parameters "NAME.weight", "NAME.bias"
 * while a model is built, layer_X() runs it in forward(). The names, shapes and initial values are PyTorch's. */
#ifndef LB_NN_LAYER_H
#define LB_NN_LAYER_H

#include "nn/model.h"

#define LAYER_NORM_EPS ((real)1e-5) /* added to a variance; PyTorch's default */

/* pixels: rows times columns of the output (of the input for a transposed convolution), for model_macs(). */
void layer_add_conv(struct model *m, const char *name, int out, int in, int k, int pixels, bool bias);
void layer_add_conv_transpose(struct model *m, const char *name, int in, int out, int k, int pixels);
void layer_add_linear(struct model *m, const char *name, int out, int in, bool bias);
/* Batch norm has trained parameters and running statistics; buffers come after all parameters, hence two calls. */
void layer_add_norm(struct model *m, const char *name, int c);
void layer_add_norm_buffers(struct model *m, const char *name, int c);

struct node *layer_conv(struct model *m, struct node *x, const char *name, int stride, int pad);
struct node *layer_conv_transpose(struct model *m, struct node *x, const char *name, int stride);
struct node *layer_linear(struct model *m, struct node *x, const char *name);
struct node *layer_norm(struct model *m, struct node *x, const char *name, bool train);
struct node *layer_norm_relu(struct model *m, struct node *x, const char *name, bool train); /* and a ReLU behind it */

#endif
