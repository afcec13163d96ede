/* bench/store.c: what is put comes back, what is damaged is noticed, what is not a store is left alone. */
#include <check.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/cell.h"
#include "bench/store.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY2 "ff23456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct store *st;

static void setup(void)
{
	sandbox_open();
	st = store_open(sandbox("s"), true);
	ck_assert_msg(st != NULL, "%s", error_text());
}

static void teardown(void)
{
	store_close(st);
	sandbox_close();
}

/* A small cell; value: its seed. */
static json_t *cell_of(const char *key, int value)
{
	json_t *c = sample_measured("none", value, "", 10, 0.5);

	jset_str(c, "key", key);
	return c;
}

static void put(const char *key, int value)
{
	json_t *c = cell_of(key, value);

	ck_assert_int_eq(store_put_cell(st, key, c), 0);
	json_decref(c);
}

START_TEST(a_cell_comes_back)
{
	json_t *c;

	ck_assert(!store_has_cell(st, KEY));
	put(KEY, 7);
	ck_assert(store_has_cell(st, KEY));
	c = store_get_cell(st, KEY);
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(jget_int(c, "seed", 0), 7);
	json_decref(c);
	ck_assert_int_eq(store_check_cell(st, KEY), 0);
}
END_TEST

/* Flip a bit of every byte in turn: each is noticed. */
START_TEST(every_flipped_bit_of_a_cell_is_noticed)
{
	char *path = store_path(st, "cells", KEY), *text;
	size_t len;

	put(KEY, 7);
	text = file_read(path, 1 << 20, &len);
	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < len; i++) {
		text[i] ^= (char)(1 << i % 7);
		sandbox_write("s/cells/01/" KEY ".json", text, len);
		ck_assert_msg(store_check_cell(st, KEY) < 0, "byte %zu of %zu", i, len);
		error_clear();
		text[i] ^= (char)(1 << i % 7);
	}
	sandbox_write("s/cells/01/" KEY ".json", text, len);
	ck_assert_int_eq(store_check_cell(st, KEY), 0);
	free(text);
	free(path);
}
END_TEST

START_TEST(a_cell_under_another_name_is_refused)
{
	char *from = store_path(st, "cells", KEY), *to = store_path(st, "cells", KEY2);

	put(KEY, 7);
	put(KEY2, 8);
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert_ptr_null(store_get_cell(st, KEY2));
	ck_assert_ptr_nonnull(strstr(error_text(), "not the file's name"));
	free(from);
	free(to);
}
END_TEST

static int remember(void *ctx, const char *key, const json_t *j)
{
	strcat(ctx, key[0] == '0' ? "0" : "f");
	return jget_int(j, "seed", 0) == 99;
}

static int name_damaged(void *ctx, const char *key, const char *why)
{
	ck_assert_ptr_nonnull(strstr(why, key));
	strcat(ctx, "!");
	return 0;
}

START_TEST(a_damaged_cell_is_told_a_hidden_one_stops)
{
	char seen[16] = "", *path = store_path(st, "cells", KEY2);

	put(KEY, 1);
	put(KEY2, 2);
	ck_assert_int_eq(file_publish(path, "{}", 2), 0);
	ck_assert_int_eq(store_each(st, "cells", remember, name_damaged, seen), 0);
	ck_assert_str_eq(seen, "0!");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(store_each(st, "cells", remember, name_damaged, seen), -1);
	ck_assert_int_eq(error_code(), EXIT_IO);
	error_clear();
	ck_assert_int_eq(store_has_cell(st, KEY2), -1);
	error_clear();
	free(path);
}
END_TEST

START_TEST(a_store_is_private)
{
	static const char *const files[] = { "s/store.json", "s/cells/01/" KEY ".json", "s/lock" };
	static const char *const folders[] = { "s", "s/cells", "s/cells/01" };
	struct stat sb;

	put(KEY, 1);
	ck_assert_int_eq(store_lock(st), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		ck_assert_int_eq(stat(sandbox(files[i]), &sb), 0);
		ck_assert_msg((sb.st_mode & 0777) == 0600, "%s", files[i]);
		ck_assert_int_eq(stat(sandbox(folders[i]), &sb), 0);
		ck_assert_msg((sb.st_mode & 0777) == 0700, "%s", folders[i]);
	}
}
END_TEST

