/* The rows of `make bench`. A row runs in a process of its own, so that its peak memory is its own, on synthetic images (always
 * there) and through the functions that experiments call. */
#ifndef LB_BENCH_SPEED_JOB_H
#define LB_BENCH_SPEED_JOB_H

#include "bench/speed/meter.h"
#include "nn/images.h"
#include "nn/model.h"

#define SPEED_BATCH 128
#define SPEED_RESIDENT 60000 /* images in memory while LeNet-5 trains */

struct job {
	const char *name;  /* as it is typed and recorded */
	const char *unit;  /* what is counted: "images", "image-its" (images times iterations), "pairs" of images */
	const char *model; /* as model_spec_parse() takes it, NULL: none */
	int colour;        /* 1: 3x32x32, 0: 1x28x28 */
	double passes;     /* forward passes' work a unit is counted as: 1 inference, 2 with an input gradient, 3 training */
	/* Work for ever: meter_tick() ends the process. Returns only with -1 after error(). */
	int (*run)(const struct job *j, struct meter *m);
};
extern const struct job speed_jobs[]; /* ends with a zero row */

int run_train(const struct job *j, struct meter *m);       /* train(), bytes to weights */
int run_train_image(const struct job *j, struct meter *m); /* autoencoders: the loop their users write, on train_gather() */
int run_infer(const struct job *j, struct meter *m);
int run_cw(const struct job *j, struct meter *m);
int run_pgd(const struct job *j, struct meter *m);
int run_locked(const struct job *j, struct meter *m);
int run_jpeg(const struct job *j, struct meter *m);
int run_ssim(const struct job *j, struct meter *m);

/* n of the synthetic images (repeated when there are fewer) as bytes: 1x28x28, or 3x32x32 with a margin. Never freed.
 * 0, or -1 after error(). */
int speed_images(struct images *v, int n, int colour);
/* A new model for them; NULL after error(). */
struct model *speed_model(const char *name, int colour);

#endif
