/* Users' numbers in the lowest bits of 8-bit images, as a user of such a scheme can read them in its source: 16 bits of magic, 32 of the
 * number and a seal, a CRC-16 where no key is needed; most significant first. */
#ifndef LB_ATTACKS_LOGIN_FORGE_STEGO_IDENTITY_H
#define LB_ATTACKS_LOGIN_FORGE_STEGO_IDENTITY_H

#include <stdbool.h>

#include "attacks/attack.h"

enum { IDENTITY_HEAD = 48, IDENTITY_ALL = 64 }; /* bits, without and with the CRC */

/* Where somebody thinks the bits lie. */
struct identity_place {
	int32_t *position; /* (bits) of pixels, below len */
	int bits, len;
	bool known, crc;   /* read from what ships; the seal is a CRC as far as one can tell */
};
/* param: from what ships; else 64 places, drawn by (a->seed, "forge-stego places"). -1: there are none to know, or too few pixels; nothing to
 * close then. */
int identity_place_open(const struct access *a, bool param, struct identity_place *p);
void identity_place_close(struct identity_place *p);

/* The first `bits` bits of user id's payload into px (len), one a place. */
void identity_hide(uint8_t *px, const struct identity_place *p, int bits, uint32_t id);
/* The lowest bits of the leaked image into px: at known places, or everywhere. */
void identity_lift(uint8_t *px, const uint8_t *leaked, const struct identity_place *p);

#endif
