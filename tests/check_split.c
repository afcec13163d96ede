/* datasets/split.c: parts are disjoint, complete, in proportion, and depend on the seed alone. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "datasets/dataset.h"
#include "tests/support_data.h"

/* A set of labels without pixels: class k has (k + 1) * unit training images, 3 test images; interleaved. */
static struct dataset *make(int classes, int unit)
{
	struct dataset *d = xcalloc(1, sizeof(*d));
	int n = 0;

	strcpy(d->name, "made-up");
	d->c = d->h = d->w = 1;
	d->classes = classes;
	d->train_px = xcalloc((size_t)(classes * (classes + 1) / 2 * unit), 1);
	d->test_px = xcalloc((size_t)classes * 3, 1);
	d->train_labels = xmalloc((size_t)(classes * (classes + 1) / 2 * unit), 1);
	d->test_labels = xmalloc((size_t)classes * 3, 1);
	for (int round = 0; round < classes * unit; round++)
		for (int k = 0; k < classes; k++)
			if (round < (k + 1) * unit)
				d->train_labels[n++] = (uint8_t)k;
	d->ntrain = n;
	for (int i = 0; i < classes * 3; i++)
		d->test_labels[i] = (uint8_t)(i % classes);
	d->ntest = classes * 3;
	return d;
}

static struct splits split(const struct dataset *d, uint64_t seed, int limit_train, int limit_test)
{
	struct splits s;

	ck_assert_msg(splits_make(&s, d, seed, limit_train, limit_test) == 0, "%s", error_text());
	return s;
}

static void count(const struct images *v, int *n)
{
	memset(n, 0, (size_t)v->classes * sizeof(*n));
	for (int i = 0; i < v->n; i++)
		n[images_label(v, i)]++;
}

START_TEST(sizes_of_the_usual_set)
{
	struct dataset *d = dataset_load("synthetic", NULL);
	struct splits s = split(d, 1, 0, 0);

	ck_assert_int_eq(s.pool.n, 1000);
	ck_assert_int_eq(s.attacker_val.n, 100);
	ck_assert_int_eq(s.val.n, 100);
	ck_assert_int_eq(s.owner.n, 4800);
	ck_assert_int_eq(s.test.n, 1000);
	splits_release(&s);
	dataset_free(d);
}
END_TEST

START_TEST(parts_are_disjoint_and_complete)
{
	struct dataset *d = make(7, 11);
	struct splits s = split(d, (uint64_t)_i, 0, 0);
	const struct images *part[] = { &s.owner, &s.val, &s.pool, &s.attacker_val };
	char *seen = xcalloc((size_t)d->ntrain, 1);
	int total = 0;

	for (size_t p = 0; p < ARRAY_LEN(part); p++) {
		for (int i = 0; i < part[p]->n; i++) {
			const int at = images_at(part[p], i);

			ck_assert(at >= 0 && at < d->ntrain && !seen[at]);
			seen[at] = 1;
			ck_assert_int_eq(images_label(part[p], i), d->train_labels[at]);
		}
		total += part[p]->n;
	}
	ck_assert_int_eq(total, d->ntrain);
	ck_assert_ptr_eq(s.test.labels, d->test_labels);
	free(seen);
	splits_release(&s);
	dataset_free(d);
}
END_TEST

/* Each part's class counts are within one of exact proportion, plus what the parts dealt before it rounded. */
START_TEST(classes_are_in_proportion)
{
	struct dataset *d = make(10, 13);
	struct splits s = split(d, 3, 0, 0);
	const struct images *part[] = { &s.pool, &s.attacker_val, &s.val, &s.owner };
	int n[10];

	for (int p = 0; p < 4; p++) {
		count(part[p], n);
		for (int k = 0; k < 10; k++) {
			const double exact = (double)part[p]->n * (k + 1) * 13 / d->ntrain;

			ck_assert_double_lt(n[k], exact + (p == 3 ? 3 : 1.05));
			ck_assert_double_gt(n[k], exact - (p == 3 ? 3 : 1.05));
		}
	}
	splits_release(&s);
	dataset_free(d);
}
END_TEST

