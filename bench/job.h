/* Jobs: a YAML file that spans a grid of study points. docs/guide.md has the grammar.
 *
 *   name: demo                 tier: smoke|short|paper      dataset: fashion-mnist      model: lenet5
 *   seeds: [1, 2] or 3         train: {epochs: 5}           limit: {train: 6000, test: 1000}
 *   users: 0                   credentials_per_user: 10     timeout: 600                controls: true
 *   access: [black, white]     attacker_data: overlap       search: 8                   budget: {queries: 1000, labels: 500}
 *   schemes: [activeguard: {watermark: scratch}]            attacks: [prune: {rate: [0, 0.5]}]
 *   blocks: [{schemes: ..., attacks: ...}, ...]             several grids; each inherits what it does not say
 */
#ifndef LB_BENCH_JOB_H
#define LB_BENCH_JOB_H

#include "bench/keys.h"

#define JOB_CELLS_MAX 100000

struct job_cell {
	struct point p;
	struct keys key;
	int ntrain, ntest;  /* images of the data set, before limits */
	char *inapplicable; /* why the cell is n/a, or NULL (owned) */
};

struct job {
	char name[64];
	int tier;
	double timeout;          /* seconds for each task; 0: none */
	double memory;           /* MiB of addresses for each worker process; 0: no limit but the system's */
	struct job_cell *cells;  /* no key twice; in the order of the file */
	int n;
	char *command;           /* what a user types to run it again */
};

/* Everything of a job that can be checked without data: names, options, ranges, size of the grid. where: file name for messages;
 * sets: n texts "a.b=c" that override the file. 0, or -1 after error(). The caller releases j in both cases. */
int job_parse(struct job *j, const char *text, size_t len, const char *where, const char *const *sets, int nsets);
/* Find the data sets, fill in shapes, hashes, users and keys, drop repeated cells. Once, after job_parse(). */
int job_resolve(struct job *j, const char *data_dir);
/* Both, from a file. */
int job_load(struct job *j, const char *path, const char *const *sets, int nsets, const char *data_dir);
void job_release(struct job *j);

#endif
