/* Models: registry, flat parameters, initial values, files, prediction. See model.h. */
#include "nn/model.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/rng.h"
#include "base/tile.h"
#include <math.h>
#include <string.h>

#define ALIGN 64
/* What a spec may ask for, so that a hostile file's metadata cannot overflow a shape. */
#define CHANNELS_MAX 1024
#define SIDE_MAX 1024
#define CLASSES_MAX 65536
#define WIDTH_MAX 4096

/* ---- registry ---- */

#define ARCH(x) extern const struct arch arch_##x;
#include "nn/networks/list.def"
#undef ARCH

#define ARCH(x) &arch_##x.drv,
const struct driver *const archs[] = {
#include "nn/networks/list.def"
	NULL
};
#undef ARCH

static const struct arch *arch_find(const char *name)
{
	return driver_find(archs, "model", name); /* drv is an arch's first member */
}

/* ---- specification ---- */

/* The number behind the last dash: 1 .. WIDTH_MAX, or -1. */
static int parse_width(const char *digits)
{
	int v = 0;

	if (!*digits || *digits == '0' || strlen(digits) > 4)
		return -1;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -1;
		v = 10 * v + (*digits - '0');
	}
	return v <= WIDTH_MAX ? v : -1;
}

int model_spec_parse(struct model_spec *s, const char *name)
{
	const char *dash = strrchr(name, '-');
	size_t n = dash ? (size_t)(dash - name) : strlen(name);
	int width = dash ? parse_width(dash + 1) : 0;
	const struct arch *a;
	char arch[sizeof(s->arch)] = "";

	if (n >= sizeof(arch))
		return error(EXIT_UNEVALUABLE, "model '%.100s' is unknown", name);
	memcpy(arch, name, n);
	arch[n] = '\0';
	a = arch_find(arch);
	if (!a)
		return -1;
	if (width < 0 || (dash && !a->width))
		return error(EXIT_UNEVALUABLE, a->width ? "model '%.100s': a width of 1 to %d follows the dash, as in %s-%d" :
			     "model '%.100s': this architecture has no width", name, WIDTH_MAX, arch, a->width);
	memcpy(s->arch, arch, sizeof(arch));
	s->width = dash ? width : a->width;
	return 0;
}

const char *model_spec_name(const struct model_spec *s, char *buf)
{
	if (s->width)
		sprintf(buf, "%.31s-%d", s->arch, s->width);
	else
		sprintf(buf, "%.31s", s->arch);
	return buf;
}

static bool in_range(int v, int max)
{
	return v >= 1 && v <= max;
}

static int check_spec(const struct model_spec *s, const struct arch *a)
{
	if (!in_range(s->c, CHANNELS_MAX) || !in_range(s->h, SIDE_MAX) || !in_range(s->w, SIDE_MAX))
		return error(EXIT_UNEVALUABLE, "model %s: input %dx%dx%d (c x h x w) is out of range", s->arch, s->c, s->h, s->w);
	if (!in_range(s->classes, CLASSES_MAX))
		return error(EXIT_UNEVALUABLE, "model %s: %d outputs are out of range", s->arch, s->classes);
	if (a->width ? !in_range(s->width, WIDTH_MAX) : s->width != 0)
		return error(EXIT_UNEVALUABLE, "model %s: width %d is out of range", s->arch, s->width);
	return 0;
}

/* ---- parameters ---- */

static struct param *add_param(struct model *m, const char *name, const int d[4], bool buffer)
{
	struct param *p;

	BUG_ON(strlen(name) >= PARAM_NAME_MAX || model_find(m, name));
	BUG_ON(!buffer && m->np && m->p[m->np - 1].buffer);
	m->p = xrealloc(m->p, (size_t)m->np + 1, sizeof(*m->p));
	p = &m->p[m->np++];
	*p = (struct param){ .len = 1, .buffer = buffer };
	strcpy(p->name, name);
	for (int i = 0; i < 4; i++) {
		if (d[i])
			p->nd = i + 1;
		p->d[i] = d[i] ? d[i] : 1;
		p->len *= (size_t)p->d[i];
	}
	m->nx += p->len;
	m->ng += buffer ? 0 : p->len;
	return p;
}

