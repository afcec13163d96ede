/* Option tables. See opt.h. Every value, from a command line, a job file or a JSON object, goes through
 * one text parser, so that the same mistake gets the same message everywhere. */
#include "base/opt.h"

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define NUMBER_MAX 32 /* bytes of the longest number_text() with its NUL */

/* ---- numbers, whatever the locale ---- */

static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", NULL);
	BUG_ON(!c_locale);
}

/* Switch this thread to the C locale; returns what to switch back to with uselocale(). */
static locale_t enter_c_locale(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_c_locale);
	return uselocale(c_locale);
}

/* Shortest decimal that reads back as the same double. */
static const char *number_text(double v, char buf[NUMBER_MAX])
{
	locale_t old = enter_c_locale();

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, NUMBER_MAX, "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	uselocale(old);
	return buf;
}

static size_t digits(const char *s)
{
	return strspn(s, "0123456789");
}

static bool is_integer(const char *s)
{
	s += *s == '+' || *s == '-';
	return *s && s[digits(s)] == '\0';
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or after the point: less than strtod() takes. */
static bool is_decimal(const char *s)
{
	size_t before, after = 0;

	s += *s == '+' || *s == '-';
	before = digits(s);
	s += before;
	if (*s == '.') {
		after = digits(++s);
		s += after;
	}
	if (before + after && (*s == 'e' || *s == 'E')) {
		s++;
		s += *s == '+' || *s == '-';
		return is_integer(s) && digits(s);
	}
	return before + after && !*s;
}

static double to_double(const char *s)
{
	locale_t old = enter_c_locale();
	double v = strtod(s, NULL);

	uselocale(old);
	return v + 0.0; /* -0 becomes 0: both must give one key */
}

/* A number that is not zero, too small for a double. */
static bool underflows(const char *s, double v)
{
	return v == 0 && strcspn(s, "123456789") < strcspn(s, "eE");
}

/* ---- parsing ---- */

static void *slot(const struct opt *o, void *conf)
{
	return (char *)conf + o->offset;
}

static const void *const_slot(const struct opt *o, const void *conf)
{
	return (const char *)conf + o->offset;
}

static bool is_int_type(const struct opt *o)
{
	return o->type == OPT_INT || o->type == OPT_INTS;
}

/* "0 to 1", "at least 1", "at most 9": a bound that the type has anyway is not said. */
static const char *range_text(const struct opt *o, char *buf, size_t size)
{
	char lo[NUMBER_MAX], hi[NUMBER_MAX];
	double most = is_int_type(o) ? INT_MAX : o->type == OPT_STRING ? OPT_STRING_MAX - 1 : DBL_MAX;
	double least = is_int_type(o) ? INT_MIN : o->type == OPT_STRING ? 0 : -DBL_MAX;
	bool has_min = o->min > least, has_max = o->max < most;

	number_text(o->min, lo);
	number_text(o->max, hi);
	if ((o->min == 0 && o->max == 0) || (!has_min && !has_max))
		snprintf(buf, size, "%s", is_int_type(o) ? "-2147483648 to 2147483647" : "any");
	else if (!has_max)
		snprintf(buf, size, "at least %s", lo);
	else if (!has_min)
		snprintf(buf, size, "at most %s", hi);
	else
		snprintf(buf, size, "%s to %s", lo, hi);
	return buf;
}

static int out_of_range(const struct opt *o, const char *what, const char *value)
{
	char range[3 * NUMBER_MAX];

	return error(EXIT_UNEVALUABLE, "option '%s': %s%.100s is out of range; allowed: %s", o->name, what, value,
		     range_text(o, range, sizeof(range)));
}

static bool in_range(const struct opt *o, double v)
{
	return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

static int parse_int(const struct opt *o, const char *text, int *out)
{
	double v;

	if (!is_integer(text))
		return error(EXIT_UNEVALUABLE, "option '%s': '%.100s' is not a whole number", o->name, text);
	v = to_double(text);
	if (v < INT_MIN || v > INT_MAX || !in_range(o, v))
		return out_of_range(o, "", text);
	*out = (int)v;
	return 0;
}

static int parse_float(const struct opt *o, const char *text, double *out)
{
	if (!is_decimal(text))
		return error(EXIT_UNEVALUABLE, "option '%s': '%.100s' is not a finite number", o->name, text);
	*out = to_double(text);
	if (!isfinite(*out))
		return error(EXIT_UNEVALUABLE, "option '%s': %.100s is too large for a double", o->name, text);
	if (underflows(text, *out))
		return error(EXIT_UNEVALUABLE, "option '%s': %.100s is too small for a double", o->name, text);
	return in_range(o, *out) ? 0 : out_of_range(o, "", text);
}

static int parse_bool(const struct opt *o, const char *text, int *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcasecmp(text, words[i])) { /* True and TRUE are YAML's, too */
			*out = (int)(i % 2);
			return 0;
		}
	}
	return error(EXIT_UNEVALUABLE, "option '%s': '%.100s' is not true or false", o->name, text);
}

