/* A string that grows: reports are built in memory and published whole. */
#ifndef LB_REPORTS_TEXT_H
#define LB_REPORTS_TEXT_H

#include <stddef.h>

/* A zeroed struct is ready; s is NUL-terminated once something was added (text_str: "" before that). */
struct text {
	char *s;
	size_t n, room;
};

void text_add(struct text *t, const char *s);
void text_bytes(struct text *t, const char *s, size_t n);
void text_char(struct text *t, char c);
void text_fmt(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_code_point(struct text *t, unsigned cp); /* as UTF-8 */
const char *text_str(const struct text *t);
void text_release(struct text *t);

#endif
