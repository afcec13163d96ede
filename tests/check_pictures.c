/* bench/pictures.c: real pixels of the store's images, the drivers' own words, and nothing where there is nothing. */
#include <check.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/keys.h"
#include "bench/pictures.h"
#include "datasets/codec.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static struct store *st;

static void setup(void)
{
	sandbox_open();
	st = store_open(sandbox("st"), true);
	ck_assert_ptr_nonnull(st);
}

static void teardown(void)
{
	store_close(st);
	sandbox_close();
}

/* n grey images of 4x4, all pixels of image i at i / 10. */
static void put_images(const char *key, const char *name, int n)
{
	struct bundle *b = bundle_new();
	float *x = bundle_put(b, name, DT_F32, 4, (int64_t[]){ n, 1, 4, 4 }, NULL);

	for (int i = 0; i < 16 * n; i++)
		x[i] = (float)(i / 16) / 10;
	ck_assert_int_eq(store_put_artefact(st, key, b), 0);
	bundle_free(b);
}

static int first_pixel(const json_t *picture)
{
	const char *text = jget_str(picture, "png", "");
	unsigned char data[4096];
	int n = EVP_DecodeBlock(data, (const unsigned char *)text, (int)strlen(text)), c, h, w, v;
	uint8_t *px;

	ck_assert_int_gt(n, 0);
	for (const char *p = text + strlen(text); p[-1] == '='; p--)
		n--;
	px = png_decode(data, (size_t)n, "picture", &c, &h, &w);
	ck_assert_msg(px != NULL, "%s", error_text());
	ck_assert(c == 1 && h == 4 && w == 4);
	v = px[0];
	free(px);
	return v;
}

/* Two users of three credentials each: images 0 and 3 are shown, 25.5 and 76.5 rounded to even. */
START_TEST(credentials_of_the_first_users)
{
	char key[65];
	json_t *cells = json_array(), *left_out = json_array(), *c = sample_cell("mnist", "activeguard", 1), *all, *list;

	memset(key, 'a', 64);
	key[64] = '\0';
	put_images(key, "image", 6);
	jset_int(jset_int(jset_str(c, "creds_key", key), "users", 2), "credentials_per_user", 3);
	json_array_append_new(cells, c);
	all = pictures_json(st, cells, left_out);
	list = json_object_get(all, key);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_int_eq(first_pixel(json_array_get(list, 0)), 0);
	ck_assert_int_eq(first_pixel(json_array_get(list, 1)), (int)lrintf(255 * 0.3f));
	ck_assert_str_eq(jget_str(json_array_get(list, 1), "what", ""), "user 1");
	ck_assert_uint_eq(json_array_size(left_out), 0);
	json_decref(left_out);
	json_decref(all);
	json_decref(cells);
}
END_TEST

START_TEST(images_of_an_attack)
{
	char part[65], *path;
	json_t *cells = json_array(), *left_out = json_array(), *c = sample_attacked("mnist", "none", "jpeg", "quality", 50, 1), *all, *list;

	part_key(jget_str(c, "key", ""), "images", part);
	put_images(part, "after", 3);
	json_array_append_new(cells, c);
	all = pictures_json(st, cells, left_out);
	list = json_object_get(all, jget_str(c, "key", ""));
	ck_assert_uint_eq(json_array_size(list), 3);
	ck_assert_int_eq(first_pixel(json_array_get(list, 2)), 51);
	json_decref(all);
	/* What is damaged is named, and stays where it is. */
	path = store_path(st, "artefacts", part);
	ck_assert_int_eq(truncate(path, 100), 0);
	all = pictures_json(st, cells, left_out);
	ck_assert_uint_eq(json_object_size(all), 0);
	ck_assert_uint_eq(json_array_size(left_out), 1);
	ck_assert_str_eq(jget_str(json_array_get(left_out, 0), "key", ""), part);
	ck_assert_int_eq(access(path, F_OK), 0);
	free(path);
	json_decref(left_out);
	json_decref(all);
	json_decref(cells);
}
END_TEST

/* A store without artefacts (gc, another lab's) has a report all the same. */
START_TEST(no_artefact_no_picture_no_error)
{
	json_t *cells = json_array(), *left_out = json_array(), *all;

	json_array_append_new(cells, jset_str(sample_cell("mnist", "activeguard", 1), "creds_key",
					      "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"));
	all = pictures_json(st, cells, left_out);
	ck_assert_uint_eq(json_object_size(all), 0);
	ck_assert_str_eq(error_text(), "");
	ck_assert_uint_eq(json_array_size(left_out), 0);
	json_decref(left_out);
	json_decref(all);
	json_decref(cells);
}
END_TEST

START_TEST(drivers_speak_for_themselves)
{
	json_t *cells = json_array(), *all, *guard;

	json_array_append_new(cells, sample_cell("mnist", "activeguard", 1));
	json_array_append_new(cells, sample_cell("mnist", "nobody-knows-it", 1));
	json_array_append_new(cells, sample_attacked("mnist", "none", "jpeg", "quality", 50, 1));
	all = drivers_json(cells, NULL);
	guard = json_object_get(json_object_get(all, "schemes"), "activeguard");
	ck_assert_ptr_nonnull(strstr(jget_str(guard, "source", ""), "Differs:"));
	ck_assert_str_eq(jget_str(json_object_get(guard, "declared"), "Lock", ""), "a check beside the network");
	ck_assert_int_eq(jget_int(json_object_get(json_object_get(all, "attacks"), "jpeg"), "strength_up", 0), -1);
	ck_assert_ptr_null(json_object_get(json_object_get(all, "schemes"), "nobody-knows-it"));
	json_decref(all);
	json_decref(cells);
}
END_TEST

/* A key fitted to the network is a claim on it where keys carry the mark: not at a check beside the network, and not when the owner's own
 * key leaked, whatever the attack is called. */
START_TEST(whose_key_is_a_claim)
{
	static const struct { const char *scheme, *attack, *method; bool rival; } cases[] = {
		{ "passport", "passport-key", "learn", true }, { "passport", "passport-key", "redraw", true }, { "passport", "passport-key", "differ", false },
		{ "activeguard", "forge-adaptive", "white", false }, { "stego-class", "passport-key", "learn", false }, { "passport", "overwrite", NULL, false },
	};
	json_t *cells = json_array(), *all;
	char key[8];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *c = sample_attacked("mnist", cases[i].scheme, cases[i].attack, "epochs", 1, 1);

		snprintf(key, sizeof(key), "k%zu", i);
		jset(jset_str(c, "key", key), "attack_options", cases[i].method ? json_pack("{ss}", "method", cases[i].method) : json_object());
		json_array_append_new(cells, c);
	}
	all = drivers_json(cells, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(key, sizeof(key), "k%zu", i);
		ck_assert_msg(json_is_true(json_object_get(json_object_get(json_object_get(all, "sight"), key), "rival")) == cases[i].rival,
			      "case %zu", i);
	}
	json_decref(all);
	json_decref(cells);
}
END_TEST

Suite *suite_pictures(void);
Suite *suite_pictures(void)
{
	Suite *s = suite_create("pictures");
	TCase *tc = tcase_create("pictures");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, credentials_of_the_first_users);
	tcase_add_test(tc, images_of_an_attack);
	tcase_add_test(tc, no_artefact_no_picture_no_error);
	tcase_add_test(tc, drivers_speak_for_themselves);
	tcase_add_test(tc, whose_key_is_a_claim);
	suite_add_tcase(s, tc);
	return s;
}
