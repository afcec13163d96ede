/* A scratch directory for one test, and what a function prints on stderr. Only for tests: a failure ends the test. */
#ifndef LB_TESTS_SUPPORT_SANDBOX_H
#define LB_TESTS_SUPPORT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* A checked fixture: make an empty directory; remove it with all it holds. */
void sandbox_open(void);
void sandbox_close(void);
/* A path inside; borrowed, good for the next seven calls. name "" is the directory itself. */
const char *sandbox(const char *name);
void sandbox_write(const char *name, const void *data, size_t len);

/* Switch to a locale that writes 0,5 for 0.5, made in the sandbox out of the system's C.utf8, so that none need be
 * installed. False (and a line on stderr) where the system has no C.utf8 to start from. */
bool comma_locale(void);

/* Run fn(arg) in a child process. Returns its exit status, or 128 + signal; stderr's text is in *text
 * (caller frees; may be NULL). */
int run_child(void (*fn)(void *), void *arg, char **text);

#endif
