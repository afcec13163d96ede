/* What a client adds to an image, foretold from pairs of an image and what a client made of it.
 *
 *   single   as in the first pair
 *   mean     averaged over all pairs
 *   nearest  as in the pair whose image is closest in Euclidean distance
 *   filter   a 5x5 convolution of the image (for each pair of channels, and a constant), fitted by ridge regression
 *   pca      a combination of the pairs' first `rank` principal components, its weights linear in the image, by ridge regression
 *
 * Source: single as in the survey of active authorization control (2021), section IV. Differs: the others are ours. */
#ifndef LB_ATTACKS_QUERY_REPLAY_RESIDUAL_H
#define LB_ATTACKS_QUERY_REPLAY_RESIDUAL_H

#include "nn/bundle.h"
#include "nn/images.h"

enum residual_method { RESIDUAL_SINGLE, RESIDUAL_MEAN, RESIDUAL_NEAREST, RESIDUAL_FILTER, RESIDUAL_PCA };

/* From pairs (at least one; filter and pca look at the first 200) into kept: "plain" and "residual" f32 (pairs, c*h*w), and "filter" f32
 * (c, 25 c + 1) or "dual" f32 (pairs, c*h*w), whose rows are weighted by how like each pair's image is. */
void residual_fit(int method, int rank, const struct images *plain, const struct images *keyed, struct bundle *kept);
/* residual (c*h*w) of an image img of v's shape; method as it was fitted. */
void residual_of(const struct bundle *kept, int method, const float *img, const struct images *v, double *residual);

#endif
