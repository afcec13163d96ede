/* NumPy's .npy format. See npy.h.
 * Source: numpy/lib/format.py, "Format Version 1.0" to "3.0". Differs: two dtypes, C order only, and the
 * header is read by a parser for just the dictionary that NumPy writes, never evaluated. */
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

/* ---- reading ---- */

/* The dictionary's text, eaten from the left. */
struct cursor {
	const char *s, *end;
};

static bool at_digit(const struct cursor *c)
{
	return c->s < c->end && *c->s >= '0' && *c->s <= '9';
}

static void skip_blanks(struct cursor *c)
{
	while (c->s < c->end && *c->s == ' ')
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

static bool eat_number(struct cursor *c, int64_t *v)
{
	skip_blanks(c);
	if (!at_digit(c))
		return false;
	for (*v = 0; at_digit(c); c->s++)
		if (__builtin_mul_overflow(*v, 10, v) || __builtin_add_overflow(*v, *c->s - '0', v))
			return false;
	return true;
}

/* "()", "(3,)", "(3, 4)" or "(3, 4,)". */
static bool eat_shape(struct cursor *c, int *nd, int64_t *d)
{
	bool comma = true;

	if (!eat(c, "("))
		return false;
	for (*nd = 0; !eat(c, ")"); (*nd)++) {
		if (*nd == DIMS_MAX || !comma || !eat_number(c, &d[*nd]))
			return false;
		comma = eat(c, ",");
	}
	return *nd != 1 || comma; /* "(3)" is a number in Python */
}

static bool eat_descr(struct cursor *c, int *row)
{
	char quoted[8];

	for (*row = 0; *row < (int)ARRAY_LEN(dtypes); (*row)++) {
		snprintf(quoted, sizeof(quoted), "'%s'", dtypes[*row].descr);
		if (eat(c, quoted))
			return true;
	}
	return false;
}

struct header {
	int row, nd;
	int64_t *d;
};

/* NumPy writes the keys sorted, others may not; each must be there once. */
static bool eat_dict(struct cursor *c, struct header *h)
{
	unsigned seen = 0;

	if (!eat(c, "{"))
		return false;
	for (int i = 0; i < 3; i++) {
		if (i && !eat(c, ","))
			return false;
		if (eat(c, "'descr'") && eat(c, ":") && eat_descr(c, &h->row))
			seen |= 1;
		else if (eat(c, "'fortran_order'") && eat(c, ":") && eat(c, "False"))
			seen |= 2;
		else if (eat(c, "'shape'") && eat(c, ":") && eat_shape(c, &h->nd, h->d))
			seen |= 4;
		else
			return false;
	}
	eat(c, ",");
	return eat(c, "}") && seen == 7;
}

/* The dictionary's place behind the prefix; false when this is no .npy file. */
static bool find_dict(const unsigned char *file, size_t len, struct cursor *c)
{
	size_t prefix = PREFIX_LEN, n;

	if (len < PREFIX_LEN || memcmp(file, MAGIC, MAGIC_LEN) || file[6] < 1 || file[6] > 3 || file[7])
		return false;
	n = file[8] | (size_t)file[9] << 8;
	if (file[6] > 1) { /* from version 2.0 the length has four bytes */
		prefix += 2;
		if (len < prefix)
			return false;
		n |= (size_t)file[10] << 16 | (size_t)file[11] << 24;
	}
	c->s = (const char *)file + prefix;
	c->end = c->s + n;
	return n <= len - prefix;
}

void *npy_decode(const void *file, size_t len, const char *where, char *dtype, int *nd, int64_t d[6])
{
	struct header h = { .d = d };
	size_t bytes, found;
	struct cursor c;
	void *data;

	if (!find_dict(file, len, &c)) {
		error(EXIT_UNEVALUABLE, "%s: not a .npy file of version 1.0 to 3.0, or cut short", where);
		return NULL;
	}
	found = len - (size_t)(c.end - (const char *)file);
	if (!eat_dict(&c, &h)) {
		error(EXIT_UNEVALUABLE, "%s: not a C-order float32 ('<f4') or uint8 ('|u1') array of at most %d dimensions;"
		      " save it with numpy.ascontiguousarray(a, 'float32')", where, DIMS_MAX);
		return NULL;
	}
	if (count_bytes(h.nd, d, dtypes[h.row].size, &bytes) || bytes != found) {
		error(EXIT_UNEVALUABLE, "%s: %zu bytes of data do not fit the array's shape", where, found);
		return NULL;
	}
	*dtype = dtypes[h.row].dtype;
	*nd = h.nd;
	data = xmalloc(bytes, 1);
	memcpy(data, (const char *)file + len - bytes, bytes);
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
