/* Three kinds of trouble, never mixed.
 *
 * BUG_ON(cond)   our own mistake: prints place and condition, aborts.
 * error(...)     something a user can cause. Keeps the FIRST message of this
 *                thread (the cause) and returns -1, so `return error(...)`;
 *                callers only pass -1 up, main() or the worker prints it.
 * die(...)       command line only: print and exit.
 *
 * A message says what is wrong, where (file, line) and what to do about it. */
#ifndef LB_BASE_ERROR_H
#define LB_BASE_ERROR_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Exit codes of every command, also the code of an error(). */
enum lb_exit {
	EXIT_YES = 0,
	EXIT_NO = 1,          /* the question's answer is no: a check failed, a regression was found */
	EXIT_UNEVALUABLE = 2, /* bad option, job, model or data file: nothing was evaluated */
	EXIT_FAILED_CELLS = 3, /* the run ended, some cells failed or timed out */
	EXIT_MEMORY = 71,     /* the system gives no more: memory, processes, processor time */
	EXIT_IO = 74,         /* cannot open, read, write or sync: disk full, no permission, too many open files */
	EXIT_TEMPORARY = 75,  /* somebody else holds the store: try again; nothing else */
	EXIT_SIGINT = 130,
	EXIT_SIGTERM = 143
};

/* Record the first error of this thread; always returns -1. */
int error(enum lb_exit code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The recorded message ("" when none) and code (EXIT_YES when none). Borrowed until error_clear(). */
const char *error_text(void);
enum lb_exit error_code(void);
void error_clear(void);

/* Put "prefix: " in front of the recorded message, once per call (a file name, a cell); returns -1. */
int error_prefix(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line on stderr, "lockbench: warning: ...". Of what is shown how, see terminal.h. */
void warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print the message (or, with fmt NULL, the recorded error) and exit with code. Command line only. */
_Noreturn void die(enum lb_exit code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like die() with a plain text, for signal handlers and for when memory has run out: allocates nothing and runs no
 * handlers of exit(), some of which allocate. Buffered output is lost. */
_Noreturn void die_now(enum lb_exit code, const char *text);

/* When set, called by die() and die_now() instead of printing: a worker tells the run that started it. As careful as
 * die_now(). */
extern void (*die_words)(enum lb_exit code, const char *text);

/* die(EXIT_MEMORY) that names how many bytes were wanted. */
_Noreturn void out_of_memory(size_t bytes);

_Noreturn void bug(const char *file, int line, const char *cond);
#define BUG_ON(cond)                                        \
	do {                                                \
		if (__builtin_expect(!!(cond), 0))          \
			bug(__FILE__, __LINE__, #cond);     \
	} while (0)

/* malloc that never returns NULL: out of memory ends the process with EXIT_MEMORY and one line. (In the program, as
 * opposed to its tests, no other malloc returns NULL either: bench/malloc.c. Libraries cannot be trusted to notice.)
 * xcalloc zeroes. n * size is checked for overflow. Free with free(). */
void *xmalloc(size_t n, size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
/* A fresh string, caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
