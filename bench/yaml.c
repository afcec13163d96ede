/* Strict YAML. See yaml.h. Events of libfyaml become a small tree; libfyaml's own documents are not used, because they
 * resolve aliases before anybody can refuse them. */
#include "bench/yaml.h"

#include <libfyaml.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

#define DEPTH_MAX 12
#define NODES_MAX 50000
#define TEXT_MAX 4096

struct reader {
	struct fy_parser *fy;
	struct fy_diag *diag;
	struct arena *mem;
	const char *where;
	const char *text; /* (len) the whole file */
	size_t len;
	int nodes;
	int line, column; /* of the last event that had a place: what has none belongs to it */
	const struct yaml *flow; /* the innermost [ or { that is open, or NULL */
};

/* ---- lines: LF, CR LF or CR ends one, as YAML has it ---- */

/* The line at text (end: of the file); *n: bytes without its end. Returns the next line. */
static const char *next_line(const char *text, const char *end, size_t *n)
{
	const char *p = text;

	while (p < end && *p != '\n' && *p != '\r')
		p++;
	*n = (size_t)(p - text);
	if (p < end)
		p += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
	return p;
}

/* Line `number` (from 1) of the file, *n bytes; "" past the end. */
static const char *line_of(const struct reader *r, int number, size_t *n)
{
	const char *p = r->text, *end = r->text + r->len, *line = p;

	for (int i = 0; i < number; i++) {
		line = p;
		p = next_line(p, end, n);
	}
	return line;
}

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
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; y->kind == YAML_SCALAR && !y->quoted && i < ARRAY_LEN(words); i++)
		if (!strcmp(y->text, words[i]))
			return true;
	return false;
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

/* What to do about libfyaml's messages, the frequent ones. */
static const struct { const char *says, *advice; } advices[] = {
	{ "invalid nested block mapping on the same line", "put quotes around a value that holds ': '" },
	{ "could not find expected ':'", "write 'name: value', with a blank behind the colon" },
	{ "invalid value after mapping", "write 'name: value', with a blank behind the colon" },
	{ "plain scalar cannot start with", "put quotes around the value" },
	{ "invalid indentation in mapping", "let the names of one map begin in one column" },
};

static const char *advice_on(const char *msg)
{
	for (size_t i = 0; i < ARRAY_LEN(advices); i++)
		if (strstr(msg, advices[i].says))
			return advices[i].advice;
	return NULL;
}

/* libfyaml 0.7.12 does not take "-" for an empty value and stumbles over what follows. The last line up to `last` that
 * is such a dash and was not read yet, or 0. */
static int empty_item(const struct reader *r, int last, int *column)
{
	const char *end = r->text + r->len, *next, *s;
	int found = 0;
	size_t n;

	s = line_of(r, r->line, &n);
	for (int line = r->line; line <= last && s < end; line++, s = next) {
		const char *hash;

		next = next_line(s, end, &n);
		hash = memchr(s, '#', n);
		n = hash ? (size_t)(hash - s) : n;
		while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
			n--;
		if (n > 0 && s[n - 1] == '-' && (n == 1 || s[n - 2] == ' ')) {
			*column = (int)n;
			found = line;
		}
	}
	return found;
}

static int syntax_error(struct reader *r)
{
	void *prev = NULL;
	struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &prev);
	const char *advice = e && e->msg ? advice_on(e->msg) : NULL;
	int column, line;

	if (!e || !e->msg)
		return error(EXIT_UNEVALUABLE, "%s: not YAML", r->where);
	if (e->line < 1)
		return error(EXIT_UNEVALUABLE, "%s: not YAML: %s", r->where, e->msg);
	if (strstr(e->msg, "without a closing") && r->flow)
		return yaml_error(r->flow, "not YAML: nothing closes this bracket");
	if (strstr(e->msg, "did not find expected node content") && (line = empty_item(r, e->line, &column)) > 0)
		return error(EXIT_UNEVALUABLE, "%s:%d:%d: an empty item of a list; fill it or take it out", r->where,
			     line, column);
	return error(EXIT_UNEVALUABLE, "%s:%d:%d: not YAML: %s%s%s", r->where, e->line, e->column, e->msg,
		     advice ? "; " : "", advice ? advice : "");
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

