/* What all attacks on one scheme together say: the input of metrics that no single cell holds (metric.h, FROM_STUDY). Plain data;
 * whoever reads cells fills it. Definitions: reference/metrics.md 5.2 - 5.5, 6.2, 6.7, 6.10 - 6.18. */
#ifndef LB_METRICS_STUDY_H
#define LB_METRICS_STUDY_H

#include <stdbool.h>

enum study_aspect {
	STUDY_USE,     /* a usable model was wanted; harm: recovery, 0 locked .. 1 authorised */
	STUDY_ADMIT,   /* forged credentials; value: accepted, % */
	STUDY_MARK,    /* the owner's mark in a changed model; value: % of the seeds in which it still verifies */
	STUDY_SERVICE, /* users behind a channel; value: what is left of accuracy or of accepted credentials, the smaller, 0 .. 1 */
	STUDY_TRACE,   /* queries behind a channel; value: still traced, % */
	STUDY_COLLUDE, /* value: traced to a colluder, %; before: named an innocent, % */
	STUDY_CLAIM,   /* a key fitted to the network as it is, where keys carry the mark; value: works, % */
	STUDY_ASPECTS
};

/* One attack at one strength on one scheme, mean over seeds, whose cells are all there and not broken. */
struct finding {
	const char *attack;    /* its variant: strengths of one variant share the pointer */
	enum study_aspect aspect;
	bool adaptive;         /* the attacker knows the mechanism */
	bool broken;           /* at least partly: reports/outcome.h */
	double harm;           /* 0 .. 1 */
	double value, before;
	double loss;           /* STUDY_MARK: points of accuracy that the attacker's model lacks */
	bool overwrites;       /* STUDY_MARK: the attacker embedded a mark of his own ... */
	double own_read;       /* ... of which so much is read, 0 .. 1 */
	double psnr;           /* STUDY_SERVICE: dB that the channel leaves */
	double forwards;       /* compute, in forward passes */
	double colluders;      /* STUDY_COLLUDE */
	bool same_answers;     /* the weights changed and not one answer did ... */
	double shut_out;       /* ... and so many points of the users' credentials were no longer accepted */
};

/* The protected model itself, in one data set and network. */
struct setting {
	double parameters, lock_macs; /* of the network; multiply-accumulates to lock it */
	bool works;                   /* users have access, others have not, and the mark, where there is one, verifies only where it should */
};

struct study {
	const struct finding *f;
	int n;
	bool has_concealment;
	double concealment;           /* 0 .. 1 */
	const struct setting *setting; /* of this scheme, in each of the store's data sets and networks once */
	int nsettings;
};

/* Points of accuracy that a change of the model may cost where a mark is at stake (Lukas et al.): nobody claims a worthless network. */
#define STUDY_LOSS 5.0

/* The value x that stands on n findings; whether there are any. What a metric's over() returns. */
struct value;
int study_say(double x, long n, struct value *v);

#endif
