/* Ctrl-C, SIGTERM and the end of processor time: the first sets a flag that long work polls, the second ends at once.
 * Nothing is lost because everything published is published atomically (file.h). */
#ifndef LB_BASE_INTERRUPT_H
#define LB_BASE_INTERRUPT_H

#include <stdbool.h>

/* Install the handlers (SIGINT, SIGTERM); SIGPIPE is ignored. Where processor time is limited (RLIMIT_CPU), its end
 * is a third signal, SIGXCPU, which comes early enough to end in order. */
void interrupt_install(void);

/* 0, or -1 after error(EXIT_SIGINT, EXIT_SIGTERM or, processor time being spent, EXIT_MEMORY). Call it once a batch. */
int interrupt_check(void);

/* Whether interrupt_check() would fail, for threads that only work for the one which calls it. */
bool interrupt_pending(void);

/* From now on interrupt_check() also fails, with EXIT_UNEVALUABLE, `seconds` after this call; 0: no longer. For work
 * that has a budget of time; of the calling thread's process, one at a time. */
void interrupt_after(double seconds);

/* The signal that arrived (SIGINT, SIGTERM, SIGXCPU), 0 when none. */
int interrupt_signal(void);

#endif
