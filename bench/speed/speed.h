/* The commands of build/speed: what a run was asked for, and how a row is measured. */
#ifndef LB_BENCH_SPEED_SPEED_H
#define LB_BENCH_SPEED_SPEED_H

#include "bench/speed/job.h"
#include "bench/speed/result.h"

struct ask {
	double seconds;       /* a row; BENCH_SECONDS */
	const char *json;     /* where to write JSON, NULL: nowhere; BENCH_JSON */
	int threads[2], n;    /* 1, and 2 where two processors may be used */
	const char *patterns[32]; /* extended regular expressions of which one must match; none: every row */
	int npatterns;
};

/* Does a row's name match? -1 after error() when a pattern is no regular expression. */
int ask_wants(const struct ask *a, const char *name);
/* Measure a row in a process of its own. 0 with *work = flop of one unit (0: not counted), or -1 after error(). */
int measure_row(const struct job *j, int threads, double seconds, struct row *out, double *work);
const struct job *job_find(const char *name); /* NULL when absent */

/* The commands: exit codes, or -1 after error(). */
int speed_table(const struct ask *a);
int speed_peer(const struct ask *a);
int speed_layers(const struct ask *a);

#endif
