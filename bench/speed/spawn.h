/* Children that answer with lines of JSON. */
#ifndef LB_BENCH_SPEED_SPAWN_H
#define LB_BENCH_SPEED_SPAWN_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in, out; /* the writing end of its stdin, the reading end of its stdout */
};

/* Start argv in this environment; or, with argv[0] SELF, this program again with OPENBLAS_NUM_THREADS=1 and OPENBLAS_CORETYPE=core
 * (NULL: unset). quiet drops its stderr. 0, or -1 after error(). A child of SELF must not start another one: BUG. */
#define SELF "speed (child)"
int child_start(struct child *c, char *const argv[], const char *core, bool quiet);
/* Ask it for another line of output, with a byte on its stdin: child_ask() only asks, child_answer() waits and returns the line as JSON
 * (the caller decrefs), NULL when none came, without error(). */
void child_ask(const struct child *c);
json_t *child_answer(const struct child *c);
/* Its stdin ends; then its last line of output as JSON (the caller decrefs). NULL when it failed or said nothing of the kind, without error(): *status
 * is what waitpid() said. Every child started must be read. */
json_t *child_read(struct child *c, int *status);
/* Both. */
json_t *child_run(char *const argv[], const char *core, bool quiet, int *status);

#endif
