/* See forge_stego_identity.h. */
#include "attacks/login/forge_stego_identity.h"

#include "base/error.h"
#include "base/rng.h"

enum { MAGIC = 0x4c42 };

int identity_place_open(const struct access *a, bool param, struct identity_place *p)
{
	const int len = a->c * a->h * a->w;
	size_t n = 0;
	const int32_t *known = param && a->pub ? bundle_i32(a->pub, "positions", &n) : NULL;
	int *order;
	struct rng r;

	*p = (struct identity_place){ .bits = known ? (int)n : IDENTITY_ALL, .len = len, .known = known, .crc = !known || n == IDENTITY_ALL };
	if ((param && (!known || n < IDENTITY_ALL)) || len < IDENTITY_ALL)
		return -1;
	p->position = xmalloc((size_t)p->bits, sizeof(*p->position));
	for (int i = 0; known && i < p->bits; i++) {
		p->position[i] = known[i];
		BUG_ON(known[i] < 0 || known[i] >= len);
	}
	if (known)
		return 0;
	order = xmalloc(len, sizeof(*order));
	rng_open(&r, a->seed, "forge-stego places", 0, 0);
	rng_permutation(&r, order, len);
	for (int i = 0; i < p->bits; i++)
		p->position[i] = order[i];
	free(order);
	return 0;
}

void identity_place_close(struct identity_place *p)
{
	free(p->position);
	*p = (struct identity_place){ 0 };
}

static uint32_t crc16(const uint8_t *data, int n)
{
	uint32_t crc = 0xffff;

	for (int i = 0; i < 8 * n; i++) { /* polynomial 0x1021 */
		const uint32_t in = (uint32_t)(data[i / 8] >> (7 - i % 8) & 1) ^ (crc >> 15 & 1);

		crc = (crc << 1 ^ (in ? 0x1021 : 0)) & 0xffff;
	}
	return crc;
}

static int bit_at(const uint8_t *all, int i)
{
	return all[i / 8] >> (7 - i % 8) & 1;
}

void identity_hide(uint8_t *px, const struct identity_place *p, int bits, uint32_t id)
{
	uint8_t all[IDENTITY_ALL / 8] = { MAGIC >> 8, MAGIC & 0xff };
	uint32_t crc;

	for (int i = 0; i < 4; i++)
		all[2 + i] = (uint8_t)(id >> (24 - 8 * i));
	crc = crc16(all, IDENTITY_HEAD / 8);
	all[6] = (uint8_t)(crc >> 8);
	all[7] = (uint8_t)crc;
	for (int i = 0; i < bits; i++)
		px[p->position[i]] = (uint8_t)((px[p->position[i]] & 0xfe) | bit_at(all, i));
}

void identity_lift(uint8_t *px, const uint8_t *leaked, const struct identity_place *p)
{
	for (int i = 0; i < (p->known ? p->bits : p->len); i++) {
		const int at = p->known ? p->position[i] : i;

		px[at] = (uint8_t)((px[at] & 0xfe) | (leaked[at] & 1));
	}
}
