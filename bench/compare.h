/* Is the candidate worse than the baseline? Per comparison (pair.h) and metric: a difference, its interval, a verdict.
 *
 * The seed is the unit: d = candidate - baseline, one a seed. A difference is shown when
 *   - the paired t-test over seeds, Holm-adjusted over all metrics that have a direction (the others are a family of their own), has
 *     p <= 0.05, and
 *   - the 95 % interval leaves out zero. Where the cells hold the single trials that interval is the paired bootstrap's, over seeds and
 *     images (BOOT_CROSSED where every seed is judged on the same test images, else BOOT_NESTED), else Student's t.
 * A difference that is shown, and larger than the metric's margin, is better or worse by the metric's direction ("differs" where it has
 * none). Same: the 90 % interval lies within the margin (two one-sided tests, metrics.md 8.4), or nothing differs at all. Everything
 * else is undecided, and `detectable` says what these seeds could see.
 * Counts that are one and the same number in every seed of either side (bytes, users) need no test: they differ or they do not.
 * Five seeds cannot reach 5 % with Wilcoxon's test, so the t-test decides. */
#ifndef LB_BENCH_COMPARE_H
#define LB_BENCH_COMPARE_H

#include "bench/margin.h"
#include "bench/pair.h"

enum compare_verdict { COMPARE_SAME, COMPARE_BETTER, COMPARE_WORSE, COMPARE_DIFFERS, COMPARE_UNDECIDED };
extern const char *const compare_words[]; /* "same", "better", "worse", "differs", "not decidable" */

struct difference {
	int group;               /* index into pairs->group */
	const char *metric;      /* "verdict": what a cell's verdict became */
	enum compare_verdict verdict;
	const char *method;      /* "identical", "exact", "t", "bootstrap", "" */
	const char *why;         /* of an undecided one, and of a verdict */
	int n;                   /* seeds with a number on both sides */
	bool numbers;            /* n > 0: baseline, candidate and value are set */
	double baseline, candidate; /* means over seeds */
	double value, low, high; /* mean difference and its 95 % interval (n = 1: of the trials alone; NAN where there is none) */
	bool tested;             /* p, adjusted are set */
	double p, adjusted;
	bool within;             /* the 90 % interval lies within the margin */
	double margin, sd;       /* sd of the seeds' differences; NAN for n < 2 */
	double detectable;       /* smallest mean difference seen in 80 % of cases; NAN where sd says nothing */
	int better;              /* of the metric */
};

struct compare_conf {
	const struct margins *margins;
	int replicates;          /* of the bootstrap */
};

struct comparison {
	struct difference *d;    /* by group, then metric */
	int n, count[5];         /* by verdict */
	struct arena mem;
};

void compare_pairs(const struct pairs *p, const struct compare_conf *c, struct comparison *out);
void comparison_release(struct comparison *c);

/* ---- for people and programs (compare_out.c) ---- */

/* partial: cells that one side lacks, or that cannot be read, do not matter. */
struct compare_names { const char *baseline, *candidate; bool all, strict, partial; };

/* Does one side lack cells that the other has, or has one cells that cannot be read? */
bool compare_lacks(const struct pairs *p);
/* EXIT_YES, EXIT_NO (something is worse) or EXIT_UNEVALUABLE (cells lack, unless partial; strict, and something is undecided). */
int compare_exit(const struct comparison *c, const struct pairs *p, bool strict, bool partial);
void compare_print(const struct comparison *c, const struct pairs *p, const struct compare_names *names);
json_t *compare_json(const struct comparison *c, const struct pairs *p, const struct compare_names *names);
/* Does path end in .md, .xml (JUnit) or .json? 0, or -1 after error(). */
int compare_output_name(const char *path);
/* In the format that path's end names. 0, or -1 after error(). */
int compare_write(const struct comparison *c, const struct pairs *p, const struct compare_names *names, const char *path);

#endif