struct param *model_param(struct model *m, const char *name, int d0, int d1, int d2, int d3)
{
	return add_param(m, name, (int[]){ d0, d1, d2, d3 }, false);
}

struct param *model_buffer(struct model *m, const char *name, int d0)
{
	return add_param(m, name, (int[]){ d0, 0, 0, 0 }, true);
}

struct param *model_find(const struct model *m, const char *name)
{
	for (int i = 0; i < m->np; i++)
		if (!strcmp(m->p[i].name, name))
			return &m->p[i];
	return NULL;
}

struct node *model_node(struct model *m, struct tape *t, const char *name)
{
	struct param *p = model_find(m, name);
	struct node *n = m->hooks && m->hooks->param ? m->hooks->param(m->hooks->ctx, m, t, name) : NULL;

	BUG_ON(!p || p->buffer);
	return n ? n : tape_param(t, p);
}

void model_zero_grad(struct model *m)
{
	memset(m->g, 0, m->ng * sizeof(*m->g));
}

size_t model_params(const struct model *m)
{
	return m->ng;
}

/* ---- life cycle ---- */

static real *new_numbers(size_t n)
{
	size_t bytes = (n * sizeof(real) + ALIGN - 1) / ALIGN * ALIGN;
	real *x = aligned_alloc(ALIGN, bytes ? bytes : ALIGN);

	if (!x)
		die(EXIT_MEMORY, "out of memory (%zu model parameters)", n);
	memset(x, 0, bytes);
	return x;
}

/* The flat arrays, and every parameter's place in them. */
void model_allocate(struct model *m)
{
	size_t at = 0;

	m->x = new_numbers(m->nx);
	m->g = new_numbers(m->ng);
	for (int i = 0; i < m->np; i++) {
		m->p[i].x = m->x + at;
		m->p[i].g = m->p[i].buffer ? NULL : m->g + at;
		at += m->p[i].len;
	}
}

struct model *model_shapes(const struct model_spec *s)
{
	struct model *m = xcalloc(1, sizeof(*m));

	m->spec = *s;
	m->arch = arch_find(s->arch);
	if (m->arch && !s->width)
		m->spec.width = m->arch->width;
	if (!m->arch || check_spec(&m->spec, m->arch) || m->arch->build(m)) {
		model_free(m);
		return NULL;
	}
	return m;
}

struct model *model_copy(const struct model *m)
{
	struct model *c = xmalloc(1, sizeof(*c));

	*c = *m;
	c->hooks = NULL;
	c->p = xmalloc((size_t)m->np, sizeof(*c->p));
	memcpy(c->p, m->p, (size_t)m->np * sizeof(*c->p));
	model_allocate(c);
	memcpy(c->x, m->x, m->nx * sizeof(*c->x));
	return c;
}

void model_free(struct model *m)
{
	if (!m)
		return;
	free(m->p);
	free(m->x);
	free(m->g);
	free(m);
}

/* ---- initial values: PyTorch's reset_parameters(), or Keras' defaults ---- */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n >= k && !strcmp(name + n - k, suffix);
}

static void fill(struct param *p, real v)
{
	for (size_t i = 0; i < p->len; i++)
		p->x[i] = v;
}

static void fill_uniform(struct param *p, struct rng *r, double bound)
{
	for (size_t i = 0; i < p->len; i++)
		p->x[i] = (real)(bound * (2 * rng_uniform(r) - 1));
}

static void fill_normal(struct param *p, struct rng *r, double sd)
{
	for (size_t i = 0; i < p->len; i++)
		p->x[i] = (real)(sd * rng_normal(r));
}

/* Kaiming uniform with a = sqrt(5): sqrt(6 / ((1 + a^2) fan_in)). The bias of the layer has the same bound. */
static double uniform_bound(const struct param *weight)
{
	return 1 / sqrt((double)(weight->len / (size_t)weight->d[0]));
}

/* Glorot uniform: sqrt(6 / (fan_in + fan_out)). */
static double glorot_bound(const struct param *weight)
{
	const size_t field = weight->nd == 4 ? (size_t)weight->d[2] * weight->d[3] : 1;

	return sqrt(6.0 / (double)((size_t)(weight->d[0] + weight->d[1]) * field));
}

