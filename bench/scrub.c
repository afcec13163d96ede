/* Texts without secrets and names. See scrub.h. */
#include "bench/scrub.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/escape.h"
#include "schemes/scheme.h"

#define SHORT 4  /* shorter values are looked for behind their option's name only: "a" stands everywhere */
#define PATH_ENDS " \t\r\n'\"<>,;:)(&|\\]}`"
#define GLUE 24  /* characters that may stand between that name and its value */
#define HOST 3   /* shorter names of machines are looked for in commands and messages only */

struct scrub_word {
	char *text;
	char *after;         /* only behind this name; NULL: anywhere */
	char *instead;
	bool only_messages;  /* and commands: too short for other texts */
	double *number;      /* (n) a list of numbers, whatever stands between them; NULL: text is what is looked for */
	int n;
};

/* ---- what to look for ---- */

static struct scrub_word *add(struct scrub *s, const char *text, const char *after, const char *instead)
{
	for (int i = 0; i < s->n; i++)
		if (!strcmp(s->w[i].text, text) && !strcmp(s->w[i].after ? s->w[i].after : "", after ? after : ""))
			return &s->w[i];
	s->w = xrealloc(s->w, (size_t)s->n + 1, sizeof(*s->w));
	s->w[s->n] = (struct scrub_word){ .text = xstrdup(text), .after = after ? xstrdup(after) : NULL,
					.instead = xstrdup(instead) };
	return &s->w[s->n++];
}

void scrub_release(struct scrub *s)
{
	for (int i = 0; i < s->n; i++) {
		free(s->w[i].text);
		free(s->w[i].after);
		free(s->w[i].instead);
		free(s->w[i].number);
	}
	free(s->w);
	*s = (struct scrub){ 0 };
}

static void escape_quotes(struct text *t, const char *s, char quote, const char *instead)
{
	for (; *s; s++)
		if (*s == quote)
			text_add(t, instead);
		else
			text_char(t, *s);
}

/* As JSON between its quotes; in CSV those that are left are doubled. */
static void escape_json(struct text *t, const char *s, bool csv)
{
	json_t *j = json_string(s);
	char *text = j ? json_dumps(j, JSON_ENCODE_ANY) : NULL;
	size_t n = text ? strlen(text) : 0;

	if (n > 2) {
		text[n - 1] = '\0';
		escape_quotes(t, text + 1, csv ? '"' : '\0', "\"\"");
	}
	free(text);
	json_decref(j);
}

/* How our own formats, YAML and shells write a text: one text in so many ways. */
enum { FORMS = 8 };

static void write_form(struct text *t, const char *s, int form)
{
	switch (form) {
	case 0: text_add(t, s); break;
	case 1: escape_html(t, s); break;
	case 2: escape_latex(t, s); break;
	case 3: escape_markdown(t, s); break;
	case 4: escape_json(t, s, false); break;
	case 5: escape_json(t, s, true); break;
	case 6: escape_quotes(t, s, '\'', "''"); break;    /* YAML */
	case 7: escape_quotes(t, s, '\'', "'\\''"); break; /* a shell */
	}
}

void scrub_value(struct scrub *s, const char *option, const char *value)
{
	for (int form = 0; form < FORMS; form++) {
		struct text t = { 0 };

		write_form(&t, value, form);
		if (*text_str(&t))
			add(s, text_str(&t), strlen(value) < SHORT ? option : NULL, "withheld");
		text_release(&t);
	}
}

void scrub_phrase(struct scrub *s, const char *text, const char *instead)
{
	for (int form = 0; form < FORMS && strcmp(text, instead) != 0; form++) {
		struct text t = { 0 }, i = { 0 };

		write_form(&t, text, form);
		write_form(&i, instead, form);
		if (*text_str(&t))
			add(s, text_str(&t), NULL, text_str(&i));
		text_release(&t);
		text_release(&i);
	}
}

static void add_numbers(struct scrub *s, const char *option, const json_t *list)
{
	char *text = json_compact(list);
	struct scrub_word *w = add(s, text, option, "null"); /* JSON stays JSON */

	free(text);
	if (w->number) /* known already */
		return;
	w->n = (int)json_array_size(list);
	w->number = xmalloc((size_t)w->n + 1, sizeof(*w->number));
	for (int i = 0; i < w->n; i++)
		w->number[i] = json_number_value(json_array_get(list, (size_t)i));
}

static const struct secret_option *secrets_of(const json_t *point)
{
	static const struct secret_option none;
	const char *name = jget_str(point, "scheme", "");

	for (const struct driver *const *d = schemes; *d; d++)
		if (!strcmp((*d)->name, name))
			return ((const struct scheme *)*d)->secrets;
	return &none;
}

