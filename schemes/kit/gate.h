/* What the schemes share that put an `if` beside the network: reading image credentials, the answer that
 * unauthorised users get, and the list of revoked users. */
#ifndef LB_SCHEMES_KIT_GATE_H
#define LB_SCHEMES_KIT_GATE_H

#include "nn/bundle.h"
#include "nn/model.h"
#include <stdbool.h>

/* The tensor "image" (n,c,h,w) of creds, which must hold at least n images of the model's input shape; borrowed.
 * NULL after error(). */
const float *gate_images(const struct bundle *creds, const struct model_spec *s, int n);
/* Is it an image at all: every number in [0,1]? A service refuses anything else before it looks further. */
bool gate_usable(const float *image, int len);

/* Uniformly random classes as one-hot rows, n rows of `classes`, from the stream (nonce, "gate-deny"). */
void gate_deny(uint64_t nonce, int n, int classes, float *probs);

/* Users refused from now on: tensor "revoked" i32 of pub, ascending. */
void gate_revoke(struct bundle *pub, int user);
bool gate_revoked(const struct bundle *pub, int user);

#endif
