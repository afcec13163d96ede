/* Stacked credentials: rows of a bundle whose tensors have the number of credentials as first dimension, but for
 * those named "shared_...", which belong to each. */
#ifndef LB_SCHEMES_KIT_CREDS_H
#define LB_SCHEMES_KIT_CREDS_H

#include "nn/bundle.h"
#include "nn/images.h"
#include <stdbool.h>
#include <stdint.h>

/* How many credentials b holds; 0 when it has no tensors. */
int creds_count(const struct bundle *b);
/* The rows row[0..n) of b as a bundle of their own (caller frees). A bookkeeping tensor of enrolment ("ok", "tries") is
 * dropped unless all is set: whoever presents a credential does not hold it. */
struct bundle *creds_rows(const struct bundle *b, const int *row, int n, bool all);
struct bundle *creds_range(const struct bundle *b, int first, int n);
/* Write credential i of n in out: a tensor of it alone, whose first dimension is 1. */
void creds_put(struct bundle *out, int i, int n, const struct tensor *t);
/* n images x (n, c*h*w) as credentials (caller frees). */
struct bundle *creds_images(const float *x, int n, int c, int h, int w);
/* n credentials of the form of b (tensors' types and shapes) with random content: what somebody tries who knows the
 * form only. */
struct bundle *creds_random(const struct bundle *b, int n, uint64_t seed);
/* Does a credential of b consist of an image? */
bool creds_are_images(const struct bundle *b);
/* Do both have the same tensors but for their first dimension? A service refuses what is malformed. */
bool creds_same_form(const struct bundle *a, const struct bundle *b);
/* The images of b as a view, borrowed. */
struct images creds_view(const struct bundle *b, int classes);
/* Was credential i made well? true when b does not say. */
bool creds_ok(const struct bundle *b, int i);
/* Bytes of one credential as its holder stores it: what the driver said, else its tensors' without the bookkeeping. */
double creds_bytes(const struct bundle *b);

#endif
