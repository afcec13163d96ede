/* Models: parameters in one flat array, with PyTorch's names and layouts, and a forward function.
 *
 * A model's parameters (trained) and buffers (running statistics) live in one array, parameters first, so
 * optimisers, pruning, distances and saving are single loops. An architecture is a driver: adding one is its
 * build and forward function and a line in networks/list.def. */
#ifndef LB_NN_MODEL_H
#define LB_NN_MODEL_H

#include "base/driver.h"
#include "nn/param.h"
#include "nn/tape.h"
#include <stdint.h>

/* Whose default initial values: PyTorch's kaiming uniform with a = sqrt 5, or Keras' Glorot uniform with zero biases, whose weights
 * are about twice as large in LeNet-5 (what magnitude pruning does to a mark depends on it). Architectures that bring
 * their own rule for convolutions (WRN: He normal) keep it. */
enum init_kind { INIT_TORCH, INIT_KERAS };

struct model;
struct arch {
	struct driver drv; /* must be first; no options: the spec says all */
	/* Add the parameters for m->spec with model_param(); 0, or -1 after error() when the spec does not fit. */
	int (*build)(struct model *m);
	/* x: batch node (spec.c,h,w). Returns the logits (classes,1,1), or for image-to-image models the output
	 * image. train: batch statistics in batch norm. */
	struct node *(*forward)(struct model *m, struct node *x, bool train);
	int width;      /* the default of spec.width; 0: the architecture has no width */
	bool image;     /* forward returns an image (spec.classes,h,w) instead of logits */
	bool he_normal; /* convolutions start from N(0, 2 / (O kh kw)) instead of PyTorch's default */
};
extern const struct driver *const archs[]; /* sorted by name, NULL-terminated */

struct model_spec {
	char arch[32];  /* "lenet5", "lenet5n", "wrn10", "wrn10t", "mlp", "cae", "unet", ... */
	int c, h, w;    /* input */
	int classes;    /* outputs; of image-to-image models: output channels */
	int width;      /* WRN's k, MLP's hidden units, base channels of cae and unet; 0: the architecture's default */
};

/* What a scheme may do to a forward pass without an architecture of its own. Borrowed by the model; copies have none. */
struct model_hooks {
	void *ctx;
	/* What stands for parameter `name`, which may be computed from others (gradients flow); NULL: the parameter. May be NULL. */
	struct node *(*param)(void *ctx, struct model *m, struct tape *t, const char *name);
	/* Sees every convolution, linear layer and norm as it is run (stride 1, pad 0 but for convolutions). May be NULL. */
	void (*layer)(void *ctx, const char *name, const struct node *in, const struct node *out, int stride, int pad);
};

struct model {
	struct model_spec spec;
	const struct arch *arch;
	struct param *p;
	int np;
	real *x, *g;       /* all values; all gradients (parameters only) */
	size_t nx, ng;     /* numbers in x (with buffers) and in g (parameters) */
	const struct model_hooks *hooks; /* NULL: none */
};

/* "lenet5", "wrn10-4" (k after the dash), "mlp-256": fills arch and width (the default width when the name
 * has none) and leaves the rest alone; -1 after error(). */
int model_spec_parse(struct model_spec *s, const char *name);
/* "wrn10-4"; buf of at least 48 bytes. */
const char *model_spec_name(const struct model_spec *s, char *buf);

/* New model, parameters initialised from (seed, "init"): PyTorch's defaults for the layer
 * (kaiming uniform with a = sqrt 5 for conv and linear, 1/sqrt(fan_in) biases; He normal for WRN convs).
 * NULL after error(). */
struct model *model_new(const struct model_spec *s, uint64_t seed);
struct model *model_new_init(const struct model_spec *s, enum init_kind init, uint64_t seed);
struct model *model_copy(const struct model *m);
void model_free(struct model *m);
struct param *model_find(const struct model *m, const char *name); /* NULL when absent */
/* For build(): parameters must be added before buffers; shape d1..d3 0 when unused. A bias follows its weight. The
 * result may move when the next one is added, and has no x and g before build() is over. Layers: nn/layer.h. */
struct param *model_param(struct model *m, const char *name, int d0, int d1, int d2, int d3);
struct param *model_buffer(struct model *m, const char *name, int d0);
/* For nn/model_checkpoint.c: a model that has shapes but no numbers (NULL after error()), and its numbers, zeroed. */
struct model *model_shapes(const struct model_spec *s);
void model_allocate(struct model *m);
/* For forward(): node of a parameter by name (BUG when absent), or what a hook puts in its place. */
struct node *model_node(struct model *m, struct tape *t, const char *name);
void model_zero_grad(struct model *m);
size_t model_params(const struct model *m); /* trained numbers */
/* Multiply-accumulates of one image's forward pass, counted from the layers' shapes. */
double model_macs(const struct model *m);
/* SHA-256 over names, shapes and values as float32 little-endian. */
void model_hash(const struct model *m, char out[65]);

/* Safetensors, float32, PyTorch's names; metadata: format "pt", plus arch, width, c, h, w, classes. Atomic.
 * extra: further metadata (string members) or NULL. 0, or -1 after error(). */
int model_save(const struct model *m, const char *path, json_t *extra);
/* Strict: unknown, missing or misshaped tensors, non-finite values are errors naming file and tensor (only PyTorch's
 * *.num_batches_tracked is passed over). spec NULL: taken from the metadata; else metadata, where present, must
 * agree. NULL after error(). */
struct model *model_load(const char *path, const struct model_spec *spec);
/* The same as part of a bundle: tensors "PREFIXconv1.weight", metadata "PREFIXarch", ...; a reader takes what bears its
 * prefix and no more (prefix "": the whole bundle). model_take(): NULL after error(). */
struct bundle;
void model_put(const struct model *m, const char *prefix, struct bundle *b);
struct model *model_take(const struct bundle *b, const char *prefix, const struct model_spec *spec);

/* Threads that may run m's forward pass side by side over n images, each on a tape of its own, when called here: 1 in a tile, 1 where
 * the model has hooks, at most one a group of LANES. */
int model_workers(const struct model *m, int n);
/* work(ctx, t, first, n) for images first .. first+n-1 of `images`, batch after batch, side by side where model_workers() allows it: t is the
 * thread's own tape, fresh, without gradients of parameters and with the weights kept, so m must stay as it is. What work does may depend
 * on neither order nor batch. 0, or -1 after error() (interrupted). */
typedef void model_work(void *ctx, struct tape *t, int first, int n);
int model_batches(const struct model *m, int images, model_work *work, void *ctx);
/* Logits (or output images) of n images: out (v->n, outputs) row-major float32. In batches inside.
 * 0, or -1 after error() (interrupted; images of another shape than the model's). */
int model_predict(struct model *m, const struct images *v, float *out);
/* Softmax of the same. */
int model_predict_probs(struct model *m, const struct images *v, float *out);
/* argmax of n rows of k; ties go to the smaller index. */
void argmax_rows(const float *rows, int n, int k, int *out);
/* In place: 1 at each row's largest entry, 0 elsewhere. */
void one_hot_rows(float *rows, int n, int k);
/* In place softmax of n rows of k. */
void softmax_rows(float *rows, int n, int k);
/* correct[i] = 1 when the prediction of image i is its label; returns the number correct, -1 after error(). */
int model_correct(struct model *m, const struct images *v, unsigned char *correct);
/* Numbers the model returns for one image (classes, or c*h*w of an output image). */
int model_outputs(const struct model *m);

#endif
