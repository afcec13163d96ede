/* schemes/kit/table.c: rows are sorted, kept once, and found; what another wrote is not believed. */
#include "schemes/kit/table.h"
#include <check.h>
#include <string.h>

/* A table of pairs, the key, and a value each; in neither the values' nor the names' order. */
static struct bundle *rows_of(const int32_t *pair, const int64_t *value, int n)
{
	struct bundle *b = bundle_new();

	bundle_put(b, "pair", DT_I32, 2, (const int64_t[]){ n, 2 }, pair);
	bundle_put(b, "about", DT_I64, 1, (const int64_t[]){ n }, value);
	return b;
}

static const int32_t pairs[][2] = { { 3, 1 }, { -2, 9 }, { 3, 0 }, { 3, 1 }, { 70000, 4 } };
static const int64_t values[] = { 6, 8, INT64_MAX, 6, -7 };

static int find(const struct bundle *b, int32_t x, int32_t y)
{
	return table_find(b, "pair", DT_I32, 2, (const int32_t[]){ x, y });
}

START_TEST(rows_are_in_order_and_once)
{
	static const int32_t want[][2] = { { -2, 9 }, { 3, 0 }, { 3, 1 }, { 70000, 4 } };
	static const int64_t want_value[] = { 8, INT64_MAX, 6, -7 };
	struct bundle *b = bundle_new(), *rows = rows_of(pairs[0], values, 5);
	const struct tensor *p, *v;

	bundle_put_i32(b, "other", 1, NULL); /* what else is there stays */
	table_add(b, "pair", rows);
	p = bundle_get(b, "pair", DT_I32);
	v = bundle_get(b, "about", DT_I64);
	ck_assert(p->nd == 2 && p->d[0] == 4 && p->d[1] == 2 && v->nd == 1 && v->d[0] == 4 && b->nt == 3);
	ck_assert_int_eq(memcmp(p->data, want, sizeof(want)), 0);
	ck_assert_int_eq(memcmp(v->data, want_value, sizeof(want_value)), 0);
	bundle_free(rows);
	bundle_free(b);
}
END_TEST

/* The bytes of a table do not tell how it was filled. */
START_TEST(the_order_of_adding_leaves_no_trace)
{
	struct bundle *at_once = bundle_new(), *one_by_one = bundle_new(), *rows = rows_of(pairs[0], values, 5);
	char a[65], b[65];

	table_add(at_once, "pair", rows);
	bundle_free(rows);
	for (int i = 9; i >= 0; i--) {
		rows = rows_of(pairs[i % 5], &values[i % 5], 1);
		table_add(one_by_one, "pair", rows);
		bundle_free(rows);
	}
	bundle_hash(at_once, a);
	bundle_hash(one_by_one, b);
	ck_assert_str_eq(a, b);
	bundle_free(at_once);
	bundle_free(one_by_one);
}
END_TEST

/* Rows of the same key that differ behind it both stay. */
START_TEST(the_key_alone_does_not_make_a_row)
{
	struct bundle *b = bundle_new(), *rows = rows_of((const int32_t[]){ 1, 1, 1, 1 }, (const int64_t[]){ 8, 7 }, 2);
	const struct tensor *v;

	table_add(b, "pair", rows);
	v = bundle_get(b, "about", DT_I64);
	ck_assert(v->d[0] == 2 && ((int64_t *)v->data)[0] == 7 && ((int64_t *)v->data)[1] == 8);
	bundle_free(rows);
	bundle_free(b);
}
END_TEST

START_TEST(every_row_is_found_and_no_other)
{
	enum { N = 257 };
	struct bundle *b = bundle_new(), *rows;
	int32_t pair[N][2];
	int64_t value[N];

	for (int i = 0; i < N; i++) {
		pair[i][0] = (i * 100) % N;
		pair[i][1] = -i;
		value[i] = i;
	}
	ck_assert_int_eq(find(b, 0, 0), -1); /* no table at all */
	rows = rows_of(pair[0], value, N);
	table_add(b, "pair", rows);
	for (int i = 0; i < N; i++) {
		const int row = find(b, pair[i][0], pair[i][1]);

		ck_assert_int_ge(row, 0);
		ck_assert_int_eq(((int64_t *)bundle_get(b, "about", DT_I64)->data)[row], i);
		ck_assert_int_eq(find(b, pair[i][0], 1), -1);
	}
	ck_assert_int_eq(table_find(b, "pair", DT_I32, 1, &pair[0]), -1); /* of another width or type */
	ck_assert_int_eq(table_find(b, "pair", DT_U8, 2, &pair[0]), -1);
	bundle_free(rows);
	bundle_free(b);
}
END_TEST

/* What there is and does not fit is replaced, not read beyond its end. */
START_TEST(a_table_of_another_shape_is_replaced)
{
	struct bundle *b = bundle_new(), *rows = rows_of(pairs[0], values, 1);

	bundle_put_i32(b, "pair", 7, NULL);
	bundle_put(b, "about", DT_I64, 1, (const int64_t[]){ 7 }, NULL);
	table_add(b, "pair", rows);
	ck_assert_int_eq(find(b, 3, 1), 0);
	ck_assert_int_eq(bundle_get(b, "pair", DT_I32)->d[0], 1);
	bundle_put(b, "about", DT_I64, 1, (const int64_t[]){ 5 }, NULL); /* more values than pairs */
	table_add(b, "pair", rows);
	ck_assert_int_eq(bundle_get(b, "about", DT_I64)->d[0], 1);
	bundle_free(rows);
	bundle_free(b);
}
END_TEST

Suite *suite_table(void);
Suite *suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_test(tc, rows_are_in_order_and_once);
	tcase_add_test(tc, the_order_of_adding_leaves_no_trace);
	tcase_add_test(tc, the_key_alone_does_not_make_a_row);
	tcase_add_test(tc, every_row_is_found_and_no_other);
	tcase_add_test(tc, a_table_of_another_shape_is_replaced);
	suite_add_tcase(s, tc);
	return s;
}
