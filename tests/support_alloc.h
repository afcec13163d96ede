/* Counts what a test's code asks the system for: malloc, calloc, realloc, aligned_alloc, posix_memalign and mmap of every thread and
 * every library. Works by defining these functions in the test program, so it changes nothing but the count. */
#ifndef LB_TESTS_SUPPORT_ALLOC_H
#define LB_TESTS_SUPPORT_ALLOC_H

#include <stdbool.h>

/* False where the count is not there: under sanitizers, which bring their own malloc, and without glibc. */
bool allocs_counted(void);
/* Requests so far. */
long allocs(void);

#endif
