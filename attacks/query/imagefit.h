/* Fit a network that turns images into images (an autoencoder, a surrogate encoder) to pairs of images. */
#ifndef LB_ATTACKS_QUERY_IMAGEFIT_H
#define LB_ATTACKS_QUERY_IMAGEFIT_H

#include "nn/images.h"
#include "nn/model.h"

struct imagefit_conf {
	int epochs, batch;
	double lr;    /* Adam's */
	double noise; /* standard deviation of what is added to the input, clipped to [0,1] (a denoising autoencoder); 0: none */
};

/* Minimise the mean squared error between m(x + noise) and y over n pairs (x, y have as many images; y may be x: an autoencoder).
 * Order: (seed, "shuffle", epoch); noise: (seed, "denoise", epoch, image). *loss: the last epoch's mean; *fe: forward
 * equivalents are added. label: of the progress bar, NULL: silent. 0, or -1 after error() (interrupted, diverged, shapes). */
int imagefit(struct model *m, const struct images *x, const struct images *y, const struct imagefit_conf *c, uint64_t seed,
	     const char *label, double *loss, double *fe);

#endif
