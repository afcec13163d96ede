/* jansson, strict in and canonical out. See json.h. */
#include "base/json.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/dir.h"
#include "base/file.h"
#include "base/hash.h"

/* ---- reading ---- */

json_t *json_read_text(const char *text, size_t len, const char *where)
{
	json_error_t e;
	json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);

	if (!j)
		error(EXIT_UNEVALUABLE, "%s:%d:%d: %s", where, e.line, e.column, e.text);
	return j;
}

/* Every value but the first of a list or object has a comma before it, and each list and object has its bracket. */
json_t *json_read_bounded(const char *text, size_t len, size_t max_values, const char *where)
{
	size_t values = 1;
	bool in_text = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			in_text = !in_text;
		else if (in_text)
			i += text[i] == '\\';
		else
			values += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	if (values <= max_values)
		return json_read_text(text, len, where);
	error(EXIT_UNEVALUABLE, "%s: holds more than %zu values", where, max_values);
	return NULL;
}

json_t *json_read_file(const char *path, size_t max)
{
	size_t len;
	char *text = file_read(path, max, &len);
	json_t *j = text ? json_read_text(text, len, path) : NULL;

	free(text);
	return j;
}

/* ---- writing ---- */

#define CANONICAL (JSON_SORT_KEYS | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY)

static char *dump(const json_t *j, size_t flags)
{
	char *text = json_dumps(j, flags | CANONICAL);

	BUG_ON(!text); /* a NULL or circular value: nothing that was read or built with jset() */
	return text;
}

char *json_compact(const json_t *j)
{
	return dump(j, JSON_COMPACT);
}

char *json_pretty(const json_t *j)
{
	char *text = dump(j, JSON_INDENT(2));
	size_t n = strlen(text);

	text = xrealloc(text, n + 2, 1);
	memcpy(text + n, "\n", 2);
	return text;
}

int json_pretty_to(const json_t *j, int (*put)(const char *piece, size_t n, void *ctx), void *ctx)
{
	return json_dump_callback(j, put, ctx, JSON_INDENT(2) | CANONICAL) < 0 ? -1 : put("\n", 1, ctx);
}

void json_hash(const json_t *j, char out[65])
{
	char *text = json_compact(j);

	sha256_hex(text, strlen(text), out);
	free(text);
}

int json_publish(const char *path, const json_t *j)
{
	char *text = json_pretty(j);
	int ret = file_publish(path, text, strlen(text));

	free(text);
	return ret;
}

json_t *json_read_in(const struct dir *d, const char *rel, size_t max)
{
	size_t len;
	char *text = dir_read(d, rel, max, &len), *shown = text ? dir_path(d, rel) : NULL;
	json_t *j = text ? json_read_text(text, len, shown) : NULL;

	free(shown);
	free(text);
	return j;
}

int json_publish_in(const struct dir *d, const char *rel, const json_t *j)
{
	char *text = json_pretty(j);
	int ret = dir_publish(d, rel, text, strlen(text));

	free(text);
	return ret;
}

/* ---- members ---- */

json_t *jset(json_t *obj, const char *key, json_t *value)
{
	if (!value)
		die(EXIT_MEMORY, "out of memory (JSON member '%s')", key);
	BUG_ON(!json_is_object(obj));
	if (json_object_set_new(obj, key, value) < 0)
		die(EXIT_MEMORY, "cannot set JSON member '%s' (out of memory, or the name is not UTF-8)", key);
	return obj;
}

/* Text that is not UTF-8 (a file name, a library's message) keeps its ASCII; other bytes become \xNN. */
static json_t *escaped_string(const char *s)
{
	char *text = xmalloc(4 * strlen(s) + 1, 1), *p = text;
	json_t *j;

	for (; *s; s++)
		p += (unsigned char)*s < 0x80 ? sprintf(p, "%c", *s) : sprintf(p, "\\x%02x", (unsigned char)*s);
	*p = '\0';
	j = json_string(text);
	free(text);
	return j;
}

