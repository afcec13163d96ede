/* Cost to break (metrics.md 9.1 - 9.3; attacks.md 0.5): what all attacks of a class on one lock recover for one kind of budget, running best, per seed,
 * net of training from scratch. */
#ifndef LB_METRICS_STAT_BREAKING_H
#define LB_METRICS_STAT_BREAKING_H

#include "metrics/stat/curve.h"

enum axis { AXIS_QUERIES, AXIS_LABELS, AXIS_FORWARDS, AXES };
extern const char *const axis_names[]; /* "queries", "labels", "forwards" */

/* One cell: an attack (or training from scratch) that made something usable of a lock, and what that took. */
struct attempt {
	long long seed;
	double spent[AXES];           /* 0 counts as 1: the axes are logarithmic */
	double accuracy;              /* percent: what the attacker has */
	double base, authorised;      /* percent: the larger of locked and chance; users' */
	int level;                    /* access it needed; of scratch: ignored */
	bool scratch;                 /* the control: the attacker's own labels, nothing of the owner's */
};

/* (A - base) / (authorised - base), unclipped; authorised must be above base. */
double recovery_of(const struct attempt *a);

/* 9.3, over seeds: the smallest budget at which a level was reached. */
struct reach {
	int seeds, reached;           /* in how many of them */
	bool known;                   /* at least half: median is set */
	double median;                /* Kaplan-Meier; seeds in which it was not reached count with the largest budget tried */
	double tried;                 /* that, the largest of all seeds */
};

struct breaking {
	int seeds, points;            /* attempts that count, without scratch */
	double low, high;             /* budgets between which areas are taken: the smallest and largest tried, scratch included */
	double area;                  /* 9.2: mean height of the running best over log budget, mean over seeds; low == high: its height */
	bool has_net;                 /* every seed has scratch, and the axis is one that it spends on: it asks no queries */
	double area_net;              /* the same of what exceeds the running best of scratch */
	struct reach half, practical, full; /* R of at least 0.5; within 5, within 2 points of authorised */
	bool has_margin;
	double margin;                /* 9.3: log2(practical / budget of scratch for the same accuracy), bits; both medians are known */
};

/* Of those attempts that need at most `level`, and those from scratch. An attempt that used labels and is no better than scratch on at
 * least as few labels of its seed took nothing (attacks.md 0.5): it counts for no reach and for no net area, but in the area.
 * false: no attempt. */
bool breaking_of(const struct attempt *a, int n, enum axis axis, int level, struct breaking *out);
/* The running best of one seed, or of all of them together (any = true); false: no attempt. Caller frees. */
bool breaking_curve(const struct attempt *a, int n, enum axis axis, int level, bool scratch, bool any, long long seed, struct curve *c);

#endif
