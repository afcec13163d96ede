/* Image codecs: JPEG by libjpeg-turbo, PNG by libpng. Hostile input: limits are checked before memory is taken.
 * What a decoder returns depends on the image's data only: colour profiles and gamma tags are ignored. */
#ifndef LB_DATASETS_CODEC_H
#define LB_DATASETS_CODEC_H

#include <stddef.h>
#include <stdint.h>

#define CODEC_MAX_SIDE 512
#define CODEC_MAX_FILE ((size_t)4 << 20) /* bytes; a raw 512x512 RGB image has 0.75 MiB */

enum jpeg_subsampling { JPEG_444, JPEG_420 };

/* px: planar (c,h,w), c 1 or 3 -> fresh bytes (caller frees), *len their number. Integer slow DCT (JDCT_ISLOW), subsampling
 * set explicitly, baseline, quality 1..100; grey images ignore the subsampling. NULL after error(). */
uint8_t *jpeg_encode(const uint8_t *px, int c, int h, int w, int quality, enum jpeg_subsampling s, size_t *len);
/* Planar pixels (caller frees), sizes out. Warnings are errors; bytes behind the image are passed over, as every
 * decoder does; at most CODEC_MAX_SIDE a side and 100 scans; ISLOW, fancy upsampling. NULL after error() naming
 * `where`. */
uint8_t *jpeg_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w);
uint8_t *png_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w); /* 8 bit, grey or RGB; alpha is dropped */
uint8_t *png_encode(const uint8_t *px, int c, int h, int w, size_t *len);
/* JPEG or PNG by the content's magic, not the name. */
uint8_t *image_decode(const void *data, size_t len, const char *where, int *c, int *h, int *w);
uint8_t *image_read(const char *path, int *c, int *h, int *w);

#endif