void scrub_secrets(struct scrub *s, const json_t *point)
{
	const json_t *options = json_object_get(point, "scheme_options");

	for (const struct secret_option *o = secrets_of(point); o->name; o++) {
		const json_t *v = json_object_get(options, o->name);
		const char *text = json_string_value(v);

		if (text && *text && strcmp(text, "random") != 0)
			scrub_value(s, o->name, text);
		else if (json_array_size(v))
			add_numbers(s, o->name, v);
	}
}

void scrub_host(struct scrub *s, const char *host)
{
	char *first = xasprintf("%.*s", (int)strcspn(host, "."), host);

	if (*first && strcmp(first, "localhost") != 0) {
		add(s, host, NULL, "HOST")->only_messages = strlen(host) < HOST; /* the longer one first */
		add(s, first, NULL, "HOST")->only_messages = strlen(first) < HOST;
	}
	free(first);
}

void scrub_here(struct scrub *s)
{
	const char *home = getenv("HOME");
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) == 0)
		scrub_host(s, host);
	if (home && home[0] == '/' && strlen(home) >= SHORT)
		add(s, home, NULL, "~");
}

/* ---- finding it ---- */

static bool part_of_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Is text[at] behind this name, with nothing but signs and blanks between? */
static bool is_behind(const char *text, size_t at, const char *name)
{
	const size_t n = strlen(name);
	size_t end = at;

	while (end && at - end < GLUE && !part_of_word(text[end - 1]))
		end--;
	return end < at && end >= n && !strncmp(text + end - n, name, n) &&
	       (end == n || !part_of_word(text[end - n - 1]));
}

/* Length of the list of numbers here, 0 when it is another. */
static size_t match_numbers(const struct scrub_word *w, const char *text)
{
	const char *p = text;

	for (int i = 0; i < w->n; i++) {
		char *end;
		double v;

		p += i ? strspn(p, " \t\r\n,") : 0;
		if (!isdigit((unsigned char)*p) && *p != '-' && *p != '.')
			return 0;
		v = strtod(p, &end);
		if (end == p || v != w->number[i] || part_of_word(*end))
			return 0;
		p = end;
	}
	return (size_t)(p - text);
}

static size_t match(const struct scrub_word *w, const char *text, size_t at)
{
	const char *p = text + at;
	size_t n = w->number ? match_numbers(w, p) : strncmp(p, w->text, strlen(w->text)) ? 0 : strlen(w->text);

	if (!n || part_of_word(p[n]) || (w->after && !is_behind(text, at, w->after)))
		return 0;
	return n;
}

/* "/home/NAME", "/Users/NAME", "/root": how long, 0: none. */
static size_t match_home(const char *p)
{
	static const char *const roots[] = { "/home/", "/Users/" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		const size_t n = strlen(roots[i]);
		const size_t name = strncmp(p, roots[i], n) ? 0 : strcspn(p + n, PATH_ENDS "/");

		if (name)
			return n + name;
	}
	return !strncmp(p, "/root", 5) && !part_of_word(p[5]) ? 5 : 0;
}

/* A path from / on with two names or more: how long, and what stays of it; 0: none. Not behind a comma: base64 may
 * stand there. */
static size_t match_path(const char *text, size_t at, const char **last, size_t *n)
{
	const char *p = text + at, *slash;
	size_t whole, len;

	if (*p != '/' || (at && !strchr(" \t\n'\"`(=:;[>{", p[-1])) ||
	    (!part_of_word(p[1]) && p[1] != '_' && p[1] != '.'))
		return 0;
	len = whole = strcspn(p, PATH_ENDS);
	while (len > 1 && p[len - 1] == '/')
		len--;
	slash = memrchr(p, '/', len);
	if (slash == p)
		return 0;
	*last = slash + 1;
	*n = (size_t)(p + len - slash - 1);
	return whole;
}

/* What stands at text[at] and must not stay: how long, and what stands there instead. 0: nothing. */
static size_t find(const struct scrub *s, const char *text, size_t at, bool message, const char **instead, size_t *n)
{
	size_t len = match_home(text + at), path = match_path(text, at, instead, n);

	/* A home itself becomes ~; of what lies in it the name stays. */
	if (path && (!len || len + strspn(text + at + len, "/") < path))
		return path;
	*instead = "~";
	for (int k = 0; k < s->n && !len; k++) {
		len = s->w[k].only_messages && !message ? 0 : match(&s->w[k], text, at);
		*instead = s->w[k].instead;
	}
	*n = strlen(*instead);
	return len;
}

