/* Small data sets for the tests of datasets/: IDX files, image folders, and a search path with nothing else in it. */
#ifndef LB_TESTS_SUPPORT_DATA_H
#define LB_TESTS_SUPPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sandbox_open() and only the sandbox searched (besides /usr/share/datasets). */
void data_open(void);

/* IDX bytes; caller frees. Pixel k of the file is (k * 7 + salt) % 256, label i is i % 10. */
uint8_t *make_idx_images(uint32_t n, uint32_t h, uint32_t w, int salt, size_t *len);
uint8_t *make_idx_labels(uint32_t n, size_t *len);
/* Four files in sandbox folder dir (made): 30 + 20 images of 4x5; gz: compressed. */
void write_idx_set(const char *dir, bool gz);
void write_gz(const char *name, const void *data, size_t len);

/* sandbox folder made with its parents. */
void make_folder(const char *name);
/* A PNG (c, h, w) of constant grey, in the sandbox. */
void write_png(const char *name, int c, int h, int w, uint8_t level);
/* dir/train and dir/test with classes "ant", "bee": 3 images each in train, 2 in test; of 6x4, grey; ant dark, bee bright. */
void write_image_set(const char *dir);

/* The folder with real data ($LOCKBENCH_DATA or ../shared/data) when it holds mnist/; else NULL after a line
 * "skipped: ..." naming the test. Call before data_open(). */
const char *real_data(const char *test);

/* The call failed, with every word in the recorded message, which is then cleared. */
void expect_error(const char *const *words);
#define EXPECT_ERROR(...) expect_error((const char *const[]){ __VA_ARGS__, NULL })

#endif
