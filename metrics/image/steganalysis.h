/* Does it show that something is hidden in images? Detectors of metrics.md 5.1, each with what it scores; larger: more
 * suspicious. They look at 8-bit images; others are rounded first. */
#ifndef LB_METRICS_IMAGE_STEGANALYSIS_H
#define LB_METRICS_IMAGE_STEGANALYSIS_H

#include <stdint.h>

#include "nn/images.h"

enum steg_detector { STEG_CHI2, STEG_RS, STEG_SPAM162, STEG_SPAM686, STEG_DETECTORS };
extern const char *const steg_names[STEG_DETECTORS]; /* "chi2", "rs", "spam162", "spam686" */

struct steg_result {
	double auc;   /* chance that a suspect image scores above a clean one; 0.5: nothing shows. Concealment is 1 - 2 |auc - 0.5| */
	double error; /* P_E: smallest (false alarms + misses) / 2 over thresholds */
	int trained, tested; /* images of each kind a split trains on (0: the detector needs no training) and is tested on */
};

/* Tell `suspect` images from `clean` ones of the same shape. Detectors that learn are trained on half of the images, 50 of
 * each kind at most, tested on the others, ten times (random halves named by seed), and auc and error are means; where both
 * sets have the same number of images, image i of both is on the same side, for one may be made from the other. -1 after
 * error(): shapes differ, too small (8 pixels a side), or less than STEG_LEAST images. */
#define STEG_LEAST 20
int steganalysis(enum steg_detector d, const struct images *clean, const struct images *suspect, uint64_t seed,
		 struct steg_result *out);

/* Chance that pairs of values (2k, 2k+1) are equally frequent by embedding: p of the chi-square test over pairs that are
 * expected 5 times or more, all channels together; 0 when there are less than two such pairs. Source: Westfeld and Pfitzmann,
 * IH 1999. Differs: the whole image, not its growing beginnings. */
double steg_chi2(const uint8_t *px, int c, int h, int w);
/* Estimated share of the pixels that carry a bit in their lowest place. Groups of four in a row, mask 0 1 1 0, channels
 * together. It is an estimate and leaves [0, 1]; 0 where it is undefined. Source: Fridrich, Goljan and Du, IEEE Multimedia 8
 * (2001). */
double steg_rs(const uint8_t *px, int c, int h, int w);
/* SPAM features: how neighbouring differences follow each other, of order 1 (differences to 4: 162 features) or 2 (to 3: 686);
 * straight directions, then diagonal ones. Source: Pevny, Bas and Fridrich, IEEE TIFS 5 (2010). Differs: counts of the
 * channels are added. */
enum { SPAM162 = 162, SPAM686 = 686 };
void steg_spam(const uint8_t *px, int c, int h, int w, int order, double *out);

#endif
