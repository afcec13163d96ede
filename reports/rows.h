/* Cells become rows: one group for each (context, scheme + options, attack + options), its cells across seeds.
 *
 * A context is everything that numbers of one table must share: data set and its hash, model, limits, recipe, tier, engine and
 * kernel. Two contexts are never mixed, unless the selection says so. A scheme or attack that occurs with several settings becomes several variants, named by
 * the options that differ. An attack's strength option is not part of its variant: it is the variant's axis.
 *
 * The order does not depend on the input's: contexts, schemes (controls first), variants, strengths and seeds are sorted.
 * Everything is borrowed from the input or owned by struct rows. */
#ifndef LB_REPORTS_ROWS_H
#define LB_REPORTS_ROWS_H

#include "base/arena.h"
#include "metrics/metric.h"
#include "reports/report.h"
#include <stdbool.h>

/* A number across the seeds of a group. n < of: seeds are missing, and there is no mean; show n/of. */
struct summary {
	int n, of;         /* cells that define the metric, of all cells that there should be */
	double mean;
	double low, high;  /* n > 1: 95 % t-interval over seeds, inside the metric's range, and of a proportion never narrower
			    * than the exact one over all trials; n = 1: the cell's exact interval */
	double min, max;   /* over seeds */
	bool pooled;       /* the seeds (nearly) agree: low, high or both are of the exact interval over all trials; test images that every
			    * seed is judged on count once */
	bool drawn;        /* low, high are of the two-level bootstrap: group_bootstrap() */
	long k, trials;    /* successes of trials, summed; trials = 0 where the metric is not a proportion */
};

struct group {
	int context, scheme;    /* indices; a hidden scheme's is nschemes or more */
	int series;             /* index of the attack's variant; -1: functional, no attack */
	bool has_strength;      /* strength is set */
	double strength;
	const json_t *options;  /* of the attack; NULL when functional */
	const json_t **cell;    /* (ncells) by seed */
	int ncells;
	const json_t **failure; /* (nfailures): bench/cell.h's failure files */
	int nfailures;
	const char *scheme_key, *attack_key; /* private */
};

struct scheme_row {
	const char *name, *label; /* label: "activeguard (watermark=none)" */
	const char *key;          /* private */
	const json_t *options;
	int users, per_user;
	bool control;             /* none, keycheck */
	bool hidden;              /* not selected: behind the others, beyond nschemes */
};

struct series {
	const char *attack, *label; /* label: "forge (method=fgsm)" */
	const char *goal;           /* "remove", ... or "" */
	const char *strength;       /* the strength option's name, or NULL */
	const char *key, *plain_key; /* private */
	const json_t *options;      /* of its first group */
};

struct context {
	const char *dataset, *dataset_hash, *model, *tier;
	long limit_train, limit_test; /* 0: all */
	const char *label;            /* "mnist, lenet5", with what tells it from another of the same name */
	const json_t *sample;         /* a cell or point of it */
	const char *key;              /* private */
	struct scheme_row *scheme;
	int nschemes;
	struct series *series;
	int nseries;
	const char *seeds;            /* "1, 2, 3" */
	int nseeds;
};

/* A bootstrap interval that was computed already. Private. */
struct drawn { const struct group *g; const char *metric; bool ok; double low, high; };

struct rows {
	struct arena mem;
	struct drawn *drawn; /* private */
	int ndrawn, room;
	struct context *context;
	int ncontexts;
	struct group *group;
	int ngroups, ncells, nfailures;
	int nall;                  /* groups with those of schemes that were not selected, which follow the others */
	const char *const *picked; /* metrics that were asked for, NULL-terminated; NULL: all */
};

void rows_make(struct rows *r, const struct report_input *in);
void rows_release(struct rows *r);

/* NULL when there is none. series -1: the functional group. nth: 0, 1, ... by strength. */
const struct group *rows_group(const struct rows *r, int context, int scheme, int series, int nth);
/* The group's cell of that seed, or NULL. */
const json_t *group_cell(const struct group *g, long long seed);
/* A metric of a cell: 1 and *v, or 0. */
int cell_metric(const json_t *cell, const char *metric, double *v);
/* The metric across seeds: 1, or 0 when no cell of the group defines it (not applicable). */
int group_summary(const struct group *g, const char *metric, struct summary *s);
/* For a share of test images of an unattacked group with three seeds or more, replace the interval of *s by the two-level bootstrap's over
 * seeds and images (every seed is judged on the same ones: metrics/stat/bootstrap.h, BOOT_CROSSED); whether it did. */
bool group_bootstrap(struct rows *r, const struct group *g, const char *metric, struct summary *s);
/* The same as group_summary() for {key: value} of the cells' timing files. */
int group_timing(const struct group *g, const json_t *timings, const char *metric, struct summary *s);
/* "OK", "NOOP", "ATTACK-BROKEN", "N/A", "FAILED", ... of cell i (0 .. ncells - 1, then the failures); why: set to its reason.
 * ATTACK-BROKEN is decided here: the same attack, options and seed failed on scheme `none`, or changed nothing there though
 * its strength is not zero. */
const char *group_verdict(const struct rows *r, const struct group *g, int i, const char **why);
/* One text for the whole group: "OK", or "OK 2, FAILED 1". In r's memory. UNDERPOWERED is decided here as well: forged credentials were
 * accepted so rarely, and so few submitted, that nobody can say whether the lock holds (attempts_decide()). */
const char *group_verdicts(struct rows *r, const struct group *g);
/* Did every cell end with numbers of what it was made for (OK, or UNDERPOWERED, which may still be pooled over seeds)? */
bool group_sound(const struct rows *r, const struct group *g);

/* What the surveys ask of a protected model, in their order; NULL-terminated. A reading order: other metrics follow. */
extern const char *const surveyed_metrics[];
/* The metric's driver, or NULL for a name that this program does not know (it is reported all the same). */
const struct metric *metric_named(const char *name);
const char *metric_title(const char *name);
const char *metric_unit(const char *name);
/* Names of all metrics that any of the groups of (context, series) defines; series -1: functional, -2: every attack.
 * In reading order: what a lock is for first, then the metrics table's order, then unknown names. NULL-terminated, in r's memory. */
const char **rows_metrics(struct rows *r, int context, int series);

/* "0.5", "1,2,3", "scratch": an option's value for people. In mem. */
const char *option_text(struct arena *mem, const json_t *value);
/* Its value as a number; def when it is none. */
double option_number(const json_t *options, const char *name, double def);

#endif
