/* Auto-PGD: projected gradient ascent with momentum, whose steps are halved where they do not help. Croce and Hein, ICML 2020, turned towards a
 * wanted class.
 * Differs: targeted, so the runner-up stands in DLR where the true class is. */
#ifndef LB_ATTACKS_KIT_EVASION_APGD_H
#define LB_ATTACKS_KIT_EVASION_APGD_H

#include <stdbool.h>

#include "nn/model.h"

/* What is raised: log P_t, or the margin of t over the spread of the largest logits, which does not care how they are scaled (DLR). */
enum apgd_loss { APGD_CE, APGD_DLR };
/* `steps` steps for each of n images x (n, c*h*w) towards output y[i], within eps of where it is. Images that get there are replaced, and done
 * (n); those that were done are left alone. *fe grows by the forward equivalents spent. 0, or -1 after error(). */
int apgd(struct model *m, float *x, const int *y, int n, double eps, int steps, enum apgd_loss loss, bool *done, double *fe);

#endif
