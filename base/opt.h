/* Option tables: one row a value gives parsing, default, range, help, documentation
 * and the canonical form that is hashed into keys.
 *
 * A table ends with a row whose name is NULL. Values live in a plain struct (the "conf") that
 * holds no pointers, so it can be copied and compared:
 *   OPT_INT    -> int             OPT_FLOAT  -> double        OPT_BOOL -> int (0/1)
 *   OPT_CHOICE -> int (index in `choices`, "a|b|c")           OPT_STRING -> char[OPT_STRING_MAX]
 *   OPT_INTS   -> struct opt_ints OPT_FLOATS -> struct opt_floats  ("1,2,3"; every element in range) */
#ifndef LB_BASE_OPT_H
#define LB_BASE_OPT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#define OPT_STRING_MAX 256
#define OPT_LIST_MAX 64

enum opt_type { OPT_INT, OPT_FLOAT, OPT_BOOL, OPT_CHOICE, OPT_STRING, OPT_INTS, OPT_FLOATS };

struct opt_ints { int n; int v[OPT_LIST_MAX]; };
struct opt_floats { int n; double v[OPT_LIST_MAX]; };

struct opt {
	const char *name;    /* [a-z][a-z0-9-]* as the user types it */
	enum opt_type type;
	size_t offset;       /* in the conf */
	const char *def;     /* default, as the user would type it; never NULL ("" for an empty list or string) */
	double min, max;     /* of numbers and list elements (inclusive); of a string's length; both 0: no limit */
	const char *help;    /* one line, lower case, no full stop; says the unit */
	const char *choices; /* OPT_CHOICE: "a|b|c", else NULL */
};

/* A table may be NULL: no options. Numbers are read and written with a point, whatever the locale.
 * Fill conf with the defaults. A default that its own row refuses is a BUG. */
void opt_defaults(const struct opt *opts, void *conf);

/* Parse one value into conf. Unknown name ("did you mean"), malformed value, value out of range,
 * nan and inf: -1 after error(EXIT_UNEVALUABLE). */
int opt_set(const struct opt *opts, void *conf, const char *name, const char *value);

/* The value as the user would type it, in buf (at least OPT_TEXT_MAX bytes). */
#define OPT_TEXT_MAX 2048
const char *opt_text(const struct opt *o, const void *conf, char *buf);

/* Canonical form: a JSON object with every option of the table, defaults included. Caller decrefs. */
json_t *opt_json(const struct opt *opts, const void *conf);
/* Fill conf from such an object (missing members get their default); -1 after error(). Scalars may
 * come as JSON strings, numbers or booleans; lists as arrays or strings. */
int opt_from_json(const struct opt *opts, void *conf, json_t *obj);

/* Row by name, or NULL. */
const struct opt *opt_find(const struct opt *opts, const char *name);

/* Table for people: name, default, range or choices, help. indent: spaces in front. */
void opt_help(const struct opt *opts, FILE *out, int indent);
/* The same as a Markdown table (for docs/). */
void opt_markdown(const struct opt *opts, FILE *out);

/* The nearest of n names to a mistyped one, or NULL when none is near (Damerau-Levenshtein). */
const char *suggest(const char *typed, const char *const *names, size_t n);

/* -1 after error(EXIT_UNEVALUABLE): "unknown WHAT 'typed'; did you mean 'name'?", or the list of known names when
 * none is near. For anything a user names: options, drivers, job members. */
int unknown_name(const char *what, const char *typed, const char *const *names, size_t n);

#endif
