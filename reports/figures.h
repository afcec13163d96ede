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
/* Detection error trade-off of an attack's detector, one line a scheme: clean images flagged against credentials missed, all seeds'
 * scores together. series -1: of authentication, impostors (who make no effort) accepted against users rejected. NULL when no cell has
 * scores, or every curve has fewer than two points within the axes. */
char *figure_det(struct rows *r, int context, int series, const char *id);
/* What attacks achieve against one scheme over their strength, as a share of the strongest that was tried (the number that
 * table_heat() shows): attacks number first .. first + FIGURE_LINES - 1 of those that have two strengths with numbers. NULL: none left. */
#define FIGURE_LINES 7
char *figure_scheme(struct rows *r, int context, int scheme, int first, const char *id);
/* Does the scheme have the series for that? */
int figure_has_confidence(struct rows *r, int context, int scheme);

#endif
