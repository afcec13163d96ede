/* The subset of YAML that jobs are written in, read strictly (libfyaml): one document of mappings, sequences and scalars.
 * Anchors, aliases, tags, duplicate keys, deep nesting and control characters are refused with their place. */
#ifndef LB_BENCH_YAML_H
#define LB_BENCH_YAML_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	const char *where;   /* file name; borrowed from the arena */
	int line, column;    /* from 1 */
	const char *text;    /* scalar */
	bool quoted;         /* 'text' or "text": never taken for an absent value */
	struct yaml **item;  /* list: items; map: values */
	struct yaml **key;   /* map: keys (scalars) */
	int n;
};

/* Everything lives in mem. NULL after error() "where:line:column: what". */
struct yaml *yaml_parse(struct arena *mem, const char *text, size_t len, const char *where);

/* Value of a key; NULL when absent (or y is no map). */
struct yaml *yaml_get(const struct yaml *y, const char *key);
/* Position of a key, -1 when absent. */
int yaml_find(const struct yaml *y, const char *key);
/* Add or replace a key of a map, append to a list. */
void yaml_put(struct arena *mem, struct yaml *map, struct yaml *key, struct yaml *value);
/* New nodes that carry the place of `at`. */
struct yaml *yaml_scalar(struct arena *mem, const struct yaml *at, const char *text);
struct yaml *yaml_map(struct arena *mem, const struct yaml *at);
/* An empty value (`key:`), ~ or null? */
bool yaml_is_null(const struct yaml *y);

/* -1 after error(EXIT_UNEVALUABLE) with the node's place in front; yaml_prefix puts it before the recorded error. */
int yaml_error(const struct yaml *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int yaml_prefix(const struct yaml *at);

#endif
