/* A surrogate's class is not enough where a service looks at confidences: its own have to be those of its teacher.
 *
 * Source: Guo et al., "On calibration of modern neural networks", ICML 2017. Differs: fitted to a teacher's answers instead of labels. */
#ifndef LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_TEMPERATURE_H
#define LB_ATTACKS_LOGIN_FORGE_ADAPTIVE_TEMPERATURE_H

#include "attacks/attack.h"

/* The temperature from 0.1 to 10 by which m's logits must be divided to answer v as in probs (n, classes): least cross entropy. NAN after
 * error(). */
double temperature_of(struct model *m, const struct images *v, const float *probs);
/* Divides m's last layer by it, on so many of the validation images as `teacher` (surrogate.h) can be asked about; notes gets
 * surrogate_temperature (1 where none). Charged. 0, or -1 after error(). */
int temperature_match(struct access *a, int teacher, int images, struct model *m, json_t *notes);

#endif
