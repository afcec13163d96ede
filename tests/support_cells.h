/* A store's worth of cells, made by hand: what a run on Fashion-MNIST or MNIST would leave, with the harness's members.
 * Numbers are plausible, not measured; the same arguments give the same JSON. */
#ifndef LB_TESTS_SUPPORT_CELLS_H
#define LB_TESTS_SUPPORT_CELLS_H

#include "reports/report.h"

struct sample {
	json_t *cells, *timings, *failures; /* owned */
	struct report_input in;             /* borrows them */
};
/* dataset "mnist": with wm1, wm2, fine-tuned and further watermarks, as `reproduce activeguard` needs; else one watermark.
 * limit: training and test images, 0: all. */
void sample_make(struct sample *s, const char *dataset, int seeds, int limit);
void sample_release(struct sample *s);

/* One functional cell of scheme, to be changed by the test. Caller decrefs. */
json_t *sample_cell(const char *dataset, const char *scheme, long long seed);
/* A cell under an attack: options are "name=number" of its strength. */
json_t *sample_attacked(const char *dataset, const char *scheme, const char *attack, const char *option, double strength, long long seed);
/* A functional cell that holds nothing but authorised_correct on `images` images, round(accuracy * images) of them right, and the
 * metrics that follow. The images that two cells of one seed get wrong overlap as those of two trained networks do: each image
 * has a difficulty of its own, to which `run` adds a little. */
json_t *sample_measured(const char *scheme, long long seed, const char *run, int images, double accuracy);
/* A metric in a cell. */
void sample_metric(json_t *cell, const char *name, double value, double low, double high, long k, long n);
/* Write in the format of ext into the directory dir (a literal of a sandbox); the file's text, caller frees. NULL: it failed. */
char *sample_report(const struct report_input *in, const char *path);

/* Strings that try to break out of any format. NULL-terminated. */
extern const char *const hostile[];

#endif