/* What a value of n bytes must not hold, or NULL. */
static const char *value_refused(const char *s, size_t n)
{
	size_t len;

	for (const char *end = s + n; s < end; s += len) {
		const int cp = utf8_next_of(s, (size_t)(end - s), &len);

		if (*s == '\n' || *s == '\r')
			return "a value with a line break; write it on one line "
			       "(behind >- the lines are joined by blanks)";
		if (*s == '\t')
			return "a value with a tab; use blanks";
		if (cp < 0 || utf8_is_control(cp))
			return "a value with control characters";
	}
	return NULL;
}

/* Characters in n bytes. */
static int columns(const char *s, size_t n)
{
	int characters = 0;

	for (size_t i = 0; i < n; i++)
		characters += ((unsigned char)s[i] & 0xc0) != 0x80;
	return characters;
}

/* Is this | or > the head of a block of text: at most its marks, blanks and a comment behind it? */
static bool is_block_head(const char *s, size_t n)
{
	size_t i = 1;

	while (i < n && strchr("+-0123456789", s[i]))
		i++;
	while (i < n && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i == n || s[i] == '#';
}

/* A block's event begins where its text does; its own place is that of the | or > before. */
static void place_block(const struct reader *before, struct yaml *y)
{
	const char *end = before->text + before->len, *s, *next;
	size_t n, i = (size_t)before->column - 1;

	s = line_of(before, before->line, &n);
	for (int line = before->line; line < y->line; line++, s = next, i = 0) {
		next = next_line(s, end, &n);
		for (; i < n; i++) {
			if ((s[i] != '|' && s[i] != '>') || !is_block_head(s + i, n - i))
				continue;
			y->line = line;
			y->column = columns(s, i) + 1;
			return;
		}
	}
}

/* before: the reader as it was at the event before. */
static int read_scalar(const struct reader *before, struct fy_event *e, struct yaml *y)
{
	size_t len = 0;
	const char *text = fy_token_get_text(e->scalar.value, &len), *why;
	enum fy_node_style style = fy_event_get_node_style(e);
	char *copy;

	if (!text)
		len = 0;
	y->quoted = style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED;
	if (style == FYNS_LITERAL || style == FYNS_FOLDED)
		place_block(before, y);
	if (len > TEXT_MAX)
		return yaml_error(y, "a value of %zu characters; at most %d are allowed", len, TEXT_MAX);
	why = value_refused(text, len);
	if (why)
		return yaml_error(y, "%s", why);
	copy = arena_new(before->mem, len + 1, char);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	y->text = copy;
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

static void note_place(struct reader *r, struct fy_event *e);

/* An empty key has no place of its own: its value, behind the colon, does. Takes value. */
static int name_missing(struct reader *r, struct yaml *k, struct fy_event *value)
{
	if (!value)
		return -1;
	if (!k->quoted) {
		note_place(r, value);
		k->line = r->line;
		k->column = r->column;
	}
	fy_parser_event_free(r->fy, value);
	return yaml_error(k, "a name is missing in front of a colon");
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
		if (!*k->text)
			return name_missing(r, k, e);
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
		return "anchors (&name) are not allowed; repeat the value";
	if (fy_event_get_tag_token(e))
		return "tags (!name) are not allowed; leave it out";
	return NULL;
}

static bool is_quoted(struct fy_event *e)
{
	const enum fy_node_style style = fy_event_get_node_style(e);

	return style == FYNS_SINGLE_QUOTED || style == FYNS_DOUBLE_QUOTED;
}

/* Where an event begins, in r->line and r->column; they stay what they were when it has no place (an empty value). */
static void note_place(struct reader *r, struct fy_event *e)
{
	struct fy_token *before = fy_event_get_anchor_token(e);
	const struct fy_mark *m;
	int behind = before || e->type == FYET_ALIAS; /* these marks lie behind the & or *, and the opening quote */

	if (!before)
		before = fy_event_get_tag_token(e);
	m = before ? fy_token_start_mark(before) : fy_event_start_mark(e);
	if (!m)
		return;
	if (e->type == FYET_SCALAR && !before)
		behind = is_quoted(e);
	r->line = m->line + 1;
	r->column = m->column + 1 - (behind && m->column > 0);
}

/* Takes e. */
static struct yaml *read_node(struct reader *r, struct fy_event *e, int depth)
{
	const struct reader last = *r; /* a block of text is looked for from there */
	const char *why = refused(e);
	enum fy_event_type type = e->type;
	const bool flow = fy_event_get_node_style(e) == FYNS_FLOW;
	struct yaml *y;
	int ret = 0;

	note_place(r, e);
	y = new_node(r->mem, YAML_SCALAR, r->where, r->line, r->column);
	if (why)
		ret = yaml_error(y, "%s", why);
	else if (++r->nodes > NODES_MAX)
		ret = yaml_error(y, "more than %d values", NODES_MAX);
	else if (depth == DEPTH_MAX)
		ret = yaml_error(y, "nested more than %d deep", DEPTH_MAX);
	else if (type == FYET_SCALAR)
		ret = read_scalar(&last, e, y);
	fy_parser_event_free(r->fy, e);
	if (flow && type != FYET_SCALAR)
		r->flow = y;
	if (!ret && type == FYET_SEQUENCE_START) {
		y->kind = YAML_LIST;
		ret = read_list(r, y, depth + 1);
	} else if (!ret && type == FYET_MAPPING_START) {
		y->kind = YAML_MAP;
		ret = read_map(r, y, depth + 1);
	}
	if (ret == 0)
		r->flow = last.flow;
	return ret < 0 ? NULL : y;
}

static int expect(struct reader *r, enum fy_event_type type, const char *what)
{
	struct fy_event *e = next_event(r);
	const bool welcome = e && e->type == type;

	if (!e)
		return -1;
	note_place(r, e);
	if (!welcome && e->type == FYET_DOCUMENT_START && !fy_event_start_mark(e)) { /* no ---: see its value */
		fy_parser_event_free(r->fy, e);
		e = next_event(r);
		if (!e)
			return -1;
		note_place(r, e);
	}
	fy_parser_event_free(r->fy, e);
	return welcome ? 0 : error(EXIT_UNEVALUABLE, "%s:%d:%d: %s", r->where, r->line, r->column, what);
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

/* What a line must not hold, with *column, or NULL. Debian 12's libfyaml (0.7.12) never returns from bytes that are not
 * UTF-8 in a directive (its issue 101), blames tabs on other lines, and jobs need none of these. */
static const char *line_refused(const char *line, size_t n, int *column)
{
	size_t len, indent = 0, at = 0;

	for (*column = 1; at < n; at += len, ++*column) {
		const int cp = utf8_next_of(line + at, n - at, &len);

		if (cp < 0)
			return "not UTF-8 text; save the file as UTF-8";
		if (cp == 0x85 || cp == 0x2028 || cp == 0x2029)
			return "a line end that not every program sees (U+0085, U+2028 or U+2029); use a plain one";
		if (utf8_is_control(cp) && cp != '\t')
			return "control characters are not allowed";
	}
	*column = 1;
	if (n && line[0] == '%')
		return "directives (%) are not allowed";
	while (indent < n && line[indent] == ' ')
		indent++;
	*column = (int)indent + 1;
	if (indent == n || line[indent] != '\t')
		return NULL;
	while (indent < n && (line[indent] == ' ' || line[indent] == '\t'))
		indent++;
	return indent == n || line[indent] == '#' ? NULL : "a tab in the indentation; indent with blanks";
}

static int check_lines(const struct reader *r)
{
	const char *text = r->text, *end = text + r->len, *next, *why;
	size_t n;
	int column;

	for (int line = 1; text < end; text = next, line++) {
		next = next_line(text, end, &n);
		why = line_refused(text, n, &column);
		if (why)
			return error(EXIT_UNEVALUABLE, "%s:%d:%d: %s", r->where, line, column, why);
	}
	return 0;
}

struct yaml *yaml_parse(struct arena *mem, const char *text, size_t len, const char *where)
{
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE };
	struct reader r = { .mem = mem, .where = arena_printf(mem, "%s", where), .text = text, .len = len,
			    .line = 1, .column = 1 };
	struct yaml *y = NULL;

	if (check_lines(&r) < 0)
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