/* prev: the parameter before, which of a bias is its layer's weight. */
static void init_param(const struct model *m, struct param *p, const struct param *prev, enum init_kind init, struct rng *r)
{
	if (p->buffer)
		fill(p, has_suffix(p->name, ".running_var") ? 1 : 0);
	else if (p->nd == 4 && m->arch->he_normal)
		fill_normal(p, r, sqrt(2.0 / ((double)p->d[0] * p->d[2] * p->d[3])));
	else if (p->nd > 1)
		fill_uniform(p, r, init == INIT_KERAS ? glorot_bound(p) : uniform_bound(p));
	else if (has_suffix(p->name, ".weight")) /* batch norm's scale */
		fill(p, 1);
	else if (prev->nd > 1 && init == INIT_TORCH)
		fill_uniform(p, r, uniform_bound(prev));
	else
		fill(p, 0);
}

struct model *model_new(const struct model_spec *s, uint64_t seed)
{
	return model_new_init(s, INIT_TORCH, seed);
}

struct model *model_new_init(const struct model_spec *s, enum init_kind init, uint64_t seed)
{
	struct model *m = model_shapes(s);
	struct rng_key key = rng_key(seed, "init");
	struct rng r;

	if (!m)
		return NULL;
	model_allocate(m);
	for (int i = 0; i < m->np; i++) {
		rng_at(&r, key, (uint32_t)i, 0);
		init_param(m, &m->p[i], i ? &m->p[i - 1] : NULL, init, &r);
	}
	return m;
}

/* ---- facts ---- */

double model_macs(const struct model *m)
{
	double macs = 0;

	for (int i = 0; i < m->np; i++)
		macs += (double)m->p[i].len * (double)m->p[i].uses;
	return macs;
}

int model_outputs(const struct model *m)
{
	return m->spec.classes * (m->arch->image ? m->spec.h * m->spec.w : 1);
}

/* Values as the files hold them; out: p->len numbers. */
static void to_f32(const struct param *p, float *out)
{
	for (size_t i = 0; i < p->len; i++)
		out[i] = (float)p->x[i];
}

void model_hash(const struct model *m, char out[65])
{
	struct hash h;
	float *x = xmalloc(m->nx, sizeof(*x)), *at = x;

	hash_init(&h);
	for (int i = 0; i < m->np; at += m->p[i++].len) {
		const struct param *p = &m->p[i];
		int32_t shape[5] = { p->nd, p->d[0], p->d[1], p->d[2], p->d[3] };

		to_f32(p, at);
		hash_add(&h, p->name, strlen(p->name) + 1);
		hash_add(&h, shape, sizeof(shape));
		hash_add(&h, at, p->len * sizeof(*at));
	}
	hash_end_hex(&h, out);
	free(x);
}

/* ---- prediction ---- */

static int check_images(const struct model *m, const struct images *v)
{
	const struct model_spec *s = &m->spec;

	if (v->c == s->c && v->h == s->h && v->w == s->w)
		return 0;
	return error(EXIT_UNEVALUABLE, "images are %dx%dx%d (c x h x w), model %s takes %dx%dx%d", v->c, v->h, v->w, s->arch,
		     s->c, s->h, s->w);
}

int model_workers(const struct model *m, int n)
{
	const int groups = n > LANES ? (n + LANES - 1) / LANES : 1, threads = m->hooks ? 1 : tile_threads_here();

	return groups < threads ? groups : threads;
}

/* Images at once: few enough that a layer's values are still in the cache when the next one reads them. */
static int batch_size(const struct model *m)
{
	const int fit = 64 * 784 / (m->spec.c * m->spec.h * m->spec.w) / LANES * LANES;

	return fit < LANES ? LANES : fit > 128 ? 128 : fit;
}

struct batches {
	int n, batch, first;
	model_work *work;
	void *ctx;
	struct tape *t[TILE_MAX_THREADS];
};

