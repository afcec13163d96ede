/* datasets/synthetic.c: always there, always the same bytes, neither empty nor trivial. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/tile.h"
#include "datasets/dataset.h"

enum { PIXELS = 28 * 28 };

static struct dataset *load(void)
{
	struct dataset *d = dataset_load("synthetic", NULL);

	ck_assert_msg(d != NULL, "%s", error_text());
	return d;
}

/* Raise the driver's version when this changes on purpose. */
START_TEST(bytes_are_pinned_for_any_threads)
{
	static const int threads[] = { 1, 2, 3, 8 };
	struct dataset *d;

	tile_threads(threads[_i]);
	d = load();
	ck_assert_str_eq(d->hash, "9c68174e33c692527c11ed4579c5273648acedb9d716e522e8aece291f4cdc84");
	dataset_free(d);
}
END_TEST

START_TEST(sizes_and_classes)
{
	struct dataset *d = load();
	int count[10] = { 0 };

	ck_assert_int_eq(d->ntrain, 6000);
	ck_assert_int_eq(d->ntest, 1000);
	ck_assert_int_eq(d->c * d->h * d->w, PIXELS);
	ck_assert_str_eq(d->where, "(generated)");
	ck_assert_str_eq(d->class_names[2], "cross");
	for (int i = 0; i < d->ntest; i++)
		count[d->test_labels[i]]++;
	for (int k = 0; k < 10; k++)
		ck_assert_int_eq(count[k], 100);
	dataset_free(d);
}
END_TEST

START_TEST(no_test_image_is_a_training_image)
{
	struct dataset *d = load();

	for (int i = 0; i < 100; i++)
		for (int j = 0; j < d->ntrain; j++)
			ck_assert(memcmp(d->test_px + (size_t)i * PIXELS, d->train_px + (size_t)j * PIXELS, PIXELS));
	dataset_free(d);
}
END_TEST

/* Nearest class mean, the simplest learner: better than chance, far from enough. */
START_TEST(learnable_but_not_by_the_mean)
{
	static double mean[10][PIXELS];
	struct dataset *d = load();
	int right = 0;

	for (int i = 0; i < d->ntrain; i++)
		for (int p = 0; p < PIXELS; p++)
			mean[d->train_labels[i]][p] += d->train_px[(size_t)i * PIXELS + p] / 600.0;
	for (int i = 0; i < d->ntest; i++) {
		double best = 1e30;
		int at = 0;

		for (int k = 0; k < 10; k++) {
			double s = 0;

			for (int p = 0; p < PIXELS; p++)
				s += (mean[k][p] - d->test_px[(size_t)i * PIXELS + p]) * (mean[k][p] - d->test_px[(size_t)i * PIXELS + p]);
			if (s < best) {
				best = s;
				at = k;
			}
		}
		right += at == d->test_labels[i];
	}
	ck_assert_int_gt(right, 200);
	ck_assert_int_lt(right, 800);
	dataset_free(d);
}
END_TEST

Suite *suite_synthetic(void);
Suite *suite_synthetic(void)
{
	Suite *s = suite_create("synthetic");
	TCase *tc = tcase_create("synthetic");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, bytes_are_pinned_for_any_threads, 0, 4);
	tcase_add_test(tc, sizes_and_classes);
	tcase_add_test(tc, no_test_image_is_a_training_image);
	tcase_add_test(tc, learnable_but_not_by_the_mean);
	suite_add_tcase(s, tc);
	return s;
}
