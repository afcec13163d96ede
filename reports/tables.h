/* The tables of a report, once for all formats: what is in a cell is decided here, how it looks in html.c, markdown.c, latex.c. */
#ifndef LB_REPORTS_TABLES_H
#define LB_REPORTS_TABLES_H

#include "reports/observed.h"
#include "reports/rows.h"

struct tcell {
	const char *text;  /* plain UTF-8; NULL: empty */
	const char *range; /* "98.93 to 99.32", or NULL */
	const char *note;  /* how it came about: seeds, trials, cell keys; or NULL */
	const char *tag;   /* a verdict worth a mark: "NOOP", "ATTACK-BROKEN", ...; or NULL */
	bool number;       /* set right-aligned; below the heading: made of numbers by us, no text from outside */
	bool best;         /* of its kind, and the difference holds: bold */
	const char *symbol; /* one character in front, where the format has it: says what the shade says */
	int shade;         /* 0: none, 1 .. 5: darker is worse for the defender; never without text */
};

/* Row 0 is the heading, column 0 names the row. All text is in the arena it was made with, or borrowed from the cells. */
struct table {
	const char *title;
	const char *caption; /* what, n, which interval; may be NULL */
	int rows, cols;
	struct tcell *cell;  /* (rows, cols) */
	const char *name;    /* for file names: [a-z0-9-]+; may be NULL */
};

struct tcell *table_at(const struct table *t, int row, int col);
/* An empty table: rows and cols include the headings. */
struct table table_new(struct arena *mem, const char *title, const char *caption, int rows, int cols);

void table_put(const struct table *t, int row, int col, const char *text);
/* The headings of all columns. */
void table_headings(const struct table *t, const char *const *name);
/* How many names a NULL-terminated list has. */
int names_count(const char *const *list);

/* The same with rows and columns exchanged, where it is wider than it is long and than a page; corner is then the heading of
 * the first column. In mem. */
struct table table_turned(struct arena *mem, const struct table *t, const char *corner);

/* A number in its metric's unit, without the unit: "99.15", "yes", "1.0312". In mem. */
const char *value_text(struct arena *mem, const char *metric, double v);
/* "Authorised accuracy, %". In mem. */
const char *metric_heading(struct arena *mem, const char *metric);
/* A summary as a table cell: the mean with its interval, or n/of when seeds are missing. */
struct tcell summary_cell(struct arena *mem, const char *metric, const struct summary *s);

/* The metric of a group, with its interval; g NULL: empty. What lacks its minimum evidence is INSUFFICIENT: successes of
 * trials instead of a number. */
struct tcell metric_cell(struct rows *r, const struct group *g, const char *metric);
const char *scheme_heading(struct rows *r, const struct scheme_row *s);
/* "1 seed (3); below each number ...". In r's memory. */
const char *interval_caption(struct rows *r, int context);
/* The strength as its option was given, "" without one. In r's memory. */
const char *strength_text(struct rows *r, const struct group *g);

/* Metrics of the protected models, one column a scheme, controls first. */
struct table table_functional(struct rows *r, int context);
/* Attack variant x scheme: verdicts, and the worst case over strengths of what the attack's goal is judged by. */
struct table table_resistance(struct rows *r, int context);
/* The variants first .. last of one attack: variant x scheme x strength, every metric that the attack moved. */
struct table table_attack(struct rows *r, int context, int first, int last);
/* The last variant of the attack that begins with variant `first`. */
int attack_last(const struct rows *r, int context, int first);
/* Metrics worth a curve for one attack variant, best first; NULL-terminated, in r's memory. */
const char **attack_metrics(struct rows *r, int context, int series);
/* Times and memory, one column a scheme; rows == 1 when there are none. */
struct table table_overhead(struct rows *r, int context, const json_t *timings);
/* Authentication per user of a functional group; rows == 0 when the cells hold no such trials.
 * worst: the user with the smallest share, as text. */
struct table table_users(struct rows *r, const struct group *g, const char **worst);
/* Everything that failed or does not apply, with its reason; rows == 1 when there is nothing. */
struct table table_failures(struct rows *r);
struct table table_inapplicable(struct rows *r);
/* What the numbers stand on: data hashes, limits, seeds, recipe, versions. */
struct table table_provenance(struct rows *r, const struct report_input *in);
/* One row a cell: key, what it is, verdict. */
struct table table_cells(struct rows *r);
/* What every metric in the cells means. */
struct table table_definitions(struct rows *r);
/* "Tier short, seeds 1, 2, 3, all training and 1000 test images, engine 1.", and whether the data are not the published
 * ones. In r's memory. */
const char *table_standing(struct rows *r, int context);
/* What warns of the data: images that are not the published ones of their name, and limits; or NULL. In r's memory. */
const char *data_warning(struct rows *r);

/* Accepted credentials of every user, added over the group's cells; NULL when they do not say. Caller frees. */
struct user_count { long k, n; };
struct user_count *count_users(const struct group *g, int *users);

#endif
