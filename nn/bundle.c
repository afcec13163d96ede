/* Bundles and the safetensors format. See bundle.h.
 * Source: huggingface/safetensors, README "Format" and its validation rules. Differs: five of its dtypes,
 * at most six dimensions, names at most 255 bytes. */
#include "nn/bundle.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include <inttypes.h>
#include <string.h>

#define HEADER_MAX ((uint64_t)16 << 20)
#define NAME_MAX_LEN 255
#define DIMS_MAX 6
#define META_KEY "__metadata__"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian, and so must the host be");

static const struct {
	const char *name; /* in the file */
	size_t size;      /* bytes */
} dtypes[] = {
	[DT_F32] = { "F32", 4 }, [DT_F64] = { "F64", 8 }, [DT_U8] = { "U8", 1 },
	[DT_I32] = { "I32", 4 }, [DT_I64] = { "I64", 8 },
};

size_t dtype_size(enum dtype t)
{
	return dtypes[t].size;
}

/* ---- life cycle ---- */

static json_t *new_object(void)
{
	json_t *j = json_object();

	if (!j)
		die(EXIT_MEMORY, "out of memory");
	return j;
}

void bundle_init(struct bundle *b)
{
	*b = (struct bundle){ .meta = new_object() };
}

static void tensor_release(struct tensor *t)
{
	free(t->name);
	free(t->data);
}

void bundle_release(struct bundle *b)
{
	for (int i = 0; i < b->nt; i++)
		tensor_release(&b->t[i]);
	free(b->t);
	json_decref(b->meta);
	*b = (struct bundle){ 0 };
}

struct bundle *bundle_new(void)
{
	struct bundle *b = xmalloc(1, sizeof(*b));

	bundle_init(b);
	return b;
}

void bundle_free(struct bundle *b)
{
	if (!b)
		return;
	bundle_release(b);
	free(b);
}

struct bundle *bundle_copy(const struct bundle *b)
{
	struct bundle *c = bundle_new();

	for (int i = 0; i < b->nt; i++)
		bundle_put(c, b->t[i].name, b->t[i].dtype, b->t[i].nd, b->t[i].d, b->t[i].data);
	json_object_update(c->meta, b->meta); /* strings are immutable: sharing them is copying them */
	return c;
}

/* ---- tensors ---- */

