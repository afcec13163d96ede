/* Reports: read cell files and nothing else, write text for people. */
#ifndef LB_REPORTS_REPORT_H
#define LB_REPORTS_REPORT_H

#include <jansson.h>
#include <stdbool.h>

/* cells: array of cell objects (bench/cell.h); timings: object key -> timing object; failures: array. All borrowed. */
struct report_input {
	const json_t *cells, *timings, *failures;
	const char *title;
	const char *store_hash;
	const char *command; /* that made the store, for "how to repeat" */
	const char *where;   /* the store's directory, as the user typed it; NULL: not known */
	/* What drivers say of themselves: {"schemes": {name: {"summary", "source", "declared": {title: text}}},
	 * "attacks": {name: {"summary", "source", "strength_up": 1 or -1}},
	 * "sight": {cell's key: {"adaptive": its attacker knows the mechanism, "leaked": holds credentials, "rival": fits a
	 * key to the network where keys carry the mark}}}. NULL: not known. */
	const json_t *drivers;
	/* {artefact's key: [{"what": "user 0", "w", "h", "png": base64}]}: credentials by creds_key, an attack's images by the
	 * cell's key. NULL: none. */
	const json_t *pictures;
	/* [{"what": "cell", "timing", "failure", ..., "key", "state": "damaged" or "missing", "why"}]: what the store should hold and the report cannot
	 * show. NULL: nothing. */
	const json_t *left_out;
	const struct report_select *select; /* NULL: everything */
};

/* A part of a report. Lists are "a,b,c"; NULL or "": all. */
struct report_select {
	const char *table;   /* one of report_tables, and nothing else */
	const char *pick;    /* metrics, in this order */
	const char *schemes; /* the others stay in use as controls: verdicts do not change */
	const char *where;   /* "dataset=mnist,tier=short": dataset, model, tier, seed, engine, kernel, limit_train, limit_test */
	const char *mix;     /* what one table may mix though it should not: "tier", "engine", "limits" */
	bool split;          /* LaTeX: one file a table, NAME-TABLE.tex, and NAME-macros.tex with a command for each number */
};
extern const char *const report_tables[]; /* "survey", "functional", ...; NULL-terminated */
/* Does the selection name what there is? 0, or -1 after error() with a "did you mean". */
int report_check(const struct report_input *in);
/* Does path end in .html, .md, .tex, .csv or .json? 0, or -1 after error(). */
int report_output_name(const char *path);
/* In the format that path's end names. 0, or -1 after error(). */
int report_write(const struct report_input *in, const char *path);
/* In Markdown, for a terminal; caller frees. NULL after error(). */
char *report_text(const struct report_input *in);

/* Tables I-VI and Figures 5-6 of ActiveGuard from cells of one dataset. Returns an array of objects {table, row, column, published,
 * ours, low, high, n, verdict, note} ("published" null where the paper has no figure for this data set). Caller decrefs. */
json_t *activeguard_values(const struct report_input *in, const char *dataset);
/* The same for people: terminal table on stdout, or a page (.html .md .tex .csv .json by extension). */
int activeguard_write(const json_t *values, const struct report_input *in, const char *dataset, const char *path);
void activeguard_print(const json_t *values, const char *dataset);

#endif
