/* The HTML report's section about one scheme: what it is, its numbers, its users, its credentials as pictures, every attack on it. */
#ifndef LB_REPORTS_SCHEMEPAGE_H
#define LB_REPORTS_SCHEMEPAGE_H

#include "reports/rows.h"
#include "reports/text.h"

/* Draw figure_scheme() into t: 1, or 0 when there is none (left). */
typedef int on_figure(void *ctx, struct text *t, int context, int scheme, int first, const char *label);
/* figure NULL: no plots. */
void scheme_page(struct text *t, struct rows *r, const struct report_input *in, int context, int scheme, on_figure *figure, void *ctx);
/* What a driver says of itself, as a list. kind: "schemes" or "attacks". Nothing when the input does not know. */
void scheme_about(struct text *t, struct rows *r, const struct report_input *in, const char *kind, const char *name);
/* Pictures of the first of the group's cells that has some, under the key that the cell's member key_member holds; their number. */
int group_pictures(struct text *t, struct rows *r, const struct report_input *in, const struct group *g, const char *key_member,
		   const char *title);

#endif
