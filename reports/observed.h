/* What cells observed, as plain arrays. */
#ifndef LB_REPORTS_OBSERVED_H
#define LB_REPORTS_OBSERVED_H

#include "reports/rows.h"

/* Bits of a cell as one byte a trial, NULL when absent; *n their number. Caller frees. */
unsigned char *cell_bits(const json_t *cell, const char *name, size_t *n);
/* A series of a cell, NULL when absent; *n its length. Caller frees. */
double *cell_series(const json_t *cell, const char *name, size_t *n);
double cell_number(const json_t *cell, const char *name, double def);
/* The series of a group's cells added up bin by bin; NULL when no cell has it. Caller frees. */
double *group_series(const struct group *g, const char *name, size_t *n);

#endif
