/* Runs a job on a store with worker processes. */
#ifndef LB_BENCH_RUN_H
#define LB_BENCH_RUN_H

#include "bench/job.h"
#include <stdbool.h>

struct run_options {
	const char *store;    /* directory, made when missing */
	const char *data_dir; /* or NULL */
	int workers;          /* processes, at least 1 */
	int threads;          /* of each worker; 0: processors / workers */
	bool json;            /* print the summary as JSON */
	bool silent;          /* print no summary */
};

/* An exit code (EXIT_YES, EXIT_FAILED_CELLS; EXIT_MEMORY when every task ran out of it), or -1 after error()
 * (interrupted, disk full, store in use, no worker can be started). Prints a summary. */
int run_job(const struct job *j, const struct run_options *o);

/* Where a worker answers. */
#define REPLY_FD 3
/* In a worker process, first thing: what ends it is told there from now on. */
void worker_words(void);

#endif
