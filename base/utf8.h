/* UTF-8, read strictly, and the characters that nobody sees but that change what is seen. */
#ifndef LB_BASE_UTF8_H
#define LB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The next character of s: its code point and length in bytes; -1 for a byte that is not UTF-8 (length 1). */
int utf8_next(const char *s, size_t *len);
/* The same of n >= 1 bytes that no NUL ends. */
int utf8_next_of(const char *s, size_t n, size_t *len);
/* Characters in s: columns on a terminal for the alphabets that we print. */
size_t utf8_width(const char *s);

/* C0, DEL, C1, and the separators of lines and paragraphs, U+2028 and U+2029. */
bool utf8_is_control(int cp);
/* Characters without a shape of their own that turn the reading direction, or hide text: marks, embeddings, overrides
 * and isolates (U+061C, U+200E, U+202A ..), zero width blanks and joins, the byte order mark, tags. The joiners of
 * emoji and of Persian (U+200C, U+200D) and variation selectors are not among them. */
bool utf8_is_hidden(int cp);

#endif