START_TEST(links_in_a_store_lead_nowhere)
{
	json_t *cell;

	sandbox_write("victim", "precious", 8);
	ck_assert_int_eq(mkdir(sandbox("folder"), 0755), 0);
	sandbox_write("folder/mine.tmp-1-1", "precious", 8);
	ck_assert_int_eq(symlink("../victim", sandbox("s/lock")), 0);
	ck_assert_int_eq(store_lock(st), -1);
	ck_assert_int_eq(error_code(), EXIT_IO);
	error_clear();
	ck_assert_int_eq(unlink(sandbox("s/lock")), 0);
	ck_assert_int_eq(symlink("../folder", sandbox("s/damaged")), 0);
	ck_assert_int_eq(store_lock(st), -1);
	ck_assert_int_eq(error_code(), EXIT_IO);
	error_clear();
	ck_assert_int_eq(file_there(sandbox("folder/mine.tmp-1-1")), 1);
	ck_assert_int_eq(unlink(sandbox("s/damaged")), 0);
	ck_assert_int_eq(symlink("../folder", sandbox("s/cells")), 0);
	ck_assert_ptr_null(store_keys(st, "cells", &(size_t){ 0 }));
	ck_assert_int_eq(error_code(), EXIT_IO);
	error_clear();
	cell = cell_of(KEY, 1);
	store_put_cell(st, KEY, cell);
	json_decref(cell);
	ck_assert_int_eq(error_code(), EXIT_IO);
	ck_assert_int_eq(file_there(sandbox("folder/01")), 0);
}
END_TEST

START_TEST(cells_are_walked_in_key_order)
{
	char seen[16] = "", hash1[65], hash2[65];

	put(KEY2, 2);
	store_hash(st, hash1);
	put(KEY, 99);
	store_hash(st, hash2);
	ck_assert_str_ne(hash1, hash2);
	ck_assert_int_eq(store_each(st, "cells", remember, name_damaged, seen), 1);
	ck_assert_str_eq(seen, "0");
}
END_TEST

static struct bundle *small_bundle(void)
{
	const float x[] = { 1, 2, 3 };
	struct bundle *b = bundle_new();

	bundle_put_f32(b, "x", 3, x);
	bundle_meta(b, "note", "hello");
	return b;
}

START_TEST(an_artefact_comes_back)
{
	struct bundle *b = small_bundle(), *got;
	char before[65], after[65];

	bundle_hash(b, before);
	ck_assert_ptr_null(store_get_artefact(st, KEY));
	ck_assert_int_eq(error_code(), EXIT_YES);
	ck_assert_int_eq(store_put_artefact(st, KEY, b), 0);
	got = store_get_artefact(st, KEY);
	ck_assert_ptr_nonnull(got);
	bundle_hash(got, after);
	ck_assert_str_eq(before, after);
	bundle_free(got);
	bundle_free(b);
}
END_TEST

START_TEST(a_damaged_artefact_is_moved_aside)
{
	struct bundle *b = small_bundle();
	char *path = store_path(st, "artefacts", KEY), *text;
	size_t len;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* a warning for each */
	ck_assert_int_eq(store_lock(st), 0); /* only a writer moves */
	for (size_t i = 0;; i++) {
		ck_assert_int_eq(store_put_artefact(st, KEY, b), 0);
		text = file_read(path, 1 << 20, &len);
		if (i == len)
			break;
		text[i] ^= 4;
		ck_assert_int_eq(file_publish(path, text, len), 0);
		free(text);
		ck_assert_int_eq(store_check_artefact(st, KEY), -1);
		error_clear();
		ck_assert_msg(store_get_artefact(st, KEY) == NULL, "byte %zu", i);
		ck_assert_int_eq(error_code(), EXIT_YES);
		ck_assert(!store_has_artefact(st, KEY));
	}
	free(text);
	free(path);
	bundle_free(b);
}
END_TEST