static char *scrub(const struct scrub *s, const char *text, size_t len, size_t *out, bool message)
{
	struct text t = { 0 };

	for (size_t i = 0; i < len;) {
		const char *instead;
		size_t n = 0, k = i && part_of_word(text[i - 1]) ? 0 : find(s, text, i, message, &instead, &n);

		if (k)
			text_bytes(&t, instead, n);
		else
			text_char(&t, text[i]);
		i += k ? k : 1;
	}
	if (out)
		*out = t.n;
	return t.s ? t.s : xstrdup("");
}

char *scrub_text(const struct scrub *s, const char *text, size_t len, size_t *out)
{
	return scrub(s, text, len, out, false);
}

/* ---- messages ---- */

static bool is_secret_number(const json_t *point, double v)
{
	const json_t *options = json_object_get(point, "scheme_options"), *one;
	size_t i;

	for (const struct secret_option *o = secrets_of(point); o->name; o++)
		json_array_foreach(json_object_get(options, o->name), i, one)
			if (json_number_value(one) == v)
				return true;
	return false;
}

static char *without_numbers(const char *text, const json_t *point)
{
	struct text t = { 0 };

	for (const char *p = text; *p;) {
		const bool begins = isdigit((unsigned char)*p) && (p == text || (!part_of_word(p[-1]) && p[-1] != '.'));
		char *end = NULL;
		const double v = begins ? strtod(p, &end) : 0;

		if (begins && is_secret_number(point, v))
			text_add(&t, "#");
		else
			text_bytes(&t, p, begins ? (size_t)(end - p) : 1);
		p = begins ? end : p + 1;
	}
	return t.s ? t.s : xstrdup("");
}

char *scrub_message(const struct scrub *s, const char *text, const json_t *point)
{
	char *numbers = without_numbers(text, point), *out = scrub(s, numbers, strlen(numbers), NULL, true);

	free(numbers);
	return out;
}

/* ---- commands ---- */

/* Does the word set a secret option of any scheme: "NAME=" or "NAME:", quoted or not? */
static bool sets_secret(const char *word)
{
	for (const struct driver *const *d = schemes; *d; d++)
		for (const struct secret_option *o = ((const struct scheme *)*d)->secrets; o->name; o++)
			for (const char *p = word; (p = strstr(p, o->name)) != NULL; p++) {
				const char *end = p + strlen(o->name);

				end += strspn(end, " '\"");
				if ((p == word || !part_of_word(p[-1])) && (*end == '=' || *end == ':'))
					return true;
			}
	return false;
}

/* A path that leads out of where the command was typed: the word, or what stands behind a "=" in it. NULL: none. */
static const char *path_in(const char *word)
{
	for (const char *p = word; p; p = strchr(p, '=') ? strchr(p, '=') + 1 : NULL)
		if (*p == '/' || *p == '~' || !strncmp(p, "../", 3))
			return p;
	return strstr(word, "/../") ? word : NULL;
}

/* One word of it, without quotes around. */
static void put_word(struct text *t, const char *word)
{
	const char *path = path_in(word), *name = strrchr(path ? path : "", '/');

	if (sets_secret(word)) {
		text_fmt(t, "%.*s=withheld", (int)strcspn(word, "=:"), word);
		return;
	}
	if (name && name[1]) {
		text_bytes(t, word, (size_t)(path - word));
		word = name + 1;
	}
	text_add(t, word);
}

/* The end of the word at p, which may be quoted in part. */
static const char *word_end(const char *p)
{
	for (bool quoted = false; *p && (quoted || *p != ' '); p++) {
		if (*p == '\\' && !quoted && p[1])
			p++;
		else if (*p == '\'')
			quoted = !quoted;
	}
	return p;
}

char *scrub_command(const struct scrub *s, const char *command)
{
	struct text t = { 0 };
	char *out;

	for (const char *p = command; *p;) {
		const char *end = word_end(p);
		const bool quoted = end - p > 1 && *p == '\'' && end[-1] == '\'';
		char *word = xasprintf("%.*s", (int)(end - p) - 2 * quoted, p + quoted);

		if (quoted)
			text_char(&t, '\'');
		put_word(&t, word);
		if (quoted)
			text_char(&t, '\'');
		free(word);
		p = end;
		if (*p)
			text_char(&t, *p++);
	}
	out = scrub(s, text_str(&t), t.n, NULL, true);
	text_release(&t);
	return out;
}
