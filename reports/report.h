/* Reports: read cell files and nothing else, write text for people. */
#ifndef LB_REPORTS_REPORT_H
#define LB_REPORTS_REPORT_H

#include <jansson.h>

/* cells: array of cell objects (bench/cell.h); timings: object key -> timing object; failures: array. All borrowed. */
struct report_input {
	const json_t *cells, *timings, *failures;
	const char *title;
	const char *store_hash;
	const char *command; /* that made the store, for "how to repeat" */
};
/* path's extension decides: .html .md .tex .csv .json. 0, or -1 after error(). */
int report_write(const struct report_input *in, const char *path);

/* Tables I-VI and Figures 5-6 of ActiveGuard from cells of one dataset. Returns an array of objects {table, row, column, published,
 * ours, low, high, n, verdict, note} ("published" null where the paper has no figure for this data set). Caller decrefs. */
json_t *activeguard_values(const struct report_input *in, const char *dataset);
/* The same for people: terminal table on stdout, or a page (.html .md .tex .csv .json by extension). */
int activeguard_write(const json_t *values, const struct report_input *in, const char *dataset, const char *path);
void activeguard_print(const json_t *values, const char *dataset);

#endif
