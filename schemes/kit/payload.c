/* A user's identity in an image's lowest bits. See payload.h. */
#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "schemes/kit/payload.h"
#include <string.h>

#define MAGIC 0x4c42u /* "LB" */
#define HEAD 6        /* bytes of magic and number */
#define KEY 32

static int seal_bytes(enum seal s)
{
	return s == SEAL_CRC ? 2 : 8;
}

int payload_design(enum seal seal, int len, uint64_t seed, struct bundle *b)
{
	const int bits = 8 * (HEAD + seal_bytes(seal));
	uint8_t key[KEY];
	int *order;
	struct rng r;

	if (len < bits)
		return error(EXIT_UNEVALUABLE, "an identity of %d bits does not fit an image of %d values", bits, len);
	order = xmalloc((size_t)len, sizeof(*order));
	rng_open(&r, seed, "payload-positions", 0, 0);
	rng_permutation(&r, order, len);
	bundle_put_i32(b, "positions", bits, order);
	free(order);
	bundle_meta_num(b, "seal", seal);
	if (seal == SEAL_CRC)
		return 0;
	rng_open(&r, seed, "payload-key", 0, 0);
	rng_bytes(&r, key, sizeof(key));
	bundle_put_u8(b, "seal_key", KEY, key);
	return 0;
}

int payload_open(struct payload *p, const struct bundle *b)
{
	const double seal = bundle_meta_getnum(b, "seal", -1);
	size_t n = 0, k = 0;

	*p = (struct payload){ .seal = seal == SEAL_BOUND ? SEAL_BOUND : seal == SEAL_MAC ? SEAL_MAC : SEAL_CRC };
	p->bits = 8 * (HEAD + seal_bytes(p->seal));
	p->position = bundle_i32(b, "positions", &n);
	p->key = bundle_u8(b, "seal_key", &k);
	if (seal < 0 || !p->position || n != (size_t)p->bits || (p->seal != SEAL_CRC && (!p->key || k != KEY)))
		return error(EXIT_UNEVALUABLE,
			     "no hidden identities here: 'positions', 'seal' or 'seal_key' is missing or wrong");
	return 0;
}

uint16_t payload_crc(const uint8_t *data, size_t n)
{
	uint32_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= (uint32_t)data[i] << 8;
		for (int k = 0; k < 8; k++)
			crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
	}
	return (uint16_t)crc;
}

/* The seal of head in px. */
static void seal_of(const struct payload *p, const uint8_t head[HEAD], const uint8_t *px, int len, uint8_t *out)
{
	uint8_t *all, mac[HASH_LEN];
	const uint16_t crc = payload_crc(head, HEAD);
	int n = HEAD;

	if (p->seal == SEAL_CRC) {
		out[0] = (uint8_t)(crc >> 8);
		out[1] = (uint8_t)crc;
		return;
	}
	all = xmalloc((size_t)HEAD + len, 1);
	memcpy(all, head, HEAD);
	for (int i = 0; p->seal == SEAL_BOUND && i < len; i++)
		all[n++] = px[i] & 0xfe;
	hmac_sha256(p->key, KEY, all, (size_t)n, mac);
	memcpy(out, mac, (size_t)seal_bytes(p->seal));
	free(all);
}

static void head_of(uint32_t id, uint8_t head[HEAD])
{
	head[0] = MAGIC >> 8;
	head[1] = MAGIC & 0xff;
	for (int i = 0; i < 4; i++)
		head[2 + i] = (uint8_t)(id >> (24 - 8 * i));
}

int payload_hide(const struct payload *p, uint8_t *px, int len, uint32_t id)
{
	uint8_t all[HEAD + HASH_LEN];
	int changed = 0;

	head_of(id, all);
	seal_of(p, all, px, len, all + HEAD);
	for (int i = 0; i < p->bits; i++) {
		uint8_t *v = &px[p->position[i]], bit = all[i / 8] >> (7 - i % 8) & 1;

		changed += (*v & 1) != bit;
		*v = (uint8_t)((*v & 0xfe) | bit);
	}
	return changed;
}

void payload_bits(const struct payload *p, const uint8_t *px, uint8_t *bit)
{
	for (int i = 0; i < p->bits; i++)
		bit[i] = px[p->position[i]] & 1;
}

bool payload_read(const struct payload *p, const uint8_t *px, int len, uint32_t *id)
{
	uint8_t all[HEAD + HASH_LEN] = { 0 }, want[HASH_LEN], head[HEAD];
	uint32_t read = 0;

	for (int i = 0; i < p->bits; i++)
		all[i / 8] |= (uint8_t)((px[p->position[i]] & 1) << (7 - i % 8));
	for (int i = 0; i < 4; i++)
		read = read << 8 | all[2 + i];
	head_of(read, head);
	if (memcmp(all, head, HEAD))
		return false;
	seal_of(p, all, px, len, want);
	if (memcmp(all + HEAD, want, (size_t)seal_bytes(p->seal)))
		return false;
	*id = read;
	return true;
}
