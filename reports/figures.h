/* The figures of a report: which numbers go into which plot. All return an <svg> that the caller frees, or NULL: nothing worth a
 * plot (no error()), or after error() by plot.h. */
#ifndef LB_REPORTS_FIGURES_H
#define LB_REPORTS_FIGURES_H

#include "reports/rows.h"

/* One metric over the strength of an attack variant, one line a scheme, with intervals. NULL when fewer than two
 * strengths have numbers. */
char *figure_curve(struct rows *r, int context, int series, const char *metric, const char *id);
/* Top confidences of clean test images and of what forging attacks submit, as shares of images. */
char *figure_confidence(struct rows *r, int context, int scheme, const char *id);
/* Does the scheme have the series for that? */
int figure_has_confidence(struct rows *r, int context, int scheme);

#endif
