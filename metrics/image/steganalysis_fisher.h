/* Fisher's linear discriminant, for detectors with more features than examples. */
#ifndef LB_METRICS_IMAGE_STEGANALYSIS_FISHER_H
#define LB_METRICS_IMAGE_STEGANALYSIS_FISHER_H

/* w (d) such that w.x is larger for the second class: (S + ridge I)^-1 (mean of y - mean of x), S the pooled within-class
 * covariance of features that were divided by their pooled standard deviation; a feature that never varies gets weight 0. x
 * (m, d), y (n, d), row-major; m, n >= 2; ridge > 0. Source: Fisher, Annals of Eugenics 7 (1936); the ridge as in Friedman,
 * JASA 84 (1989). */
void fisher_train(const double *x, int m, const double *y, int n, int d, double ridge, double *w);

#endif
