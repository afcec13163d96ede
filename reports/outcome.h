/* What an attack did to a scheme, in one word, by the success predicates of the field, and what that cost.
 *
 * A usable model (goals use and remove, a channel that unlocks). Recovery R = (A_att - A_base) / (A_auth - A_base), A_base the
 * larger of the service's accuracy without a credential and chance. PARTIAL: R >= 0.5. PRACTICAL: A_att >= A_auth - 5 points (the
 * stealing loss of Lukas et al., "SoK: How robust is image classification deep neural network watermarking?", S&P 2022).
 * FULL: A_att >= A_auth - 2 points. An attack that used labels and is no better than a network trained from scratch on as many
 * labels of the same seed (attack `scratch`) stole nothing: NO GAIN. Where the service answers everybody there is no lock: OPEN.
 * Credentials (impersonate): the probability that one of m attempts is accepted, 1 - (1 - p)^m. FULL: at least 0.5 for m = 10,
 * PARTIAL: for m = 1000; p is the lower end of its exact interval, so that luck is no success.
 * The owner's mark (remove): gone in most seeds, FULL at a loss of at most 2 points of accuracy, PRACTICAL at most 5;
 * AT A LOSS of more it is no success.
 * Service and tracing (degrade): FULL when less than half of the accepted credentials (or of the accuracy) is left, PARTIAL
 * when more than 5 points are lost; EVADED, FULL, when queries still work and less than half of them is traced.
 * Colluders (disown): credentials of their making that are accepted and lead to none of them; FULL when half of them do, PARTIAL when more
 * than 5 %.
 * Differs: for the last four the reference names rates, not words; the limits above are ours.
 *
 * "No mean over missing cells": a group with a cell that failed, or is broken, has no word but its verdicts. */
#ifndef LB_REPORTS_OUTCOME_H
#define LB_REPORTS_OUTCOME_H

#include "reports/rows.h"

enum outcome_level { OUT_NOT_RUN, OUT_NA, OUT_BAD, OUT_CONTROL, OUT_OPEN, OUT_UNKNOWN, OUT_HOLDS, OUT_NO_GAIN, OUT_PARTIAL, OUT_PRACTICAL,
		     OUT_FULL };
enum outcome_aspect { ASPECT_USE, ASPECT_ADMIT, ASPECT_MARK, ASPECT_SERVICE, ASPECT_TRACE, ASPECT_COLLUDE, ASPECTS };

struct outcome {
	enum outcome_level level;
	enum outcome_aspect aspect;
	const struct group *g;     /* the strength at which that is so; NULL: not run */
	const char *verdicts;      /* of its cells */
	double value;              /* percent: the attacker's accuracy, acceptance, credentials still accepted, queries still traced */
	double before;             /* percent: what it is measured against; unset for ASPECT_ADMIT */
	double low, high;          /* over seeds, smallest and largest value */
	double harm;               /* 0 .. 1, for the shade */
	bool has_scratch, has_gain;
	double scratch, gain;      /* accuracy from scratch on the same labels, and what the attack has beyond it (points) */
	long trials;               /* of ASPECT_ADMIT, in the smallest cell */
	double queries, labels, submissions, forwards; /* the ledger's mean over seeds */
};

/* "FULL", "HOLDS", "NO GAIN", ... or the cells' verdicts. */
const char *outcome_word(const struct outcome *o);
const char *outcome_symbol(const struct outcome *o); /* one character */
const char *aspect_title(enum outcome_aspect a);     /* "usable model", ... */
bool outcome_breaks(const struct outcome *o);        /* PARTIAL, PRACTICAL or FULL */

/* One aspect of one group; false when its cells do not say. */
bool outcome_of(struct rows *r, const struct group *g, enum outcome_aspect aspect, struct outcome *o);
/* The worst for the defender over all strengths and aspects. Level OUT_NOT_RUN when there is no such group. */
struct outcome outcome_worst(struct rows *r, int context, int scheme, int series);

#endif
