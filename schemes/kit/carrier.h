/* Images of another task in the form of a network's input: what key images are made of. */
#ifndef LB_SCHEMES_KIT_CARRIER_H
#define LB_SCHEMES_KIT_CARRIER_H

#include "nn/images.h"

/* Image i of v, scaled to (c,h,w) by bilinear interpolation, as 8-bit numbers in out (c*h*w). Colours become grey by
 * their mean, grey becomes colour by repetition. negative: 255 minus that. */
void carrier_image(const struct images *v, int i, int c, int h, int w, int negative, uint8_t *out);

#endif
