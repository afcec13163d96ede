/* Gates whose credentials are images: an `if` beside the network lets in whoever presents the right one. The scheme
 * has the hook `judge`, which looks at one image, and takes as its hook `authenticate` one of the functions below;
 * queries are then answered by service_query(). What is no image (numbers outside [0,1]), and whoever was revoked
 * (users.h), is refused without asking, with the score scheme.worst. */
#ifndef LB_SCHEMES_KIT_GATE_H
#define LB_SCHEMES_KIT_GATE_H

#include "schemes/scheme.h"

/* struct scheme.lock of gates beside a network that stays as it is. */
int gate_lock(const struct lock_env *e, const void *conf, struct locked *l);

/* struct scheme.authenticate. by_answers: judge() sees the image and what the network makes of it, as probabilities
 * of all its outputs; by_images: the image alone. */
int gate_by_answers(const struct service *s, const struct bundle *creds, int n, struct auth *out);
int gate_by_images(const struct service *s, const struct bundle *creds, int n, struct auth *out);

/* What the refused get: uniformly random classes as one-hot rows, n rows of `classes`, from the stream (nonce,
 * "gate-deny"). */
void gate_deny(uint64_t nonce, int n, int classes, float *probs);

#endif
