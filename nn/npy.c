/* NumPy's .npy format. See npy.h.
 * Source: numpy/lib/format.py, "Format Version 1.0" to "3.0". Differs: two dtypes, and the header is
 * read by a parser for just the dictionary that NumPy and its imitators write, never evaluated. */
#include "nn/npy.h"

#include "base/error.h"
#include "base/file.h"
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_LEN 6
#define DIMS_MAX 6
#define HEADER_ALIGN 64 /* NumPy pads so that the data can be memory-mapped */
#define FILE_MAX ((size_t)8 << 30)

static const struct {
	char dtype;
	const char *descr;
	size_t size; /* bytes */
} dtypes[] = { { 'f', "<f4", 4 }, { 'u', "|u1", 1 } };

static int dtype_row(char dtype)
{
	for (int i = 0; i < (int)ARRAY_LEN(dtypes); i++)
		if (dtypes[i].dtype == dtype)
			return i;
	return -1;
}

/* Bytes of the array, or -1 when they would not fit in memory. */
static int count_bytes(int nd, const int64_t *d, size_t size, size_t *bytes)
{
	*bytes = size;
	for (int i = 0; i < nd; i++)
		if (d[i] < 0 || __builtin_mul_overflow(*bytes, (size_t)d[i], bytes))
			return -1;
	return *bytes > PTRDIFF_MAX ? -1 : 0;
}

/* ---- writing ---- */

#define PREFIX_LEN (MAGIC_LEN + 4) /* magic, two version bytes, two length bytes */

/* Prefix and dictionary into head (at least 256 bytes); their length, a multiple of HEADER_ALIGN. */
static size_t write_header(char *head, const char *descr, int nd, const int64_t *d)
{
	size_t n, dict_len;

	n = PREFIX_LEN;
	n += (size_t)sprintf(head + n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
	for (int i = 0; i < nd; i++)
		n += (size_t)sprintf(head + n, i ? " %" PRId64 "," : "%" PRId64 ",", d[i]);
	if (nd > 1)
		n--; /* "(3,)" but "(3, 4)" */
	n += (size_t)sprintf(head + n, "), }");
	while (n % HEADER_ALIGN != HEADER_ALIGN - 1)
		head[n++] = ' ';
	head[n++] = '\n';
	dict_len = n - PREFIX_LEN;
	memcpy(head, MAGIC "\x01\x00", MAGIC_LEN + 2);
	head[MAGIC_LEN + 2] = (char)(dict_len & 0xff);
	head[MAGIC_LEN + 3] = (char)(dict_len >> 8);
	return n;
}

int npy_save(const char *path, char dtype, int nd, const int64_t *d, const void *data)
{
	int row = dtype_row(dtype), r;
	char head[320];
	size_t bytes, n;
	char *file;

	BUG_ON(row < 0 || nd < 0 || nd > DIMS_MAX || count_bytes(nd, d, dtypes[row].size, &bytes));
	n = write_header(head, dtypes[row].descr, nd, d);
	file = xmalloc(n + bytes, 1);
	memcpy(file, head, n);
	if (bytes)
		memcpy(file + n, data, bytes);
	r = file_publish(path, file, n + bytes);
	free(file);
	return r;
}

/* ---- reading: the header's dictionary ---- */

/* The dictionary's text, eaten from the left. */
struct cursor {
	const char *s, *end;
};

struct header {
	char descr[16]; /* the type as NumPy writes it, "<f4" */
	bool fortran;   /* the first index moves fastest */
	int nd;
	int64_t *d;
};

static int damaged(const char *where, const char *what)
{
	return error(EXIT_UNEVALUABLE, "%s: the .npy header is damaged (%s); save the array again", where, what);
}

static bool at_digit(const struct cursor *c)
{
	return c->s < c->end && *c->s >= '0' && *c->s <= '9';
}

static void skip_blanks(struct cursor *c)
{
	while (c->s < c->end && (*c->s == ' ' || *c->s == '\t' || *c->s == '\n' || *c->s == '\r'))
		c->s++;
}

/* Eat a word, blanks before it allowed. */
static bool eat(struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	skip_blanks(c);
	if ((size_t)(c->end - c->s) < n || memcmp(c->s, word, n))
		return false;
	c->s += n;
	return true;
}

/* 'text' or "text" of less than 16 characters. */
static bool eat_string(struct cursor *c, char text[16])
{
	char quote = eat(c, "'") ? '\'' : eat(c, "\"") ? '"' : '\0';
	size_t n = 0;

	while (quote && c->s < c->end && *c->s != quote && n < 15)
		text[n++] = *c->s++;
	text[n] = '\0';
	return quote && c->s < c->end && *c->s++ == quote;
}

/* 3, or 3L as Python 2 wrote its long numbers. */
static bool eat_number(struct cursor *c, int64_t *v)
{
	skip_blanks(c);
	if (!at_digit(c))
		return false;
	for (*v = 0; at_digit(c); c->s++)
		if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *c->s - '0', v))
			return false;
	if (c->s < c->end && *c->s == 'L')
		c->s++;
	return true;
}

