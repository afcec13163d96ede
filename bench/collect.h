/* Everything of a store that reports read. */
#ifndef LB_BENCH_COLLECT_H
#define LB_BENCH_COLLECT_H

#include "bench/store.h"
#include "reports/report.h"

struct collection {
	struct report_input input; /* borrows the rest */
	json_t *cells, *timings, *failures, *run, *drivers, *pictures;
	json_t *left_out; /* [{"what", "key", "state", "why"}]: what is damaged or missing, as in struct report_input */
	char hash[65];
};

/* title NULL or "": the name of the job that ran last. What is damaged, or listed in the manifest and not there, is
 * warned of and left out. 0, or -1 after error(), when nobody can tell; release in both cases. */
int collect(struct store *st, const char *title, struct collection *c);
/* The pictures as well, which only pages show. 0, or -1 after error(). */
int collect_pictures(struct store *st, struct collection *c);
/* One more, with a warning. what: "cell", "timing", "failure", "artefact", or a file's name. */
void left_out_add(json_t *list, const char *what, const char *key, bool missing, const char *why);
/* For reports: what an attacker was granted beyond the tier's rule (another search, budget, data) joins the attack's
 * options, so that cells which differ by it are variants and no repetitions. Keys no longer follow from such a cell. */
void collection_label(struct collection *c);
void collection_release(struct collection *c);
/* Is a stored cell what was written, do its keys follow from its settings and its metrics from its observations? 0; 1
 * where all that can be said holds, but a setting is withheld (withhold.h); -1 after error(). */
int verify_cell(struct store *st, const char *key);

#endif