START_TEST(other_directories_are_left_alone)
{
	ck_assert_int_eq(mkdir(sandbox("full"), 0777), 0);
	sandbox_write("full/letter.txt", "x", 1);
	ck_assert_ptr_null(store_open(sandbox("full"), true));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	error_clear();
	ck_assert_ptr_null(store_open(sandbox("absent"), false));
	ck_assert_int_eq(file_there(sandbox("absent")), 0);
	error_clear();
	ck_assert_ptr_null(store_open(sandbox("full/letter.txt"), true));
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	error_clear();
	sandbox_write("full/store.json", "{\"format\": 2}", 13);
	ck_assert_ptr_null(store_open(sandbox("full"), true));
	ck_assert_ptr_nonnull(strstr(error_text(), "format 2"));
}
END_TEST

START_TEST(one_writer_at_a_time)
{
	struct store *other = store_open(sandbox("s"), true);

	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(store_lock(other), -1);
	ck_assert_int_eq(error_code(), EXIT_TEMPORARY);
	ck_assert_ptr_nonnull(strstr(error_text(), "process"));
	error_clear();
	store_close(st);
	ck_assert_int_eq(store_lock(other), 0);
	st = other;
}
END_TEST

/* A run must not pass over a cell that nobody can read: it would be missing from every report for ever. */
START_TEST(a_damaged_cell_counts_as_absent)
{
	put(KEY, 1);
	sandbox_write("s/cells/01/" KEY ".json", "{\"key\": \"" KEY "\"}", 10);
	ck_assert(!store_has_cell(st, KEY));
	ck_assert_int_eq(error_code(), EXIT_YES);
	put(KEY, 1);
	ck_assert(store_has_cell(st, KEY));
}
END_TEST

START_TEST(temporary_files_of_killed_runs_are_swept)
{
	put(KEY, 1);
	sandbox_write("s/cells/01/" KEY ".json.tmp-99-1", "half", 4);
	sandbox_write("s/store.json.tmp-99-1", "half", 4);
	ck_assert_int_eq(store_lock(st), 0);
	ck_assert_int_eq(file_there(sandbox("s/cells/01/" KEY ".json.tmp-99-1")), 0);
	ck_assert_int_eq(file_there(sandbox("s/store.json.tmp-99-1")), 0);
	ck_assert(store_has_cell(st, KEY));
}
END_TEST

/* ---- every durable step fails once: the store stays whole ---- */

static int fail_at, steps;

static int fail_step(const char *step, const char *path)
{
	(void)step, (void)path;
	return ++steps == fail_at;
}

START_TEST(a_failing_disk_never_leaves_half_a_cell)
{
	json_t *old = cell_of(KEY, 1), *new = cell_of(KEY, 2), *got;

	for (fail_at = 1;; fail_at++) {
		int ret;

		ck_assert_int_eq(store_put_cell(st, KEY, old), 0);
		steps = 0;
		file_fault = fail_step;
		ret = store_put_cell(st, KEY, new);
		file_fault = NULL;
		if (steps < fail_at)
			break;
		if (ret < 0)
			ck_assert_int_eq(error_code(), EXIT_IO);
		error_clear();
		ck_assert_int_eq(store_check_cell(st, KEY), 0);
		got = store_get_cell(st, KEY);
		ck_assert_int_ge(jget_int(got, "seed", 0), ret < 0 ? 1 : 2);
		json_decref(got);
	}
	ck_assert_int_ge(fail_at, 4);
	json_decref(old);
	json_decref(new);
}
END_TEST

Suite *suite_store(void);
Suite *suite_store(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_cell_comes_back);
	tcase_add_test(tc, every_flipped_bit_of_a_cell_is_noticed);
	tcase_add_test(tc, a_cell_under_another_name_is_refused);
	tcase_add_test(tc, cells_are_walked_in_key_order);
	tcase_add_test(tc, a_damaged_cell_is_told_a_hidden_one_stops);
	tcase_add_test(tc, a_store_is_private);
	tcase_add_test(tc, links_in_a_store_lead_nowhere);
	tcase_add_test(tc, an_artefact_comes_back);
	tcase_add_test(tc, a_damaged_artefact_is_moved_aside);
	tcase_add_test(tc, other_directories_are_left_alone);
	tcase_add_test(tc, one_writer_at_a_time);
	tcase_add_test(tc, a_damaged_cell_counts_as_absent);
	tcase_add_test(tc, temporary_files_of_killed_runs_are_swept);
	tcase_add_test(tc, a_failing_disk_never_leaves_half_a_cell);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}
