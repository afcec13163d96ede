/* Strict YAML. See yaml.h. Events of libfyaml become a small tree; libfyaml's own documents are not used, because they
 * resolve aliases before anybody can refuse them. */
#include "bench/yaml.h"

#include <jansson.h>
#include <libfyaml.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"

#define DEPTH_MAX 12
#define NODES_MAX 50000
#define TEXT_MAX 4096

struct reader {
	struct fy_parser *fy;
	struct fy_diag *diag;
	struct arena *mem;
	const char *where;
	int nodes;
};

/* ---- messages ---- */

int yaml_error(const struct yaml *at, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error(EXIT_UNEVALUABLE, "%s:%d:%d: %s", at->where, at->line, at->column, text);
}

int yaml_prefix(const struct yaml *at)
{
	return error_prefix("%s:%d:%d", at->where, at->line, at->column);
}

/* ---- nodes ---- */

static struct yaml *new_node(struct arena *mem, enum yaml_kind kind, const char *where, int line, int column)
{
	struct yaml *y = arena_new(mem, 1, struct yaml);

	*y = (struct yaml){ .kind = kind, .where = where, .line = line, .column = column };
	return y;
}

struct yaml *yaml_scalar(struct arena *mem, const struct yaml *at, const char *text)
{
	struct yaml *y = new_node(mem, YAML_SCALAR, at->where, at->line, at->column);

	y->text = arena_printf(mem, "%s", text);
	return y;
}

struct yaml *yaml_map(struct arena *mem, const struct yaml *at)
{
	return new_node(mem, YAML_MAP, at->where, at->line, at->column);
}

int yaml_find(const struct yaml *y, const char *key)
{
	for (int i = 0; y && y->kind == YAML_MAP && i < y->n; i++)
		if (!strcmp(y->key[i]->text, key))
			return i;
	return -1;
}

struct yaml *yaml_get(const struct yaml *y, const char *key)
{
	int i = yaml_find(y, key);

	return i < 0 ? NULL : y->item[i];
}

bool yaml_is_null(const struct yaml *y)
{
	return y->kind == YAML_SCALAR && !y->quoted &&
	       (!*y->text || !strcmp(y->text, "~") || !strcmp(y->text, "null"));
}

/* Arrays double in the arena: the old ones are garbage until the job is released. */
static struct yaml **grown(struct arena *mem, struct yaml **old, int n)
{
	struct yaml **v;

	if (n & (n - 1))
		return old; /* room is the next power of two */
	v = arena_new(mem, n ? 2 * n : 1, struct yaml *);
	if (n)
		memcpy(v, old, n * sizeof(*v));
	return v;
}

void yaml_put(struct arena *mem, struct yaml *y, struct yaml *key, struct yaml *value)
{
	int i = key ? yaml_find(y, key->text) : -1;

	if (i >= 0) {
		y->item[i] = value;
		return;
	}
	y->item = grown(mem, y->item, y->n);
	if (key) {
		y->key = grown(mem, y->key, y->n);
		y->key[y->n] = key;
	}
	y->item[y->n++] = value;
}

/* ---- reading ---- */

static int syntax_error(struct reader *r)
{
	void *prev = NULL;
	struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &prev);

	if (!e || !e->msg)
		return error(EXIT_UNEVALUABLE, "%s: not YAML", r->where);
	if (e->line < 1)
		return error(EXIT_UNEVALUABLE, "%s: not YAML: %s", r->where, e->msg);
	return error(EXIT_UNEVALUABLE, "%s:%d:%d: not YAML: %s", r->where, e->line, e->column, e->msg);
}

static struct yaml *read_node(struct reader *r, struct fy_event *e, int depth);

/* NULL at the end of input or after error(). */
static struct fy_event *next_event(struct reader *r)
{
	struct fy_event *e = fy_parser_parse(r->fy);

	if (!e || fy_parser_get_stream_error(r->fy)) {
		if (e)
			fy_parser_event_free(r->fy, e);
		syntax_error(r);
		return NULL;
	}
	return e;
}

static bool has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return true;
	return false;
}

static int read_scalar(struct reader *r, struct fy_event *e, struct yaml *y)
{
	size_t len = 0;
	const char *text = fy_token_get_text(e->scalar.value, &len);
	char *copy;

	if (!text)
		len = 0;
	if (len > TEXT_MAX)
		return yaml_error(y, "a value of %zu characters; at most %d are allowed", len, TEXT_MAX);
	if (has_control(text, len))
		return yaml_error(y, "a value with line breaks or control characters");
	copy = arena_new(r->mem, len + 1, char);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	y->text = copy;
	y->quoted = fy_event_get_node_style(e) == FYNS_SINGLE_QUOTED || fy_event_get_node_style(e) == FYNS_DOUBLE_QUOTED;
	return 0;
}

static int read_list(struct reader *r, struct yaml *y, int depth)
{
	struct fy_event *e;
	struct yaml *v;

	while ((e = next_event(r))) {
		if (e->type == FYET_SEQUENCE_END) {
			fy_parser_event_free(r->fy, e);
			return 0;
		}
		v = read_node(r, e, depth);
		if (!v)
			return -1;
		yaml_put(r->mem, y, NULL, v);
	}
	return -1;
}

static int read_map(struct reader *r, struct yaml *y, int depth)
{
	struct fy_event *e;
	struct yaml *k, *v;

	while ((e = next_event(r))) {
		if (e->type == FYET_MAPPING_END) {
			fy_parser_event_free(r->fy, e);
			return 0;
		}
		k = read_node(r, e, depth);
		if (!k)
			return -1;
		if (k->kind != YAML_SCALAR)
			return yaml_error(k, "a key must be a plain word");
		if (yaml_find(y, k->text) >= 0)
			return yaml_error(k, "key '%s' is given twice", k->text);
		e = next_event(r);
		v = e ? read_node(r, e, depth) : NULL;
		if (!v)
			return -1;
		yaml_put(r->mem, y, k, v);
	}
	return -1;
}

