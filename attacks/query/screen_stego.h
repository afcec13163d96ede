/* Steganalysis of one image: do its least significant bits look like a message? */
#ifndef LB_ATTACKS_QUERY_SCREEN_STEGO_H
#define LB_ATTACKS_QUERY_SCREEN_STEGO_H

#include "attacks/query/imageops.h"
#include <stdint.h>

/* Westfeld and Pfitzmann, "Attacks on steganographic systems", IH 1999: replacing the lowest bits by random ones evens out the
 * counts of values 2i and 2i+1. Returns the chi-square statistic over its degrees of freedom, the mean over the pairs that occur of
 * (n[2i] - n[2i+1])^2 / (n[2i] + n[2i+1]): about 1 when all bits are random, usually far more in an image. n >= 1. */
double stego_chi2(const uint8_t *px, size_t n);

/* RS analysis, Fridrich, Goljan and Du, "Detecting LSB steganography in color and gray-scale images", IEEE Multimedia 2001: an
 * estimate of the share of pixels that carry a message bit, -1 to 2 (0 for an untouched image, but noisy in small ones). Groups of
 * four pixels along a row, mask 0110; planar (c,h,w), w >= 4. */
double stego_rs(const uint8_t *px, struct shape s);

#endif
