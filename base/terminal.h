/* Text on its way to a terminal. Names, reasons and commands come from stores, jobs and folders of other people:
 * whatever they hold, it moves no cursor, sets no title and turns no line around. Controls (C0, DEL, C1) and bytes
 * that are not UTF-8 are shown as \xNN, line separators and what utf8_is_hidden() names as \uNNNN or \UNNNNNNNN; the
 * rest as it is. */
#ifndef LB_BASE_TERMINAL_H
#define LB_BASE_TERMINAL_H

#include <stddef.h>

#define TERMINAL_CHAR_MAX 12 /* bytes of the longest form with its NUL */

/* The form of the first character of s, in out, NUL-terminated: returns its length, *len: bytes of s that it stands
 * for. */
size_t terminal_char(const char *s, char out[TERMINAL_CHAR_MAX], size_t *len);
/* The form of all of s; caller frees. */
char *terminal_text(const char *s);
/* printf() to standard output, for everything that people read: what %s and %c bring is shown in its terminal form,
 * line ends and tabs too; only those of fmt itself are printed as they are. Width and precision of %s count columns of
 * that form. Errors stay in ferror(stdout), which the end of the program asks for. */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* JSON text to standard output, the same characters in its strings as \uNNNN: the same value, safe to look at. */
void tell_json(const char *json);

#endif