/* Why this event is not welcome, or NULL. */
static const char *refused(struct fy_event *e)
{
	if (e->type == FYET_ALIAS)
		return "aliases (*name) are not allowed; repeat the value";
	if (e->type != FYET_SCALAR && e->type != FYET_SEQUENCE_START && e->type != FYET_MAPPING_START)
		return "a value is missing";
	if (fy_event_get_anchor_token(e))
		return "anchors (&name) are not allowed";
	if (fy_event_get_tag_token(e))
		return "tags (!name) are not allowed";
	return NULL;
}

/* Takes e. */
static struct yaml *read_node(struct reader *r, struct fy_event *e, int depth)
{
	const struct fy_mark *m = fy_event_start_mark(e);
	struct yaml *y = new_node(r->mem, YAML_SCALAR, r->where, m ? m->line + 1 : 1, m ? m->column + 1 : 1);
	const char *why = refused(e);
	enum fy_event_type type = e->type;
	int ret = 0;

	if (why)
		ret = yaml_error(y, "%s", why);
	else if (++r->nodes > NODES_MAX)
		ret = yaml_error(y, "more than %d values", NODES_MAX);
	else if (depth == DEPTH_MAX)
		ret = yaml_error(y, "nested more than %d deep", DEPTH_MAX);
	else if (type == FYET_SCALAR)
		ret = read_scalar(r, e, y);
	fy_parser_event_free(r->fy, e);
	if (!ret && type == FYET_SEQUENCE_START) {
		y->kind = YAML_LIST;
		ret = read_list(r, y, depth + 1);
	} else if (!ret && type == FYET_MAPPING_START) {
		y->kind = YAML_MAP;
		ret = read_map(r, y, depth + 1);
	}
	return ret < 0 ? NULL : y;
}

static int expect(struct reader *r, enum fy_event_type type, const char *what)
{
	struct fy_event *e = next_event(r);
	const struct fy_mark *m;
	int ret = 0;

	if (!e)
		return -1;
	m = fy_event_start_mark(e);
	if (e->type != type)
		ret = error(EXIT_UNEVALUABLE, "%s:%d:%d: %s", r->where, m ? m->line + 1 : 1, m ? m->column + 1 : 1, what);
	fy_parser_event_free(r->fy, e);
	return ret;
}

static struct yaml *read_document(struct reader *r)
{
	struct fy_event *e;
	struct yaml *y;

	if (expect(r, FYET_STREAM_START, "not YAML") < 0 || expect(r, FYET_DOCUMENT_START, "the file is empty") < 0)
		return NULL;
	e = next_event(r);
	y = e ? read_node(r, e, 0) : NULL;
	if (!y || expect(r, FYET_DOCUMENT_END, "more than one value") < 0 ||
	    expect(r, FYET_STREAM_END, "a second document; a job is one document") < 0)
		return NULL;
	return y;
}

static void print_nothing(struct fy_diag *diag, void *user, const char *buf, size_t len)
{
	(void)diag, (void)user, (void)buf, (void)len;
}

/* Collects messages; libfyaml would print them. */
static struct fy_diag *collector(void)
{
	struct fy_diag_cfg cfg;
	struct fy_diag *d;

	fy_diag_cfg_default(&cfg);
	cfg.fp = NULL;
	cfg.output_fn = print_nothing;
	cfg.colorize = false;
	d = fy_diag_create(&cfg);
	if (!d)
		die(EXIT_MEMORY, "out of memory");
	fy_diag_set_collect_errors(d, true);
	return d;
}

/* What a line must not be, or NULL. Debian 12's libfyaml (0.7.12) never returns from bytes that are not UTF-8 in a
 * directive (its issue 101), and jobs need neither. */
static const char *line_refused(const char *line, size_t n)
{
	json_t *j = json_stringn(line, n); /* refuses what is not UTF-8 */

	json_decref(j);
	if (!j)
		return "not UTF-8 text";
	if (n && line[0] == '%')
		return "directives (%) are not allowed";
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < 0x20 && line[i] != '\t' && line[i] != '\r') || line[i] == 0x7f)
			return "control characters are not allowed";
	return NULL;
}

static int check_lines(const char *text, size_t len, const char *where)
{
	const char *end = text + len, *next;

	for (int line = 1; text < end; text = next, line++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text)), *why;

		next = nl ? nl + 1 : end;
		why = line_refused(text, (size_t)((nl ? nl : end) - text));
		if (why)
			return error(EXIT_UNEVALUABLE, "%s:%d:1: %s", where, line, why);
	}
	return 0;
}

struct yaml *yaml_parse(struct arena *mem, const char *text, size_t len, const char *where)
{
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE };
	struct reader r = { .mem = mem, .where = arena_printf(mem, "%s", where) };
	struct yaml *y = NULL;

	if (check_lines(text, len, where) < 0)
		return NULL;
	if (!len) {
		error(EXIT_UNEVALUABLE, "%s:1:1: the file is empty", where);
		return NULL;
	}
	r.diag = cfg.diag = collector();
	r.fy = fy_parser_create(&cfg);
	if (!r.fy || fy_parser_set_string(r.fy, text, len) < 0)
		error(EXIT_MEMORY, "%s: cannot start the YAML parser", where);
	else
		y = read_document(&r);
	if (r.fy)
		fy_parser_destroy(r.fy);
	fy_diag_destroy(r.diag);
	return y;
}