/* Length of choice number i of "a|b|c", *at its first byte; 0 when there are fewer. */
static size_t choice(const char *choices, int i, const char **at)
{
	for (; i > 0 && choices; i--) {
		choices = strchr(choices, '|');
		if (choices)
			choices++;
	}
	*at = choices;
	return choices ? strcspn(choices, "|") : 0;
}

static int parse_choice(const struct opt *o, const char *text, int *out)
{
	const char *at;
	size_t n;

	for (int i = 0; (n = choice(o->choices, i, &at)) > 0; i++) {
		if (strlen(text) == n && !memcmp(at, text, n)) {
			*out = i;
			return 0;
		}
	}
	return error(EXIT_UNEVALUABLE, "option '%s': '%.100s' is not one of %s", o->name, text, o->choices);
}

/* The value goes into JSON, messages and tables, so it must be printable UTF-8. */
static bool is_printable(const char *text)
{
	json_t *j = json_string(text);

	json_decref(j);
	for (; j && *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return j != NULL;
}

static int parse_string(const struct opt *o, const char *text, char *out)
{
	size_t n = strlen(text);

	if (n >= OPT_STRING_MAX)
		return error(EXIT_UNEVALUABLE, "option '%s': %zu bytes are too long; allowed: at most %d", o->name, n,
			     OPT_STRING_MAX - 1);
	if (!is_printable(text))
		return error(EXIT_UNEVALUABLE, "option '%s': the value holds control characters or is not UTF-8", o->name);
	if (!in_range(o, (double)n))
		return out_of_range(o, "the length of ", *text ? text : "''");
	memset(out, 0, OPT_STRING_MAX);
	memcpy(out, text, n);
	return 0;
}

static int parse_element(const struct opt *o, const char *text, void *list)
{
	struct opt_ints *ints = list;
	struct opt_floats *floats = list;
	int *n = o->type == OPT_INTS ? &ints->n : &floats->n, ret;

	if (*n == OPT_LIST_MAX)
		return error(EXIT_UNEVALUABLE, "option '%s': more than %d elements", o->name, OPT_LIST_MAX);
	ret = o->type == OPT_INTS ? parse_int(o, text, &ints->v[*n]) : parse_float(o, text, &floats->v[*n]);
	(*n)++;
	return ret;
}

static int parse_list(const struct opt *o, const char *text, void *list)
{
	while (*text) {
		char element[128];
		size_t n = strcspn(text, ",");

		if (!n || n >= sizeof(element) || (text[n] && !text[n + 1]))
			return error(EXIT_UNEVALUABLE, "option '%s': '%.100s' is not a list like 1,2,3", o->name, text);
		memcpy(element, text, n);
		element[n] = '\0';
		if (parse_element(o, element, list) < 0)
			return -1;
		text += n + (text[n] == ',');
	}
	return 0;
}

/* Lists are zeroed first, so that equal values are equal bytes. */
static void clear_list(const struct opt *o, void *list)
{
	memset(list, 0, o->type == OPT_INTS ? sizeof(struct opt_ints) : sizeof(struct opt_floats));
}

static int parse(const struct opt *o, void *conf, const char *text)
{
	void *value = slot(o, conf);

	switch (o->type) {
	case OPT_INT:
		return parse_int(o, text, value);
	case OPT_FLOAT:
		return parse_float(o, text, value);
	case OPT_BOOL:
		return parse_bool(o, text, value);
	case OPT_CHOICE:
		return parse_choice(o, text, value);
	case OPT_STRING:
		return parse_string(o, text, value);
	case OPT_INTS:
	case OPT_FLOATS:
		clear_list(o, value);
		return parse_list(o, text, value);
	}
	bug(__FILE__, __LINE__, "unknown option type");
}

/* ---- names ---- */

const struct opt *opt_find(const struct opt *opts, const char *name)
{
	for (; opts && opts->name; opts++)
		if (!strcmp(opts->name, name))
			return opts;
	return NULL;
}

#define TYPED_MAX 64

static int least(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: edits are insert, delete, replace and swap of neighbours; none is edited twice. */
static int distance(const char *a, int na, const char *b, int nb)
{
	int d[TYPED_MAX + 1][TYPED_MAX + 1];

	for (int i = 0; i <= na; i++)
		d[i][0] = i;
	for (int j = 0; j <= nb; j++)
		d[0][j] = j;
	for (int i = 1; i <= na; i++) {
		for (int j = 1; j <= nb; j++) {
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[na][nb];
}

const char *suggest(const char *typed, const char *const *names, size_t n)
{
	size_t nt = strlen(typed);
	int nearest = nt >= 6 ? (int)(nt / 3) : 1;
	const char *found = NULL;

	if (nt > TYPED_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t nn = strlen(names[i]);
		int d;

		if (nn > TYPED_MAX)
			continue;
		d = distance(typed, (int)nt, names[i], (int)nn);
		/* The first one must be near, the next ones nearer; nothing in common is never near. */
		if (d <= nearest - (found != NULL) && d < (int)(nt > nn ? nt : nn)) {
			nearest = d;
			found = names[i];
		}
	}
	return found;
}

int unknown_name(const char *what, const char *typed, const char *const *names, size_t n)
{
	const char *near = suggest(typed, names, n);
	char known[1024] = "none";

	if (near)
		return error(EXIT_UNEVALUABLE, "unknown %s '%.100s'; did you mean '%s'?", what, typed, near);
	for (size_t i = 0, used = 0; i < n && used < sizeof(known); i++) {
		if (used > 500) { /* enough to see what kind of names they are */
			snprintf(known + used, sizeof(known) - used, ", ... (%zu in all)", n);
			break;
		}
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", names[i]);
	}
	return error(EXIT_UNEVALUABLE, "unknown %s '%.100s'; known: %s", what, typed, known);
}

static int unknown_option(const struct opt *opts, const char *name)
{
	const char **names;
	size_t n = 0;

	while (opts && opts[n].name)
		n++;
	names = xmalloc(n, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = opts[i].name;
	unknown_name("option", name, names, n);
	free(names);
	return -1;
}

/* ---- filling a conf ---- */

void opt_defaults(const struct opt *opts, void *conf)
{
	for (; opts && opts->name; opts++)
		BUG_ON(!opts->def || parse(opts, conf, opts->def) < 0);
}

int opt_set(const struct opt *opts, void *conf, const char *name, const char *value)
{
	const struct opt *o = opt_find(opts, name);

	return o ? parse(o, conf, value) : unknown_option(opts, name);
}

/* The text of a JSON scalar, in buf or in the value itself; NULL when it has none. */
static const char *scalar_text(const json_t *j, char buf[NUMBER_MAX])
{
	switch (json_typeof(j)) {
	case JSON_STRING:
		return strlen(json_string_value(j)) == json_string_length(j) ? json_string_value(j) : NULL;
	case JSON_INTEGER:
		snprintf(buf, NUMBER_MAX, "%lld", (long long)json_integer_value(j));
		return buf;
	case JSON_REAL:
		return number_text(json_real_value(j), buf);
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return NULL;
	}
}

static int wrong_type(const struct opt *o)
{
	bool list = o->type == OPT_INTS || o->type == OPT_FLOATS;

	return error(EXIT_UNEVALUABLE, "option '%s': wants %s", o->name,
		     list ? "a list of numbers or a text like 1,2,3" : "one value, not a list, an object or null");
}

static int parse_array(const struct opt *o, void *conf, const json_t *array)
{
	void *list = slot(o, conf);
	char buf[NUMBER_MAX];

	if (o->type != OPT_INTS && o->type != OPT_FLOATS)
		return wrong_type(o);
	clear_list(o, list);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = scalar_text(json_array_get(array, i), buf);

		if (!text)
			return wrong_type(o);
		if (parse_element(o, text, list) < 0)
			return -1;
	}
	return 0;
}

static int parse_json(const struct opt *o, void *conf, const json_t *j)
{
	char buf[NUMBER_MAX];
	const char *text;

	if (json_is_array(j))
		return parse_array(o, conf, j);
	text = scalar_text(j, buf);
	return text ? parse(o, conf, text) : wrong_type(o);
}

int opt_from_json(const struct opt *opts, void *conf, json_t *obj)
{
	const char *name;
	json_t *value;

	opt_defaults(opts, conf);
	if (!obj || json_is_null(obj))
		return 0;
	if (!json_is_object(obj))
		return error(EXIT_UNEVALUABLE, "options must be an object of names and values");
	json_object_foreach(obj, name, value) {
		const struct opt *o = opt_find(opts, name);

		if (!o)
			return unknown_option(opts, name);
		if (parse_json(o, conf, value) < 0)
			return -1;
	}
	return 0;
}

/* ---- reading a conf ---- */

static json_t *list_json(const struct opt *o, const void *value)
{
	const struct opt_ints *ints = value;
	const struct opt_floats *floats = value;
	int n = o->type == OPT_INTS ? ints->n : floats->n;
	json_t *array = json_array();

	for (int i = 0; i < n; i++) {
		json_t *v = o->type == OPT_INTS ? json_integer(ints->v[i]) : json_real(floats->v[i]);
		int failed = json_array_append_new(array, v);

		BUG_ON(failed);
	}
	return array;
}

static json_t *value_json(const struct opt *o, const void *conf)
{
	const void *value = const_slot(o, conf);
	const char *at;
	size_t n;

	switch (o->type) {
	case OPT_INT:
		return json_integer(*(const int *)value);
	case OPT_FLOAT:
		return json_real(*(const double *)value);
	case OPT_BOOL:
		return json_boolean(*(const int *)value);
	case OPT_CHOICE:
		n = choice(o->choices, *(const int *)value, &at);
		return json_stringn(at, n);
	case OPT_STRING:
		return json_string(value);
	case OPT_INTS:
	case OPT_FLOATS:
		return list_json(o, value);
	}
	bug(__FILE__, __LINE__, "unknown option type");
}

json_t *opt_json(const struct opt *opts, const void *conf)
{
	json_t *obj = json_object();

	for (; opts && opts->name; opts++) {
		int failed = json_object_set_new(obj, opts->name, value_json(opts, conf));

		BUG_ON(failed); /* a conf that opt_set() did not fill, e.g. holding nan */
	}
	return obj;
}

const char *opt_text(const struct opt *o, const void *conf, char *buf)
{
	json_t *value = value_json(o, conf);
	size_t used = 0;
	char scalar[NUMBER_MAX];

	BUG_ON(!value);
	buf[0] = '\0';
	if (!json_is_array(value))
		snprintf(buf, OPT_TEXT_MAX, "%s", scalar_text(value, scalar));
	for (size_t i = 0; i < json_array_size(value); i++)
		used += (size_t)snprintf(buf + used, OPT_TEXT_MAX - used, "%s%s", i ? "," : "",
					 scalar_text(json_array_get(value, i), scalar));
	json_decref(value);
	return buf;
}

/* ---- help ---- */

/* What may be typed, e.g. "0 to 1", "a|b|c", "text". */
static const char *allowed_text(const struct opt *o, char *buf, size_t size)
{
	static const char *const words[] = {
		[OPT_INT] = "integer", [OPT_FLOAT] = "number", [OPT_BOOL] = "true|false", [OPT_CHOICE] = NULL,
		[OPT_STRING] = "text", [OPT_INTS] = "integers", [OPT_FLOATS] = "numbers"
	};
	char range[3 * NUMBER_MAX] = "";

	if (o->type == OPT_CHOICE)
		snprintf(buf, size, "%s", o->choices);
	else if (o->min == 0 && o->max == 0)
		snprintf(buf, size, "%s", words[o->type]);
	else
		snprintf(buf, size, "%s, %s%s", words[o->type], o->type == OPT_STRING ? "length " : "",
			 range_text(o, range, sizeof(range)));
	return buf;
}

static const char *default_text(const struct opt *o)
{
	return *o->def ? o->def : "(empty)";
}

static int wider(int width, const char *s)
{
	int n = (int)strlen(s);

	return n > width ? n : width;
}

void opt_help(const struct opt *opts, FILE *out, int indent)
{
	int name = 0, def = 0, allowed = 0;
	char buf[OPT_TEXT_MAX];

	for (const struct opt *o = opts; o && o->name; o++) {
		name = wider(name, o->name);
		def = wider(def, default_text(o));
		allowed = wider(allowed, allowed_text(o, buf, sizeof(buf)));
	}
	for (const struct opt *o = opts; o && o->name; o++)
		fprintf(out, "%*s%-*s  %-*s  %-*s  %s\n", indent, "", name, o->name, def, default_text(o), allowed,
			allowed_text(o, buf, sizeof(buf)), o->help);
}

/* A bar would end the cell. */
static void print_cell(FILE *out, const char *s)
{
	for (; *s; s++)
		fprintf(out, *s == '|' ? "\\%c" : "%c", *s);
}

void opt_markdown(const struct opt *opts, FILE *out)
{
	char buf[OPT_TEXT_MAX];

	fputs("| option | default | allowed | meaning |\n|---|---|---|---|\n", out);
	for (; opts && opts->name; opts++) {
		fprintf(out, "| `%s` | `", opts->name);
		print_cell(out, default_text(opts));
		fputs("` | ", out);
		print_cell(out, allowed_text(opts, buf, sizeof(buf)));
		fputs(" | ", out);
		print_cell(out, opts->help);
		fputs(" |\n", out);
	}
}