START_TEST(limits_are_stratified)
{
	struct dataset *d = make(4, 100); /* 100 + 200 + 300 + 400 */
	struct splits s = split(d, 5, 600, 6);
	int all[4] = { 0 }, n[4];
	const struct images *part[] = { &s.pool, &s.attacker_val, &s.val, &s.owner };

	for (int p = 0; p < 4; p++) {
		count(part[p], n);
		for (int k = 0; k < 4; k++)
			all[k] += n[k];
	}
	for (int k = 0; k < 4; k++)
		ck_assert_int_eq(all[k], 60 * (k + 1));
	ck_assert_int_eq(s.pool.n, 100);
	ck_assert_int_eq(s.owner.n, 480);
	ck_assert_int_eq(s.test.n, 6);
	count(&s.test, n);
	for (int k = 0; k < 4; k++)
		ck_assert(n[k] == 1 || n[k] == 2);
	splits_release(&s);
	s = split(d, 5, 5000, 5000); /* more than there are: all */
	ck_assert_int_eq(s.owner.n + s.val.n + s.pool.n + s.attacker_val.n, 1000);
	ck_assert_int_eq(s.test.n, 12);
	splits_release(&s);
	dataset_free(d);
}
END_TEST

START_TEST(seed_decides_and_test_stays)
{
	struct dataset *d = make(5, 20);
	struct splits a = split(d, 1, 0, 7), b = split(d, 1, 0, 7), c = split(d, 2, 0, 7);

	ck_assert(!memcmp(a.index, b.index, (size_t)(d->ntrain + 7) * sizeof(int)));
	ck_assert(memcmp(a.index, c.index, (size_t)d->ntrain * sizeof(int)));
	ck_assert(!memcmp(a.test.index, c.test.index, 7 * sizeof(int)));
	splits_release(&a);
	splits_release(&b);
	splits_release(&c);
	dataset_free(d);
}
END_TEST

/* The first images of a view are a sample of all classes, though the data set may be sorted. */
START_TEST(views_are_shuffled)
{
	struct dataset *d = make(4, 100);
	struct splits s;
	struct images few;
	int n[4];

	for (int i = 0, k = 0; k < 4; k++)
		for (int j = 0; j < (k + 1) * 100; j++)
			d->train_labels[i++] = (uint8_t)k;
	s = split(d, 9, 0, 0);
	few = images_first(s.owner, 100);
	count(&few, n);
	for (int k = 0; k < 4; k++)
		ck_assert_int_gt(n[k], 2);
	splits_release(&s);
	dataset_free(d);
}
END_TEST

/* Keys of cells depend on it: raise ENGINE_VERSION when this changes on purpose. */
START_TEST(indices_are_pinned)
{
	struct dataset *d = make(3, 40);
	struct splits s = split(d, 42, 0, 0);
	char hex[HASH_HEX], text[32];
	struct hash h;

	hash_init(&h);
	for (int i = 0; i < d->ntrain + d->ntest; i++)
		hash_add(&h, text, (size_t)snprintf(text, sizeof(text), "%d,", s.index[i]));
	hash_end_hex(&h, hex);
	ck_assert_str_eq(hex, "39ad0a7db3975a98617825c7a394db37de554a0ca292732ceb2d24fe1ecac6e9");
	splits_release(&s);
	dataset_free(d);
}
END_TEST

START_TEST(small_sets_and_bad_limits_are_refused)
{
	struct dataset *d = make(4, 100);
	struct splits s;

	ck_assert_int_eq(splits_make(&s, d, 1, SPLITS_MIN - 1, 0), -1);
	EXPECT_ERROR("made-up", "59", "60");
	ck_assert_int_eq(splits_make(&s, d, 1, -1, 0), -1);
	EXPECT_ERROR("negative");
	splits_release(&s); /* harmless after a failure */
	s = split(d, 1, SPLITS_MIN, 1);
	ck_assert(s.owner.n > 0 && s.val.n > 0 && s.pool.n > 0 && s.attacker_val.n > 0 && s.test.n == 1);
	splits_release(&s);
	dataset_free(d);
}
END_TEST

Suite *suite_split(void);
Suite *suite_split(void)
{
	Suite *s = suite_create("split");
	TCase *tc = tcase_create("split");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, sizes_of_the_usual_set);
	tcase_add_loop_test(tc, parts_are_disjoint_and_complete, 0, 5);
	tcase_add_test(tc, classes_are_in_proportion);
	tcase_add_test(tc, limits_are_stratified);
	tcase_add_test(tc, seed_decides_and_test_stays);
	tcase_add_test(tc, views_are_shuffled);
	tcase_add_test(tc, indices_are_pinned);
	tcase_add_test(tc, small_sets_and_bad_limits_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
