/* Numbers that authors report of their schemes: reports/claims.def, one a line with its source. Only what was read in a primary
 * source (the paper, its abstract, its code) or in a table of another paper that is named. */
#ifndef LB_REPORTS_CLAIMS_H
#define LB_REPORTS_CLAIMS_H

struct claim {
	const char *scheme, *dataset, *metric; /* names of drivers; dataset as in jobs */
	double value;       /* in the metric's unit */
	const char *text;   /* what is printed instead: "about 10"; NULL: the value */
	const char *source; /* paper, table */
};
extern const struct claim claims[];
extern const int claims_count;

#endif
