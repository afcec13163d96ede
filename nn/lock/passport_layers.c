/* See passport_layers.h. */
#include "nn/lock/passport_layers.h"

#include <string.h>

#include "base/error.h"

#define SHUFFLED 20 /* images whose channels are mixed */

/* ---- which layers ---- */

struct finder {
	struct model *m;
	struct passport_layer *out, last;
	const struct node *last_out;
	int n;
};

/* A layer is a candidate until the next one runs; a norm that takes its output makes the pair. */
static void find_layer(void *ctx, const char *name, const struct node *in, const struct node *out, int stride, int pad)
{
	struct finder *f = ctx;
	char weight[PARAM_NAME_MAX];
	const struct param *p;

	snprintf(weight, sizeof(weight), "%.55s.weight", name);
	p = model_find(f->m, weight);
	BUG_ON(!p);
	if (p->nd == 1 && f->last_out == in && f->n < PASSPORT_LAYERS_MAX) {
		memcpy(f->last.norm, name, strlen(name) + 1);
		f->out[f->n++] = f->last;
	}
	f->last_out = NULL;
	if (p->nd == 1)
		return;
	f->last = (struct passport_layer){ .c = in->c, .h = in->h, .w = in->w, .out = p->d[0], .taps = (int)(p->len / (size_t)p->d[0]),
					   .kernel = p->nd == 4 ? p->d[2] : 0, .stride = stride, .pad = pad };
	memcpy(f->last.layer, name, strlen(name) + 1);
	f->last_out = out;
}

/* One batch through m with hooks, nothing changed. */
static void listen(struct model *m, const struct images *v, const struct model_hooks *hooks)
{
	struct tape *t = tape_new();
	struct node *x;

	tape_grad_params(t, false);
	x = tape_input(t, v ? v->n : 1, m->spec.c, m->spec.h, m->spec.w, false);
	if (v)
		node_load_images(x, v, 0);
	else
		memset(x->x, 0, x->len * sizeof(*x->x));
	m->hooks = hooks;
	m->arch->forward(m, x, false);
	m->hooks = NULL;
	tape_free(t);
}

int passport_layers(struct model *m, struct passport_layer *out)
{
	struct finder f = { .m = m, .out = out };
	const struct model_hooks hooks = { .ctx = &f, .layer = find_layer };

	listen(m, NULL, &hooks);
	return f.n;
}

int passport_choose(struct model *m, const char *list, struct passport_layer *out)
{
	char text[PASSPORT_LIST_MAX], *rest = text;
	bool wanted[PASSPORT_LAYERS_MAX] = { false };
	const int n = passport_layers(m, out);
	int kept = 0;

	if (!strcmp(list, "all"))
		return n;
	if (!strcmp(list, "auto")) {
		const bool first = n && out[0].c == m->spec.c && out[0].h == m->spec.h && out[0].w == m->spec.w;

		memmove(out, out + first, (size_t)(n - first) * sizeof(*out));
		return n - first;
	}
	snprintf(text, sizeof(text), "%s", list);
	for (const char *name; (name = strsep(&rest, ","));) {
		int i = 0;

		while (i < n && strcmp(out[i].layer, name) != 0)
			i++;
		if (i == n)
			return error(EXIT_UNEVALUABLE, "passport: '%s' is no layer of %s that batch norm follows at once", name, m->spec.arch);
		wanted[i] = true;
	}
	for (int i = 0; i < n; i++)
		if (wanted[i])
			out[kept++] = out[i];
	return kept;
}

/* ---- what a passport does ---- */

void passport_means(const struct passport_layer *p, const float *s, real *means)
{
	const int k = p->kernel;
	const int oh = k ? (p->h + 2 * p->pad - k) / p->stride + 1 : 1, ow = k ? (p->w + 2 * p->pad - k) / p->stride + 1 : 1;

	for (int i = 0; i < p->taps; i++) {
		const int ky = k ? i / k % k : 0, kx = k ? i % k : 0;
		const float *plane = k ? s + (ptrdiff_t)(i / (k * k)) * p->h * p->w : s + i;
		double sum = 0;

		for (int y = 0; y < oh; y++)
			for (int x = 0; x < ow; x++) {
				const int sy = y * p->stride + ky - p->pad, sx = x * p->stride + kx - p->pad;

				if (sy >= 0 && sy < p->h && sx >= 0 && sx < p->w)
					sum += (double)plane[sy * p->w + sx];
			}
		means[i] = (real)(sum / ((double)oh * ow));
	}
}

static const struct param *param_of(const struct model *m, const char *name, const char *what)
{
	char full[PARAM_NAME_MAX + 16];
	const struct param *p;

	snprintf(full, sizeof(full), "%s.%s", name, what);
	p = model_find(m, full);
	BUG_ON(!p);
	return p;
}

void passport_scale(const struct model *m, const struct passport_layer *p, const real *means, real *gamma)
{
	const real *w = param_of(m, p->layer, "weight")->x;

	for (int o = 0; o < p->out; o++, w += p->taps) {
		double s = 0;

		for (int i = 0; i < p->taps; i++)
			s += (double)w[i] * (double)means[i];
		gamma[o] = (real)s;
	}
}

const char *passport_name(char buf[PARAM_NAME_MAX + 8], const char *what, const struct passport_layer *p)
{
	snprintf(buf, PARAM_NAME_MAX + 8, "%s.%s", what, p->layer);
	return buf;
}