/* "()", "(3,)", "(3, 4)" or "(3, 4,)". */
static int read_shape(struct cursor *c, const char *where, struct header *h)
{
	bool comma = true;

	if (!eat(c, "("))
		return damaged(where, "its shape is no tuple");
	for (h->nd = 0; !eat(c, ")"); h->nd++) {
		if (h->nd == DIMS_MAX)
			return error(EXIT_UNEVALUABLE, "%s: an array of more than %d dimensions; save it with fewer",
			             where, DIMS_MAX);
		if (!comma || !eat_number(c, &h->d[h->nd]))
			return damaged(where, "its shape");
		comma = eat(c, ",");
	}
	if (h->nd == 1 && !comma) /* "(3)" is a number in Python */
		return damaged(where, "its shape is no tuple");
	return 0;
}

static int read_type(struct cursor *c, const char *where, struct header *h)
{
	if (eat(c, "["))
		return error(EXIT_UNEVALUABLE,
		             "%s: a structured array, of records with named fields; save one field, as float32 or "
		             "uint8", where);
	return eat_string(c, h->descr) ? 0 : damaged(where, "its type");
}

static int read_order(struct cursor *c, const char *where, struct header *h)
{
	h->fortran = eat(c, "True");
	return h->fortran || eat(c, "False") ? 0 : damaged(where, "its order");
}

/* NumPy writes the keys sorted, others may not; each must be there once. */
static int read_dict(struct cursor *c, const char *where, struct header *h)
{
	static const struct {
		const char *name;
		int (*read)(struct cursor *, const char *, struct header *);
	} keys[] = {
		{ "descr", read_type },
		{ "fortran_order", read_order },
		{ "shape", read_shape },
	};
	unsigned seen = 0;
	char name[16];

	if (!eat(c, "{"))
		return damaged(where, "no dictionary");
	for (bool more = true; more && !eat(c, "}"); ) {
		size_t k = 0;

		if (!eat_string(c, name) || !eat(c, ":"))
			return damaged(where, "a key is missing");
		while (k < ARRAY_LEN(keys) && strcmp(keys[k].name, name) != 0)
			k++;
		if (k == ARRAY_LEN(keys) || seen & 1u << k)
			return damaged(where, "a key twice or too many");
		if (keys[k].read(c, where, h))
			return -1;
		seen |= 1u << k;
		more = eat(c, ",");
		if (!more && !eat(c, "}"))
			return damaged(where, "no end");
	}
	skip_blanks(c);
	return seen == 7 && c->s == c->end ? 0 : damaged(where, "not the three keys, or something behind them");
}

/* The dictionary's place behind the prefix. */
static int find_dict(const unsigned char *file, size_t len, const char *where, struct cursor *c)
{
	size_t prefix = PREFIX_LEN, n;

	if (len < MAGIC_LEN || memcmp(file, MAGIC, MAGIC_LEN))
		return error(EXIT_UNEVALUABLE, "%s: not a .npy file", where);
	if (len < PREFIX_LEN + 2)
		return error(EXIT_UNEVALUABLE, "%s: a .npy file that is cut short; save the array again", where);
	if (file[6] < 1 || file[6] > 3 || file[7])
		return error(EXIT_UNEVALUABLE, "%s: a .npy file of version %d.%d; 1.0 to 3.0 are read", where, file[6],
		             file[7]);
	n = file[8] | (size_t)file[9] << 8;
	if (file[6] > 1) { /* from version 2.0 the length has four bytes */
		prefix += 2;
		n |= (size_t)file[10] << 16 | (size_t)file[11] << 24;
	}
	if (n > len - prefix)
		return error(EXIT_UNEVALUABLE, "%s: a .npy file that is cut short; save the array again", where);
	c->s = (const char *)file + prefix;
	c->end = c->s + n;
	return 0;
}

