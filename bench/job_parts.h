/* The pieces of reading a job file. Private to job.c (the file as a whole), job_read.c (what a grid says), job_set.c (--set) and job_expand.c
 * (grids become cells). Text -> tree (yaml.c) -> overrides -> grids -> points; every name, option and range is checked on the way, with the
 * place in the file, before any data is looked at. Functions that can fail return -1 after error(). */
#ifndef LB_BENCH_JOB_PARTS_H
#define LB_BENCH_JOB_PARTS_H

#include "bench/job.h"
#include "bench/yaml.h"

/* One grid, with what it inherits from the header. */
struct grid {
	char dataset[64], model[64];
	const struct yaml *train[2]; /* of the header and of the block, may be NULL */
	int limit_train;             /* -1: not said, the tier's for the model */
	int limit_test, users, per_user, controls;
	int access[LEVELS], naccess;
	bool overlap[2];             /* attackers' data: disjoint, overlapping, or both in turn */
	int noverlap;
	struct attacker attacker;    /* its search and budget; level and overlap are those above */
	int *seed, nseeds;           /* in the arena */
	const struct yaml *schemes, *attacks;
};

struct parser {
	struct job *job;
	struct arena mem;
	struct yaml *root;
	int room; /* of job->cells */
};

/* Is y of that kind? key: what messages call it. */
int job_want(const struct yaml *y, enum yaml_kind kind, const char *key);
/* That a key is none of the n names; returns -1. */
int job_unknown_key(const struct yaml *key, const char *const *names, size_t n);

/* Name, tier and time limit of the job. */
int job_read_head(struct parser *ps);
/* What a grid of the job's tier is before the file says anything of it. */
void job_tier_grid(struct parser *ps, struct grid *g);
/* What the head of a job (header) or a block says of its grid. */
int job_read_members(struct parser *ps, const struct yaml *map, bool header, struct grid *g);

/* Apply "a.b=c" to the tree. */
int job_apply_set(struct parser *ps, const char *text);

/* Append the grid's cells to the job. */
int job_add_grid(struct parser *ps, const struct grid *g);

#endif
