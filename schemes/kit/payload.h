/* A user's identity in the lowest bits of an 8-bit image: 16 bits of magic, 32 of the user's number, and a seal, at
 * secret positions, one bit a pixel value, most significant bit first.
 *
 * Source: LSB steganography as Sun et al. (arXiv 2104.09203) name it; the papers do not give the format, this is
 * ours. */
#ifndef LB_SCHEMES_KIT_PAYLOAD_H
#define LB_SCHEMES_KIT_PAYLOAD_H

#include "nn/bundle.h"
#include <stdbool.h>

/* What makes a payload valid. */
enum seal {
	SEAL_CRC,  /* CRC-16 of magic and number: whoever knows the format writes any number */
	SEAL_MAC,  /* HMAC-SHA256 of them, 64 bits: needs the key, but goes from one image to another */
	SEAL_BOUND /* the same, over the image without its lowest bits too */
};

struct payload {
	enum seal seal;
	int bits;                /* 64 or 112 */
	const int32_t *position; /* (bits) flat positions in the image, all different */
	const uint8_t *key;      /* (32), of the seal; NULL with SEAL_CRC */
};

/* Draw positions in an image of len values, and the key, from seed; tensors "positions", "seal_key" and metadata
 * "seal" of b. -1 after error() when the image is too small. */
int payload_design(enum seal seal, int len, uint64_t seed, struct bundle *b);
/* Borrows from b. 0, or -1 after error() when b does not describe a payload. */
int payload_open(struct payload *p, const struct bundle *b);
/* px (len): hide id; returns how many values changed. */
int payload_hide(const struct payload *p, uint8_t *px, int len, uint32_t id);
/* The bits as they stand in px: bit (p->bits). */
void payload_bits(const struct payload *p, const uint8_t *px, uint8_t *bit);
/* Is a valid payload in px? Then id is its number. */
bool payload_read(const struct payload *p, const uint8_t *px, int len, uint32_t *id);
/* CRC-16/CCITT-FALSE. */
uint16_t payload_crc(const uint8_t *data, size_t n);

#endif
