/* Is this JSON a cell, a failure, a timing, a run's note? What a store, a bundle or a file of cells holds may be
 * anybody's work, with every hash right: each member that cell.h names is checked for its presence, type, size and
 * range, names for the rules for names, and nothing else may be there. What passes may say things that are not true
 * (`lockbench verify` asks that), but every reader can work with it. Drivers and metrics that this version does not
 * have are no fault.
 *
 * Each returns 0, or -1 after error(EXIT_UNEVALUABLE) that names the member; hostile text is not in the message. */
#ifndef LB_BENCH_CELLCHECK_H
#define LB_BENCH_CELLCHECK_H

#include <jansson.h>
#include <stddef.h>

/* Of one file, as it is read and as it is written. A cell of a study in the paper's size (10,000 test images, 64
 * users with 100 credentials each) has half a MiB and 20,000 values at most; a million credentials, or ten million
 * guesses, take a few MiB. */
#define CELL_BYTES_MAX ((size_t)8 << 20)
#define CELL_VALUES_MAX ((size_t)1 << 18)
#define NOTE_BYTES_MAX ((size_t)1 << 20) /* timing, failure, last-run.json */
#define NOTE_VALUES_MAX ((size_t)1 << 14)

/* A cell as lockbench writes it, with or without the member "sha256" that store.h adds. */
int cell_check(const json_t *cell);
/* A cell that somebody wrote by hand, for `compare`: members may lack (but "scheme" and "metrics") and there may be
 * others; those that cell.h names are what it says. */
int cell_check_given(const json_t *cell);
int failure_check(const json_t *failure);
int timing_check(const json_t *timing);
int run_check(const json_t *run);

#endif
