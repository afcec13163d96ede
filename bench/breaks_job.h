/* The job of `lockbench reproduce breaks`: a block for each row of reports/breaks.def. */
#ifndef LB_BENCH_BREAKS_JOB_H
#define LB_BENCH_BREAKS_JOB_H

#include "reports/breaks.h"

/* Data sets that rows name and that are not in data_dir (may be NULL) or a place of the system, once for each row: NULL-terminated, names
 * borrowed from the rows, caller frees the list. NULL after error(): nobody can tell. */
const char **breaks_absent(const char *data_dir);
/* The job as text (docs/guide.md has the grammar), caller frees. Every row runs on job's data set and network, and a row that names others on
 * those as well, unless the data set is absent; what several rows need is in a job once. */
char *breaks_job_text(const struct breaks_job *job, int tier);

#endif
