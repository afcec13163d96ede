/* Optimisers, schedules, and the training loop. */
#ifndef LB_NN_TRAIN_H
#define LB_NN_TRAIN_H

#include "base/rng.h"
#include "nn/model.h"

enum optim_kind { OPTIM_SGD, OPTIM_ADAM };
enum schedule_kind { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE };

struct train_conf {
	int epochs, batch;
	int optimizer;        /* enum optim_kind */
	double lr;
	double momentum;      /* SGD */
	int nesterov;
	double weight_decay;  /* L2, added to the gradient as PyTorch's SGD and Adam do */
	int schedule;         /* enum schedule_kind */
	int step_epochs;      /* SCHEDULE_STEP: every so many epochs ... */
	double step_gamma;    /* ... the rate is multiplied by this */
	int crop_pad;         /* augmentation: random crop after zero-padding by so many pixels; 0: none */
	int flip;             /* 1: random horizontal flip */
	double smoothing;     /* label smoothing */
	int init;             /* enum init_kind: where a training from scratch starts */
};
/* The rows of train_conf: shared by `train`, the job's recipe and drivers that train. */
extern const struct opt train_opts[];
/* The recipe that suits an architecture (lenet5, mlp: Adam 2e-3 cosine; cae, unet: Adam 1e-3; wrn10, wrn10t: SGD 0.1 Nesterov cosine, crop 4,
 * and flip of colour images). */
void train_recipe(struct train_conf *c, const struct model_spec *s);

/* An optimiser over the model's flat array; frozen parameters are left alone. */
struct optim;
struct optim *optim_new(struct model *m, const struct train_conf *c);
void optim_step(struct optim *o, double lr); /* uses m->g, does not clear it */
void optim_free(struct optim *o);
/* Learning rate at (epoch + done), done in [0,1): step changes between epochs, cosine within. */
double schedule_lr(const struct train_conf *c, int epoch, double done);

/* Adam on a bare array (an input, a mask): x -= step. m1, m2: zeroed n numbers; t: 1, 2, ... */
void adam_update(real *x, const real *g, real *m1, real *m2, size_t n, double lr, int t);

/* What train() reads its batches with, for loops of a driver's own: images at[0 .. n-1] (positions in the view) as a
 * batch node, cropped and mirrored as c says. Image i of epoch e draws from (augment, e, i), whatever its batch. */
struct node *train_gather(struct tape *t, const struct images *v, const struct train_conf *c, struct rng_key augment,
			  int epoch, const int *at, int n);

struct train_hooks {
	void *ctx;
	/* After the batch's backward, before the step: add a term's gradient to m->g; returns the term's value. NULL: none. */
	double (*extra_loss)(void *ctx, struct model *m);
	/* After each epoch (1-based). Non-zero stops training early without error. NULL: none. */
	int (*epoch_end)(void *ctx, struct model *m, int epoch, double loss, double accuracy);
	/* The mean loss of a batch's logits in place of the cross entropy; at: (n) positions in the view. The labels still count for the
	 * reported accuracy. NULL: cross entropy. */
	struct node *(*loss)(void *ctx, struct node *logits, const int *at, int n);
	/* Batch norm keeps its running statistics and uses them, as at inference (training a last layer on fixed features). */
	bool still;
	/* A further term of the batch's loss, a plain scalar on x's tape; label: classes of x's images. NULL: none. */
	struct node *(*term)(void *ctx, struct model *m, struct node *x, const int *label);
};
struct train_stats {
	double loss, accuracy;      /* of the last epoch, running, on augmented training batches */
	double forward_equivalents; /* forward 1 + backward 2, per image */
	long steps;
};
/* Minimise the mean cross entropy (soft labels when v->soft) over v. Order: (seed, "shuffle", epoch); augmentation:
 * (seed, "augment", epoch, image). The last short batch is used too. label: shown by the progress bar, NULL: no bar.
 * The extra term counts in the reported loss; a frozen parameter's gradient may be added to, it changes nothing.
 * hooks, stats may be NULL. 0, or -1 after error() (interrupted; diverged: the loss or a weight is not finite;
 * images or labels that do not fit the model). */
int train(struct model *m, const struct images *v, const struct train_conf *c, uint64_t seed, const char *label,
	  const struct train_hooks *hooks, struct train_stats *stats);

#endif