static int apply_one(struct model *m, const struct passport_layer *p, const struct bundle *b, int at, const char *what, const char *param)
{
	const int len = p->c * p->h * p->w;
	char name[PARAM_NAME_MAX + 8];
	const struct tensor *t = bundle_get(b, passport_name(name, what, p), DT_F32);
	real *means;

	if (!t || t->nd != 4 || t->d[0] <= at || t->d[1] != p->c || t->d[2] != p->h || t->d[3] != p->w)
		return error(EXIT_UNEVALUABLE, "passport: a credential holds a tensor '%s' of %d x %d x %d float32", name, p->c, p->h, p->w);
	means = xmalloc((size_t)p->taps, sizeof(*means));
	passport_means(p, (const float *)t->data + (ptrdiff_t)at * len, means);
	passport_scale(m, p, means, param_of(m, p->norm, param)->x);
	free(means);
	return 0;
}

struct model *passport_apply(const struct model *m, const struct passport_layer *p, int n, const struct bundle *b, int at)
{
	struct model *out = model_copy(m);

	for (int i = 0; i < n; i++)
		if (apply_one(out, &p[i], b, at, "gamma", "weight") < 0 || apply_one(out, &p[i], b, at, "beta", "bias") < 0) {
			model_free(out);
			return NULL;
		}
	return out;
}

/* ---- drawing passports ---- */

/* Keeps what images are at the chosen layers' inputs. */
struct tap {
	const struct passport_layer *p;
	int n;
	float *rows[PASSPORT_LAYERS_MAX]; /* (images, c*h*w) */
};

static void tap_layer(void *ctx, const char *name, const struct node *in, const struct node *out, int stride, int pad)
{
	struct tap *t = ctx;

	(void)out, (void)stride, (void)pad;
	for (int i = 0; i < t->n; i++)
		if (!strcmp(t->p[i].layer, name) && in->c == t->p[i].c && in->h == t->p[i].h && in->w == t->p[i].w) {
			t->rows[i] = xmalloc((size_t)in->n * in->c * in->h * in->w, sizeof(float));
			node_store_f32(in, t->rows[i]);
		}
}

/* Channels of `count` images in turn, of each image in a random order (of one image as they are). out (c, area). */
static void mix(const float *rows, int count, int c, int area, struct rng *r, float *out)
{
	int *order = xmalloc((size_t)count * c, sizeof(*order)), *used = xcalloc((size_t)count, sizeof(*used));

	for (int i = 0; i < count; i++)
		rng_permutation(r, order + (ptrdiff_t)i * c, c);
	for (int k = 0; k < c; k++) {
		const int image = k % count, channel = count == 1 ? k : order[(ptrdiff_t)image * c + used[image]++];

		memcpy(out + (ptrdiff_t)k * area, rows + ((ptrdiff_t)image * c + channel) * area, (size_t)area * sizeof(*out));
	}
	free(order);
	free(used);
}

/* One passport of every layer; what: "gamma" or "beta". */
static int draw_from_images(const struct passport_layer *p, int n, struct model *source, const struct images *v, int count, struct rng *r,
			    const char *what, struct bundle *out)
{
	struct tap t = { .p = p, .n = n };
	const struct model_hooks hooks = { .ctx = &t, .layer = tap_layer };
	struct images some = *v;
	int index[SHUFFLED], ret = 0;
	char name[PARAM_NAME_MAX + 8];

	for (int i = 0; i < count; i++)
		index[i] = images_at(v, (int)rng_below(r, (uint32_t)v->n));
	some.n = count;
	some.index = index;
	listen(source, &some, &hooks);
	for (int i = 0; i < n; i++) {
		float *s = bundle_put(out, passport_name(name, what, &p[i]), DT_F32, 4, (const int64_t[]){ 1, p[i].c, p[i].h, p[i].w }, NULL);

		if (t.rows[i])
			mix(t.rows[i], count, p[i].c, p[i].h * p[i].w, r, s);
		else
			ret = error(EXIT_UNEVALUABLE, "passport: the network that makes passports has no layer '%s' of the same input", p[i].layer);
		free(t.rows[i]);
	}
	return ret;
}

int passport_draw(enum passport_kind kind, const struct passport_layer *p, int n, struct model *source, const struct images *v,
		  uint64_t seed, struct bundle *out)
{
	static const char *const whats[] = { "gamma", "beta" };
	char name[PARAM_NAME_MAX + 8];
	int ret = 0;

	for (int k = 0; k < 2 && !ret; k++) {
		struct rng r;

		rng_open(&r, seed, "passport", (uint32_t)k, 0);
		if (kind != PASSPORT_RANDOM) {
			ret = draw_from_images(p, n, source, v, kind == PASSPORT_IMAGE ? 1 : SHUFFLED, &r, whats[k], out);
			continue;
		}
		for (int i = 0; i < n; i++) {
			const int64_t d[] = { 1, p[i].c, p[i].h, p[i].w };
			float *s = bundle_put(out, passport_name(name, whats[k], &p[i]), DT_F32, 4, d, NULL);

			for (int j = 0; j < p[i].c * p[i].h * p[i].w; j++)
				s[j] = (float)(2 * rng_uniform(&r) - 1);
		}
	}
	return ret;
}