/* ---- reading: what the numbers are ---- */

/* NumPy's name of a type, for the reason: "float64" of "f8". */
static void type_name(const char *type, char name[32])
{
	static const struct { char kind; const char *name; } kinds[] = {
		{ 'i', "int" },  { 'u', "uint" },           { 'f', "float" }, { 'c', "complex" }, /* with their size */
		{ 'b', "bool" }, { 'O', "Python objects" }, { 'S', "text" },  { 'a', "text" },
		{ 'U', "text" }, { 'V', "raw bytes" },      { 'M', "dates" }, { 'm', "time spans" },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && kinds[i].kind != *type)
		i++;
	if (i == ARRAY_LEN(kinds))
		snprintf(name, 32, "something unknown");
	else if (i < 4)
		snprintf(name, 32, "%s%ld", kinds[i].name, 8 * strtol(type + 1, NULL, 10) % 1000);
	else
		snprintf(name, 32, "%s", kinds[i].name);
}

/* The row of dtypes[] for "<f4", ">f4", "|u1"; bytes have no order, whatever is written. -1 after error(). */
static int type_row(const struct header *h, const char *where, bool *swapped)
{
	const char *type = h->descr + (*h->descr && strchr("<>|=", *h->descr));
	char name[32];

	*swapped = *h->descr == '>';
	for (int i = 0; i < (int)ARRAY_LEN(dtypes); i++)
		if (!strcmp(type, dtypes[i].descr + 1))
			return i;
	type_name(type, name);
	return error(EXIT_UNEVALUABLE,
	             "%s: an array of %s ('%s'); float32 and uint8 are read: save a.astype('float32'), or pixels of 0 "
	             "to 255 as a.astype('uint8')", where, name, h->descr);
}

static void swap_bytes(char *x, size_t bytes, size_t size)
{
	for (size_t i = 0; i < bytes; i += size)
		for (size_t k = 0; k < size / 2; k++) {
			char t = x[i + k];

			x[i + k] = x[i + size - 1 - k];
			x[i + size - 1 - k] = t;
		}
}

/* From the order in which the first index moves fastest to ours, in which the last does. n numbers. */
static void from_fortran(char *out, const char *in, const struct header *h, size_t n, size_t size)
{
	size_t step[DIMS_MAX], at[DIMS_MAX] = { 0 };

	for (int k = 0; k < h->nd; k++)
		step[k] = k ? step[k - 1] * (size_t)h->d[k - 1] : 1;
	for (size_t i = 0; i < n; i++) {
		size_t from = 0;

		for (int k = 0; k < h->nd; k++)
			from += at[k] * step[k];
		memcpy(out + i * size, in + from * size, size);
		for (int k = h->nd - 1; k >= 0 && ++at[k] == (size_t)h->d[k]; k--)
			at[k] = 0;
	}
}

void *npy_decode(const void *file, size_t len, const char *where, char *dtype, int *nd, int64_t d[6])
{
	struct header h = { .d = d };
	size_t bytes, found;
	struct cursor c;
	bool swapped;
	char *data;
	int row;

	if (find_dict(file, len, where, &c) || read_dict(&c, where, &h))
		return NULL;
	row = type_row(&h, where, &swapped);
	if (row < 0)
		return NULL;
	found = len - (size_t)(c.end - (const char *)file);
	if (count_bytes(h.nd, d, dtypes[row].size, &bytes) || bytes != found) {
		error(EXIT_UNEVALUABLE,
		      "%s: %zu bytes of data do not fit the array's shape: it is cut short, or something follows it",
		      where, found);
		return NULL;
	}
	*dtype = dtypes[row].dtype;
	*nd = h.nd;
	data = xmalloc(bytes, 1);
	if (h.fortran)
		from_fortran(data, c.end, &h, bytes / dtypes[row].size, dtypes[row].size);
	else
		memcpy(data, c.end, bytes);
	if (swapped)
		swap_bytes(data, bytes, dtypes[row].size);
	return data;
}

void *npy_load(const char *path, char *dtype, int *nd, int64_t d[6])
{
	size_t len;
	char *file = file_read(path, FILE_MAX, &len);
	void *data = file ? npy_decode(file, len, path, dtype, nd, d) : NULL;

	free(file);
	return data;
}
