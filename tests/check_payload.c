/* schemes/kit/payload.c: published checksum, round trip, every damaged bit is noticed, what each seal binds. */
#include "schemes/kit/payload.h"
#include <check.h>
#include <string.h>

enum { LEN = 784 };

static struct bundle *b;
static struct payload p;
static uint8_t px[LEN];

static void open_payload(enum seal seal)
{
	b = bundle_new();
	ck_assert_int_eq(payload_design(seal, LEN, 7, b), 0);
	ck_assert_int_eq(payload_open(&p, b), 0);
	for (int i = 0; i < LEN; i++)
		px[i] = (uint8_t)(i * 7);
}

/* The check value of CRC-16/CCITT-FALSE in the catalogues. */
START_TEST(crc_has_its_check_value)
{
	ck_assert_uint_eq(payload_crc((const uint8_t *)"123456789", 9), 0x29b1);
}
END_TEST

/* Any number comes back; only lowest bits at secret positions change. */
START_TEST(hidden_numbers_are_read)
{
	static const uint32_t ids[] = { 0, 1, 999, 0x80000000u, 0xffffffffu };
	uint8_t before[LEN];
	int most;

	open_payload((enum seal)_i);
	most = p.bits;
	ck_assert_int_eq(most, _i == SEAL_CRC ? 64 : 112);
	for (int k = 0; k < 5; k++) {
		uint32_t id = 5;
		int changed = 0;

		memcpy(before, px, LEN);
		ck_assert(!payload_read(&p, px, LEN, &id) || k);
		changed = payload_hide(&p, px, LEN, ids[k]);
		for (int i = 0; i < LEN; i++) {
			ck_assert_int_eq(before[i] & 0xfe, px[i] & 0xfe);
			changed -= before[i] != px[i];
		}
		ck_assert_int_eq(changed, 0);
		ck_assert(payload_read(&p, px, LEN, &id));
		ck_assert_uint_eq(id, ids[k]);
	}
	bundle_free(b);
}
END_TEST

/* A cyclic code misses no single error; nor does a MAC, in practice. */
START_TEST(a_wrong_bit_is_noticed)
{
	uint32_t id;

	open_payload((enum seal)_i);
	payload_hide(&p, px, LEN, 123456);
	for (int k = 0; k < p.bits; k++) {
		px[p.position[k]] ^= 1;
		ck_assert_msg(!payload_read(&p, px, LEN, &id), "bit %d", k);
		px[p.position[k]] ^= 1;
	}
	ck_assert(payload_read(&p, px, LEN, &id));
	bundle_free(b);
}
END_TEST

/* Attack A2f, L3: a payload lifted from one image into another passes unless the seal binds it; an altered number passes
 * only under a checksum, which anybody computes. */
START_TEST(seals_bind_what_they_say)
{
	uint8_t other[LEN], bit[112];
	uint32_t id;

	open_payload((enum seal)_i);
	payload_hide(&p, px, LEN, 42);
	payload_bits(&p, px, bit);
	for (int i = 0; i < LEN; i++)
		other[i] = (uint8_t)(i * 5 + 1);
	for (int k = 0; k < p.bits; k++)
		other[p.position[k]] = (uint8_t)((other[p.position[k]] & 0xfe) | bit[k]);
	ck_assert_int_eq(payload_read(&p, other, LEN, &id), _i != SEAL_BOUND);
	if (_i == SEAL_CRC) { /* user 43's payload made from user 42's with no secret but the positions */
		uint8_t head[6] = { 0x4c, 0x42, 0, 0, 0, 43 };
		const uint16_t crc = payload_crc(head, 6);

		px[p.position[47]] ^= 1; /* the number's last bit */
		for (int k = 0; k < 16; k++)
			px[p.position[48 + k]] = (uint8_t)((px[p.position[48 + k]] & 0xfe) | (crc >> (15 - k) & 1));
		ck_assert(payload_read(&p, px, LEN, &id));
		ck_assert_uint_eq(id, 43);
	}
	bundle_free(b);
}
END_TEST

/* Under another owner's key nothing is read. */
START_TEST(positions_and_keys_are_the_owners)
{
	struct bundle *theirs = bundle_new();
	struct payload q;
	uint32_t id;

	open_payload((enum seal)_i);
	ck_assert_int_eq(payload_design((enum seal)_i, LEN, 8, theirs), 0);
	ck_assert_int_eq(payload_open(&q, theirs), 0);
	payload_hide(&p, px, LEN, 42);
	ck_assert(!payload_read(&q, px, LEN, &id));
	bundle_free(theirs);
	bundle_free(b);
}
END_TEST

START_TEST(small_images_and_foreign_bundles_are_refused)
{
	struct bundle *c = bundle_new();

	ck_assert_int_eq(payload_design(SEAL_CRC, 63, 1, c), -1);
	ck_assert_int_eq(payload_open(&p, c), -1);
	ck_assert_int_eq(payload_design(SEAL_CRC, 64, 1, c), 0);
	ck_assert_int_eq(payload_open(&p, c), 0);
	bundle_meta_num(c, "seal", SEAL_MAC); /* needs a key that is not there */
	ck_assert_int_eq(payload_open(&p, c), -1);
	bundle_free(c);
}
END_TEST

Suite *suite_payload(void);
Suite *suite_payload(void)
{
	Suite *s = suite_create("payload");
	TCase *tc = tcase_create("payload");

	tcase_add_test(tc, crc_has_its_check_value);
	tcase_add_loop_test(tc, hidden_numbers_are_read, SEAL_CRC, SEAL_BOUND + 1);
	tcase_add_loop_test(tc, a_wrong_bit_is_noticed, SEAL_CRC, SEAL_BOUND + 1);
	tcase_add_loop_test(tc, seals_bind_what_they_say, SEAL_CRC, SEAL_BOUND + 1);
	tcase_add_loop_test(tc, positions_and_keys_are_the_owners, SEAL_CRC, SEAL_BOUND + 1);
	tcase_add_test(tc, small_images_and_foreign_bundles_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