json_t *jset_str(json_t *obj, const char *key, const char *s)
{
	json_t *value = s ? json_string(s) : json_null();

	return jset(obj, key, value ? value : escaped_string(s));
}

json_t *jset_int(json_t *obj, const char *key, long long v)
{
	return jset(obj, key, json_integer(v));
}

json_t *jset_num(json_t *obj, const char *key, double v)
{
	return jset(obj, key, isfinite(v) ? json_real(v) : json_null());
}

json_t *jset_bool(json_t *obj, const char *key, int v)
{
	return jset(obj, key, json_boolean(v));
}

const char *jget_str(const json_t *obj, const char *key, const char *def)
{
	const json_t *j = json_object_get(obj, key);

	return json_is_string(j) ? json_string_value(j) : def;
}

long long jget_int(const json_t *obj, const char *key, long long def)
{
	const json_t *j = json_object_get(obj, key);

	return json_is_integer(j) ? json_integer_value(j) : def;
}

double jget_num(const json_t *obj, const char *key, double def)
{
	const json_t *j = json_object_get(obj, key);

	return json_is_number(j) ? json_number_value(j) : def;
}

int jget_bool(const json_t *obj, const char *key, int def)
{
	const json_t *j = json_object_get(obj, key);

	return json_is_boolean(j) ? json_is_true(j) : def;
}

/* ---- bit vectors: base64 (RFC 4648, section 4, with padding) ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t text_length(size_t n)
{
	size_t bytes = n / 8 + (n % 8 != 0);

	return (bytes + 2) / 3 * 4;
}

/* Byte number i of the packed vector; past the end its bits are 0. */
static unsigned packed_byte(const unsigned char *bits, size_t n, size_t i)
{
	unsigned byte = 0;

	for (size_t k = 0; k < 8 && 8 * i + k < n; k++)
		byte |= (unsigned)(bits[8 * i + k] != 0) << k;
	return byte;
}

char *bits_encode(const unsigned char *bits, size_t n)
{
	size_t len = text_length(n), bytes = n / 8 + (n % 8 != 0);
	char *text = xmalloc(len + 1, 1);

	for (size_t i = 0, at = 0; at < len; i += 3, at += 4) {
		unsigned group = packed_byte(bits, n, i) << 16 | packed_byte(bits, n, i + 1) << 8 |
				 packed_byte(bits, n, i + 2);

		for (unsigned k = 0; k < 4; k++)
			text[at + k] = alphabet[group >> (18 - 6 * k) & 63];
		if (i + 1 >= bytes)
			text[at + 2] = '=';
		if (i + 2 >= bytes)
			text[at + 3] = '=';
	}
	text[len] = '\0';
	return text;
}

/* The value of a base64 digit; padding counts as 0, and a round trip tells whether it stood where it may. */
static int digit_value(char c)
{
	const char *p = c && c != '=' ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : c == '=' ? 0 : -1;
}

static bool unpack(const char *text, size_t len, unsigned char *bits, size_t n)
{
	for (size_t at = 0; at < len; at++) {
		int v = digit_value(text[at]);

		if (v < 0)
			return false;
		/* The digit's 6 bits, highest first, are bits 6*at .. of the bytes read highest bit first. */
		for (size_t k = 0; k < 6; k++) {
			size_t pos = 6 * at + k, i = pos / 8 * 8 + 7 - pos % 8;

			if (i < n)
				bits[i] = (unsigned char)(v >> (5 - k) & 1);
		}
	}
	return true;
}

unsigned char *bits_decode(const char *text, size_t n)
{
	size_t len = text_length(n);
	unsigned char *bits;
	char *again;
	bool same;

	/* Before any allocation: n may come from a damaged file. */
	if (n > SIZE_MAX / 2 || strnlen(text, len + 1) != len)
		return NULL;
	bits = xcalloc(n, 1);
	if (!unpack(text, len, bits, n)) {
		free(bits);
		return NULL;
	}
	/* Wrong padding and bits past the end would not come out again. */
	again = bits_encode(bits, n);
	same = !strcmp(again, text);
	free(again);
	if (same)
		return bits;
	free(bits);
	return NULL;
}
