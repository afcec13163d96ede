/* The commands of build/speed: what a run was asked for, and how a row is measured. */
#ifndef LB_BENCH_SPEED_SPEED_H
#define LB_BENCH_SPEED_SPEED_H

#include "bench/speed/job.h"
#include "bench/speed/result.h"

#define ROUNDS_MAX 9

struct ask {
	double seconds;       /* a row; BENCH_SECONDS */
	const char *json;     /* where to write JSON, NULL: nowhere; BENCH_JSON */
	int threads[2], n;    /* 1, and 2 where two processors may be used */
	const char *patterns[32]; /* extended regular expressions of which one must match; none: every row */
	int npatterns;
	int rounds;           /* of peer and ours, 1 .. ROUNDS_MAX; BENCH_ROUNDS */
};

/* Does a row's name match? -1 after error() when a pattern is no regular expression. */
int ask_wants(const struct ask *a, const char *name);
/* Rows of a job, and the flop of one unit (0: not counted). */
struct measured {
	struct row row[2];
	double work;
};
/* Measure j at n (1 or 2) numbers of threads, each in a process of its own, slice by slice in turn, `seconds` each or a little more.
 * 0, or -1 after error(). */
int measure(const struct job *j, const int *threads, int n, double seconds, struct measured *out);
const struct job *job_find(const char *name); /* NULL when absent */

/* The commands: exit codes, or -1 after error(). */
int speed_table(const struct ask *a);
int speed_peer(const struct ask *a);
int speed_layers(const struct ask *a);

#endif