/* Batch i of those from `first` on, with the tape of this thread. */
static void batch_task(void *ctx, int i, int thread)
{
	const struct batches *b = ctx;
	const int first = b->first + i * b->batch;

	tape_reset(b->t[thread]);
	tape_grad_params(b->t[thread], false);
	b->work(b->ctx, b->t[thread], first, b->n - first < b->batch ? b->n - first : b->batch);
}

/* Batches side by side, a thread each, because threads that share one batch wait for each other after every layer; one after the other
 * where there are fewer of them than threads, or a hook that must not be called twice at a time. */
int model_batches(const struct model *m, int n, model_work *work, void *ctx)
{
	struct batches b = { .n = n, .batch = batch_size(m), .work = work, .ctx = ctx };
	const int workers = model_workers(m, n), count = (n + b.batch - 1) / b.batch, at_once = count < workers ? 1 : workers;
	const int span = at_once > 1 ? 16 * at_once : 1;
	int r = 0;

	for (int t = 0; t < at_once; t++) {
		b.t[t] = tape_new();
		tape_keep_weights(b.t[t]);
	}
	for (int i = 0; i < count && !r; i += span) {
		b.first = i * b.batch;
		tile_for(count - i < span ? count - i : span, batch_task, &b);
		r = interrupt_check();
	}
	for (int t = 0; t < at_once; t++)
		tape_free(b.t[t]);
	return r;
}

struct prediction {
	struct model *m;
	const struct images *v;
	float *out; /* (v->n, k) */
};

static void predict_batch(void *ctx, struct tape *t, int first, int n)
{
	const struct prediction *p = ctx;
	const int k = model_outputs(p->m);
	struct node *x = tape_input(t, n, p->v->c, p->v->h, p->v->w, false), *y;

	tape_predicts(t);
	node_load_images(x, p->v, first);
	y = p->m->arch->forward(p->m, x, false);
	BUG_ON(y->c * y->h * y->w != k);
	node_store_f32(y, p->out + (size_t)first * (size_t)k);
}

int model_predict(struct model *m, const struct images *v, float *out)
{
	struct prediction p = { m, v, out };

	return check_images(m, v) ? -1 : model_batches(m, v->n, predict_batch, &p);
}

int model_predict_probs(struct model *m, const struct images *v, float *out)
{
	int r = model_predict(m, v, out);

	if (!r)
		softmax_rows(out, v->n, model_outputs(m));
	return r;
}

int model_correct(struct model *m, const struct images *v, unsigned char *correct)
{
	int k = model_outputs(m), right = 0;
	float *rows = xmalloc((size_t)v->n * (size_t)k, sizeof(*rows));
	int r = model_predict(m, v, rows);

	BUG_ON(!v->labels);
	for (int i = 0; !r && i < v->n; i++) {
		int best;

		argmax_rows(rows + (size_t)i * (size_t)k, 1, k, &best);
		correct[i] = best == images_label(v, i);
		right += correct[i];
	}
	free(rows);
	return r ? -1 : right;
}

void argmax_rows(const float *rows, int n, int k, int *out)
{
	for (int i = 0; i < n; i++, rows += k) {
		out[i] = 0;
		for (int j = 1; j < k; j++)
			if (rows[j] > rows[out[i]])
				out[i] = j;
	}
}

/* exp(x - max) cannot overflow; the sum is at least 1. */
static void softmax_row(float *row, int k)
{
	float max = row[0], sum = 0;

	for (int j = 1; j < k; j++)
		max = row[j] > max ? row[j] : max;
	for (int j = 0; j < k; j++)
		sum += row[j] = (float)exp((double)(row[j] - max)); /* through double: the same for any C library */
	for (int j = 0; j < k; j++)
		row[j] /= sum;
}

void one_hot_rows(float *rows, int n, int k)
{
	for (int i = 0; i < n; i++, rows += k) {
		int top;

		argmax_rows(rows, 1, k, &top);
		memset(rows, 0, (size_t)k * sizeof(*rows));
		rows[top] = 1;
	}
}

void softmax_rows(float *rows, int n, int k)
{
	for (int i = 0; i < n; i++)
		softmax_row(rows + (size_t)i * (size_t)k, k);
}
