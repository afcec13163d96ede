/* jansson, with our two conventions: strict in, canonical out. */
#ifndef LB_BASE_JSON_H
#define LB_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Strict: duplicate keys, trailing text, NaN and depth bombs are refused. NULL after error() with path:line:column. */
json_t *json_read_file(const char *path, size_t max);
json_t *json_read_text(const char *text, size_t len, const char *where);
/* The same for text that anybody may have written: one of more than max_values values, each of which would take 40 to
 * 250 bytes, is refused before anything is allocated for it. */
json_t *json_read_bounded(const char *text, size_t len, size_t max_values, const char *where);

/* Canonical text: keys sorted, 17 significant digits, no blanks (compact) or two-space indent (pretty, with
 * a newline at the end). Caller frees. */
char *json_compact(const json_t *j);
char *json_pretty(const json_t *j);
/* The same bytes piece by piece: put(piece, n, ctx) returns 0, or -1 to stop. 0, or -1. */
int json_pretty_to(const json_t *j, int (*put)(const char *piece, size_t n, void *ctx), void *ctx);
/* SHA-256 of json_compact. */
void json_hash(const json_t *j, char out[65]);
int json_publish(const char *path, const json_t *j); /* pretty, through file_publish */
/* The same in a folder (dir.h). */
struct dir;
json_t *json_read_in(const struct dir *d, const char *rel, size_t max);
int json_publish_in(const struct dir *d, const char *rel, const json_t *j);

/* Set a member, stealing value; never fails (out of memory dies). Returns obj for chaining. */
json_t *jset(json_t *obj, const char *key, json_t *value);
json_t *jset_str(json_t *obj, const char *key, const char *s);
json_t *jset_int(json_t *obj, const char *key, long long v);
json_t *jset_num(json_t *obj, const char *key, double v); /* nan and inf become null */
json_t *jset_bool(json_t *obj, const char *key, int v);

/* Typed members with a default for "absent or another type". */
const char *jget_str(const json_t *obj, const char *key, const char *def);
long long jget_int(const json_t *obj, const char *key, long long def);
double jget_num(const json_t *obj, const char *key, double def);
int jget_bool(const json_t *obj, const char *key, int def);

/* Bit vectors as text: base64 of bits packed least significant first. */
char *bits_encode(const unsigned char *bits /* one byte a bit */, size_t n); /* caller frees */
unsigned char *bits_decode(const char *text, size_t n); /* one byte a bit, caller frees; NULL when malformed */

#endif
