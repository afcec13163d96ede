/* What a run measured: rows, the table for people, the JSON array for programs, and the history that shows a slowdown. */
#ifndef LB_BENCH_SPEED_RESULT_H
#define LB_BENCH_SPEED_RESULT_H

#include "bench/speed/peak.h"
#include <jansson.h>
#include <stdio.h>

#define ROWS_MAX 64
#define HISTORY_RUNS 5 /* whose median is the measure of a change */

struct row {
	const char *job, *unit;
	int threads;
	double per_s, best;  /* median and best slice */
	double gflops;       /* 2 * macs * passes * per_s; NAN where no multiplications are counted */
	double fraction;     /* of the peak of as many threads; NAN likewise */
	double scaling;      /* against 1 thread, median over slices that followed each other; NAN for that and where it was not measured */
	double ceiling;      /* two processes of 1 thread at the same time against one, likewise: what the machine gives */
	double rss;          /* MiB */
	double change;       /* per_s against the median of earlier runs, 0.03: 3 % faster; NAN: no history */
};
struct rows {
	struct row at[ROWS_MAX];
	int n;
};
/* What was measured where. */
struct machine {
	char cpu[128], commit[64], date[32];
	const char *isa;
};
void machine_read(struct machine *m);

/* Fill gflops and fraction from per_s. work: 2 * macs * passes of one unit. */
void row_derive(struct row *row, double work, const struct peak *p);

/* At most 100 columns. The head is printed first, a row as it comes. */
void table_head(FILE *out, const struct machine *m, const struct peak *p, double seconds);
void table_row(FILE *out, const struct row *r);
void table_foot(FILE *out, const struct rows *r);

/* [{job, threads, images_per_s, gflops, peak_fraction, peak_rss_mib, unit, best_per_s, scaling, scaling_of_processes}]: gflops and
 * peak_fraction are null where no multiplications are counted, the last two on one thread. New reference. */
json_t *rows_json(const struct rows *r);

/* $XDG_STATE_HOME/lockbench/bench.jsonl, or bench-history.jsonl beside this program (in build/). Caller frees. */
char *history_path(void);
/* Set change of row i from the last HISTORY_RUNS runs in path that had this processor, instruction set, job, threads. */
void history_compare(const char *path, const struct machine *m, struct row *r);
/* Append one line: {date, commit, cpu, isa, peak, rows: [{job, threads, images_per_s}]}. 0, or -1 after error(). */
int history_add(const char *path, const struct machine *m, const struct peak *p, const struct rows *r);

#endif