/* Where name is (found set) or would be inserted. */
static int position(const struct bundle *b, const char *name, int *found)
{
	int lo = 0, hi = b->nt;

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (strcmp(b->t[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = lo < b->nt && !strcmp(b->t[lo].name, name);
	return lo;
}

/* Product of the dimensions; -1 when one is negative or the bytes would not fit in memory. */
static int count_elements(int nd, const int64_t *d, enum dtype t, size_t *len)
{
	size_t bytes;

	*len = 1;
	for (int i = 0; i < nd; i++)
		if (d[i] < 0 || __builtin_mul_overflow(*len, (size_t)d[i], len))
			return -1;
	return __builtin_mul_overflow(*len, dtype_size(t), &bytes) || bytes > PTRDIFF_MAX ? -1 : 0;
}

static struct tensor *make_room(struct bundle *b, const char *name)
{
	int found, at = position(b, name, &found);

	if (found) {
		tensor_release(&b->t[at]);
	} else {
		b->t = xrealloc(b->t, (size_t)b->nt + 1, sizeof(*b->t));
		memmove(&b->t[at + 1], &b->t[at], (size_t)(b->nt - at) * sizeof(*b->t));
		b->nt++;
	}
	b->t[at] = (struct tensor){ .name = xstrdup(name) };
	return &b->t[at];
}

void *bundle_put(struct bundle *b, const char *name, enum dtype t, int nd, const int64_t *d, const void *data)
{
	struct tensor new = { .dtype = t, .nd = nd };
	struct tensor *at;

	BUG_ON(!*name || strlen(name) > NAME_MAX_LEN || !strcmp(name, META_KEY));
	BUG_ON(nd < 0 || nd > DIMS_MAX);
	BUG_ON(count_elements(nd, d, t, &new.len));
	if (nd)
		memcpy(new.d, d, (size_t)nd * sizeof(*d));
	/* Copy before making room: data may be the tensor that is replaced. */
	new.data = xcalloc(new.len, dtype_size(t));
	if (data && new.len)
		memcpy(new.data, data, new.len * dtype_size(t));
	at = make_room(b, name);
	new.name = at->name;
	*at = new;
	return new.data;
}

float *bundle_put_f32(struct bundle *b, const char *name, int64_t n, const float *data)
{
	return bundle_put(b, name, DT_F32, 1, &n, data);
}

int32_t *bundle_put_i32(struct bundle *b, const char *name, int64_t n, const int32_t *data)
{
	return bundle_put(b, name, DT_I32, 1, &n, data);
}

uint8_t *bundle_put_u8(struct bundle *b, const char *name, int64_t n, const uint8_t *data)
{
	return bundle_put(b, name, DT_U8, 1, &n, data);
}

void bundle_remove(struct bundle *b, const char *name)
{
	int found, at = position(b, name, &found);

	if (!found)
		return;
	tensor_release(&b->t[at]);
	b->nt--;
	memmove(&b->t[at], &b->t[at + 1], (size_t)(b->nt - at) * sizeof(*b->t));
}

const struct tensor *bundle_get(const struct bundle *b, const char *name, enum dtype t)
{
	int found, at = position(b, name, &found);

	return found && b->t[at].dtype == t ? &b->t[at] : NULL;
}

static const void *get_data(const struct bundle *b, const char *name, enum dtype dt, size_t *len)
{
	const struct tensor *t = bundle_get(b, name, dt);

	if (len)
		*len = t ? t->len : 0;
	return t ? t->data : NULL;
}

const float *bundle_f32(const struct bundle *b, const char *name, size_t *len)
{
	return get_data(b, name, DT_F32, len);
}

const int32_t *bundle_i32(const struct bundle *b, const char *name, size_t *len)
{
	return get_data(b, name, DT_I32, len);
}

const uint8_t *bundle_u8(const struct bundle *b, const char *name, size_t *len)
{
	return get_data(b, name, DT_U8, len);
}

/* ---- metadata ---- */

void bundle_meta(struct bundle *b, const char *key, const char *value)
{
	jset_str(b->meta, key, value);
}

void bundle_meta_num(struct bundle *b, const char *key, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.17g", v);
	bundle_meta(b, key, text);
}

const char *bundle_meta_get(const struct bundle *b, const char *key)
{
	return json_string_value(json_object_get(b->meta, key));
}

double bundle_meta_getnum(const struct bundle *b, const char *key, double def)
{
	const char *text = bundle_meta_get(b, key);
	char *end;
	double v;

	if (!text || !*text)
		return def;
	v = strtod(text, &end);
	return *end ? def : v;
}

/* ---- writing ---- */

/* Widest dtypes first, so that every tensor lies on a multiple of its element's size: PyTorch's loader
 * views the file's bytes in place and refuses others. Then by name. */
static int by_width_and_name(const void *a, const void *b)
{
	const struct tensor *x = *(const struct tensor *const *)a, *y = *(const struct tensor *const *)b;
	size_t sx = dtype_size(x->dtype), sy = dtype_size(y->dtype);

	return sx != sy ? (sx < sy) - (sx > sy) : strcmp(x->name, y->name);
}

static const struct tensor **file_order(const struct bundle *b)
{
	const struct tensor **order = xmalloc((size_t)b->nt, sizeof(*order));

	for (int i = 0; i < b->nt; i++)
		order[i] = &b->t[i];
	qsort(order, (size_t)b->nt, sizeof(*order), by_width_and_name);
	return order;
}

static json_t *array_of(const int64_t *v, int n)
{
	json_t *a = json_array();

	for (int i = 0; i < n; i++)
		if (json_array_append_new(a, json_integer(v[i])))
			die(EXIT_MEMORY, "out of memory");
	return a;
}

static json_t *describe(const struct tensor *t, size_t begin, size_t end)
{
	json_t *j = new_object();

	jset_str(j, "dtype", dtypes[t->dtype].name);
	jset(j, "shape", array_of(t->d, t->nd));
	return jset(j, "data_offsets", array_of((int64_t[]){ (int64_t)begin, (int64_t)end }, 2));
}

/* The header as text, padded with blanks so that the data begins on a multiple of 8. Caller frees. */
static char *encode_header(const struct bundle *b, const struct tensor **order, size_t *len, size_t *bytes)
{
	json_t *j = new_object();
	char *text;
	size_t n;

	*bytes = 0;
	for (int i = 0; i < b->nt; i++) {
		size_t size = order[i]->len * dtype_size(order[i]->dtype);

		jset(j, order[i]->name, describe(order[i], *bytes, *bytes + size));
		*bytes += size;
	}
	if (json_object_size(b->meta))
		jset(j, META_KEY, json_incref(b->meta));
	text = json_compact(j);
	json_decref(j);
	n = strlen(text);
	*len = (n + 7) / 8 * 8;
	text = xrealloc(text, *len + 1, 1);
	memset(text + n, ' ', *len - n);
	return text;
}

void *bundle_encode(const struct bundle *b, size_t *len)
{
	const struct tensor **order = file_order(b);
	size_t header_len, bytes;
	char *header = encode_header(b, order, &header_len, &bytes);
	uint64_t prefix = header_len;
	char *file, *at;

	*len = sizeof(prefix) + header_len + bytes;
	file = at = xmalloc(*len, 1);
	memcpy(at, &prefix, sizeof(prefix));
	memcpy(at += sizeof(prefix), header, header_len);
	at += header_len;
	for (int i = 0; i < b->nt; i++) {
		size_t size = order[i]->len * dtype_size(order[i]->dtype);

		memcpy(at, order[i]->data, size);
		at += size;
	}
	free(header);
	free(order);
	return file;
}

int bundle_save(const struct bundle *b, const char *path)
{
	size_t len;
	void *file = bundle_encode(b, &len);
	int r = file_publish(path, file, len);

	free(file);
	return r;
}

void bundle_hash(const struct bundle *b, char out[65])
{
	size_t len;
	void *file = bundle_encode(b, &len);

	sha256_hex(file, len, out);
	free(file);
}

/* ---- reading: nothing in the file is believed ---- */

/* A tensor of the file: its place is checked against all others before its bytes are copied. */
struct entry {
	struct tensor t;
	size_t begin, end; /* bytes, from the start of the data */
};

struct reader {
	const char *where; /* for messages */
	const char *data;
	size_t len;        /* bytes of data */
	struct entry *e;
	size_t ne;
	json_t *meta;
};

static int read_dtype(struct tensor *t, const json_t *j)
{
	const char *name = json_string_value(j);

	for (size_t i = 0; name && i < ARRAY_LEN(dtypes); i++)
		if (!strcmp(name, dtypes[i].name)) {
			t->dtype = (enum dtype)i;
			return 0;
		}
	return error(EXIT_UNEVALUABLE, "dtype is not F32, F64, U8, I32 or I64");
}

static int read_shape(struct tensor *t, const json_t *shape)
{
	size_t n = json_array_size(shape); /* 0 for what is no array */

	if (!json_is_array(shape) || n > DIMS_MAX)
		return error(EXIT_UNEVALUABLE, "shape is not a list of at most %d numbers", DIMS_MAX);
	t->nd = (int)n;
	for (size_t i = 0; i < n; i++) {
		if (!json_is_integer(json_array_get(shape, i)))
			return error(EXIT_UNEVALUABLE, "shape is not a list of whole numbers");
		t->d[i] = json_integer_value(json_array_get(shape, i));
	}
	if (count_elements(t->nd, t->d, t->dtype, &t->len))
		return error(EXIT_UNEVALUABLE, "shape has a negative dimension or is too large");
	return 0;
}

static int read_offsets(struct entry *e, const json_t *offsets, size_t data_len)
{
	const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
	json_int_t b = json_integer_value(begin), n = json_integer_value(end);

	if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
		return error(EXIT_UNEVALUABLE, "data_offsets is not [begin, end]");
	if (b < 0 || n < b || (uint64_t)n > data_len)
		return error(EXIT_UNEVALUABLE, "data_offsets [%" PRId64 ", %" PRId64 "] lie outside the file's %zu data bytes",
			     (int64_t)b, (int64_t)n, data_len);
	e->begin = (size_t)b;
	e->end = (size_t)n;
	if (e->end - e->begin != e->t.len * dtype_size(e->t.dtype))
		return error(EXIT_UNEVALUABLE, "data_offsets span %zu bytes, its shape needs %zu", e->end - e->begin,
			     e->t.len * dtype_size(e->t.dtype));
	return 0;
}

static int read_entry(struct reader *r, const char *name, const json_t *j)
{
	struct entry *e = &r->e[r->ne];

	if (!*name || strlen(name) > NAME_MAX_LEN)
		return error(EXIT_UNEVALUABLE, "%s: a tensor's name is empty or longer than %d bytes", r->where, NAME_MAX_LEN);
	if (json_object_size(j) != 3)
		return error(EXIT_UNEVALUABLE, "%s: tensor %s: members are not dtype, shape, data_offsets", r->where, name);
	if (read_dtype(&e->t, json_object_get(j, "dtype")) || read_shape(&e->t, json_object_get(j, "shape")) ||
	    read_offsets(e, json_object_get(j, "data_offsets"), r->len))
		return error_prefix("%s: tensor %s", r->where, name);
	e->t.name = xstrdup(name);
	r->ne++;
	return 0;
}

static int read_meta(struct reader *r, json_t *meta)
{
	const char *key;
	json_t *value;

	if (!json_is_object(meta))
		return error(EXIT_UNEVALUABLE, "%s: %s is not an object", r->where, META_KEY);
	json_object_foreach(meta, key, value)
		if (!json_is_string(value))
			return error(EXIT_UNEVALUABLE, "%s: %s: %s is not a string", r->where, META_KEY, key);
	r->meta = meta;
	return 0;
}

static int read_header(struct reader *r, json_t *header)
{
	const char *name;
	json_t *value;

	if (!json_is_object(header))
		return error(EXIT_UNEVALUABLE, "%s: the header is not an object", r->where);
	r->e = xcalloc(json_object_size(header), sizeof(*r->e));
	json_object_foreach(header, name, value)
		if (strcmp(name, META_KEY) ? read_entry(r, name, value) : read_meta(r, value))
			return -1;
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end); /* empty tensors come before what starts there */
}

static int check_places(struct reader *r)
{
	size_t at = 0;

	qsort(r->e, r->ne, sizeof(*r->e), by_place);
	for (size_t i = 0; i < r->ne; i++) {
		if (r->e[i].begin != at)
			return error(EXIT_UNEVALUABLE, "%s: tensor %s: its bytes %s", r->where, r->e[i].t.name,
				     r->e[i].begin < at ? "overlap another tensor's" : "leave a gap before them");
		at = r->e[i].end;
	}
	if (at != r->len)
		return error(EXIT_UNEVALUABLE, "%s: %zu bytes after the last tensor", r->where, r->len - at);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

/* The entries' tensors move into a bundle. */
static struct bundle *make_bundle(struct reader *r)
{
	struct bundle *b = bundle_new();

	b->t = xmalloc(r->ne, sizeof(*b->t));
	b->nt = (int)r->ne; /* at most HEADER_MAX */
	for (size_t i = 0; i < r->ne; i++) {
		struct entry *e = &r->e[i];

		e->t.data = xmalloc(e->end - e->begin, 1);
		memcpy(e->t.data, r->data + e->begin, e->end - e->begin);
		b->t[i] = e->t;
	}
	qsort(b->t, r->ne, sizeof(*b->t), by_name);
	r->ne = 0;
	if (r->meta)
		json_object_update(b->meta, r->meta);
	return b;
}

static json_t *parse_header(struct reader *r, const char *file, size_t len)
{
	uint64_t header_len = 0;

	if (len >= sizeof(header_len))
		memcpy(&header_len, file, sizeof(header_len));
	if (header_len < 2 || header_len > HEADER_MAX || header_len > len - sizeof(header_len)) {
		error(EXIT_UNEVALUABLE, "%s: not a safetensors file, or cut short (%zu bytes)", r->where, len);
		return NULL;
	}
	r->data = file + sizeof(header_len) + header_len;
	r->len = len - sizeof(header_len) - (size_t)header_len;
	return json_read_text(file + sizeof(header_len), (size_t)header_len, r->where);
}

struct bundle *bundle_decode(const void *data, size_t len, const char *where)
{
	struct reader r = { .where = where };
	struct bundle *b = NULL;
	json_t *header = parse_header(&r, data, len);

	if (header && !read_header(&r, header) && !check_places(&r))
		b = make_bundle(&r);
	for (size_t i = 0; i < r.ne; i++)
		free(r.e[i].t.name);
	free(r.e);
	json_decref(header);
	return b;
}

struct bundle *bundle_load(const char *path)
{
	size_t len;
	char *file = file_read(path, BUNDLE_FILE_LIMIT, &len);
	struct bundle *b = file ? bundle_decode(file, len, path) : NULL;

	free(file);
	return b;
}
