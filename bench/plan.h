/* What a job still has to do on a store: tasks in an order that makes every artefact once, before whoever needs it. */
#ifndef LB_BENCH_PLAN_H
#define LB_BENCH_PLAN_H

#include "bench/job.h"
#include "bench/store.h"

enum task_state { TASK_WAITING, TASK_RUNNING, TASK_DONE, TASK_FAILED };

struct task {
	enum stage stage;
	int cell;              /* whose point it is made from: index in job->cells */
	char key[65];
	int after;             /* the task it waits for, -1: none */
	double seconds;        /* predicted for this machine when idle */
	bool guess;            /* ... without earlier runs of the kind on this store */
	enum task_state state; /* changed by run.c */
};

struct plan {
	struct task *t;
	int n;
	bool *cached;          /* (job->n) */
	int ncached, todo;     /* cells */
	double seconds, bytes; /* predicted, of what is still to do; on one worker */
	int guesses;           /* tasks whose seconds are guesses */
};

/* st NULL: an empty store. threads: of a worker (predictions only). 0, or -1 after error(). */
int plan_make(struct plan *pl, struct store *st, const struct job *j, int threads);
/* Seconds until all of it is done by so many workers, who take tasks as run.c hands them out. */
double plan_elapsed(const struct plan *pl, int workers);
void plan_release(struct plan *pl);

/* "activeguard watermark=scratch": the scheme, with options that differ from the tier's. buf of at least 200 bytes. */
const char *scheme_text(const struct point *p, char *buf);
/* "seed 1, activeguard watermark=scratch, prune rate=0.5"; buf of at least 512 bytes. */
const char *point_text(const struct point *p, char *buf);

#endif
