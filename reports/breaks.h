/* `lockbench reproduce breaks`: the breaks that the literature knows, published beside measured. A row of breaks.def is both the experiment
 * and its line in the table. */
#ifndef LB_REPORTS_BREAKS_H
#define LB_REPORTS_BREAKS_H

#include <stdbool.h>

#include "reports/report.h"

enum break_op { AT_LEAST, AT_MOST, SHOWN };

struct known_break {
	const char *claim;
	const char *dataset, *model; /* where the claim was made, and is judged; both "": on the job's */
	const char *scheme, *scheme_options, *recipe;
	const char *attack, *attack_options;
	/* A metric; "a - b", two of them (b of the functional cell where the attacked one has none); "recovery", percent of what users have
	 * beyond others; "base_equal", percent of the unprotected network's numbers that the attacker's network has, bit for bit. */
	const char *measured;
	enum break_op op;
	double limit;
	const char *published, *source;
};
extern const struct known_break known_breaks[];
extern const int known_breaks_count;

/* What the rows were run on that name nothing of their own. */
struct breaks_job {
	const char *dataset, *model;   /* model: its whole name, as model_spec_name() gives it and cells have it */
	const char *const *absent; /* data sets that rows name and that were not found; NULL-terminated, or NULL: none */
};
bool breaks_is_absent(const struct breaks_job *job, const char *dataset);
/* Is the row judged on another data set or network than the job's? */
bool breaks_elsewhere(const struct known_break *k, const struct breaks_job *job);

/* [{claim, dataset, model, recipe, scheme, attack, measured, expected, published, source, unit, ours, low, high, n, verdict, note, beside}] in
 * the table's order; ours (mean over seeds), low and high (smallest and largest) are null where nothing was measured, and note says why.
 * verdict: "as known", "differs", "shown", "missing". dataset, model: what the row was judged on; recipe: "a=b c=d" of its training, "": the
 * tier's. beside: {dataset, model, ours, low, high, n, note} on the job's where those are others, else null. Caller decrefs. */
json_t *breaks_values(const struct report_input *in, const struct breaks_job *job);
void breaks_print(const json_t *values, const char *dataset);
/* .html .md .tex .csv .json by extension. 0, or -1 after error(). */
int breaks_write(const json_t *values, const char *dataset, const char *path);

#endif
