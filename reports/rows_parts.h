/* The steps in which cells become rows. Private to rows*.c. */
#ifndef LB_REPORTS_ROWS_PARTS_H
#define LB_REPORTS_ROWS_PARTS_H

#include "reports/rows.h"

/* The seed of a cell or of a failure. */
long long rows_seed(const json_t *j);
/* Contexts, schemes, variants, groups and seeds in their order; sets nall. */
void rows_sort(struct rows *r);
/* Schemes that were not selected, and their groups, behind the others and out of count. Once, after rows_sort(). */
void rows_hide(struct rows *r);
/* Labels of contexts, schemes and variants, and the contexts' seeds. After rows_hide(): of what is shown. */
void rows_label(struct rows *r);

#endif
