/* Plots as SVG text, drawn by gnuplot in a process of its own. */
#ifndef LB_REPORTS_PLOT_H
#define LB_REPORTS_PLOT_H

#include <stdbool.h>

struct plot_line {
	const char *title;        /* any text */
	int n;
	const double *x, *y;      /* (n) */
	const double *low, *high; /* (n) intervals, or NULL */
	int style;                /* colour, dashes and marker: the same number looks the same in every plot */
};

enum plot_kind { PLOT_CURVES, PLOT_STEPS };

struct plot {
	enum plot_kind kind;
	const char *title, *xlabel, *ylabel; /* any text */
	bool fixed_y;             /* the y axis runs from ylow to yhigh */
	double ylow, yhigh;
	bool log_x, log_y;
	bool yes_no;              /* the y axis says no at 0 and yes at 1 */
	bool det;                 /* both axes are normal quantiles of error rates from 0.01 to 50 %, and say so in percent */
	const struct plot_line *line;
	int nlines;
};

/* Is gnuplot there? ($LOCKBENCH_GNUPLOT, else on the PATH.) */
bool plot_available(void);
/* The plot as an <svg> element, without prologue, scripts or references to the outside; black follows the text colour of the page.
 * id: [a-z0-9-]+, unique in the page. Caller frees. NULL after error(): gnuplot absent, failed, ran out of time, or
 * wrote something that is not a clean SVG. */
char *plot_svg(const struct plot *p, const char *id);
/* The cleaning alone: svg as gnuplot writes it; NULL after error() when it holds anything that is not on the list. Caller frees. */
char *plot_clean(const char *svg, const char *id, const char *label);

#endif
