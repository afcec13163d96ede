/* Channels and who reads them. See wiring.h. */
#include "nn/wiring.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "nn/layer.h"

#define MEANS_BATCH 256

/* ---- finding them ---- */

static struct param *find(const struct model *m, const char *layer, const char *part)
{
	char name[2 * PARAM_NAME_MAX];

	snprintf(name, sizeof(name), "%s.%s", layer, part);
	return model_find(m, name);
}

static struct wiring_group *open_group(struct wiring *w, int channels)
{
	BUG_ON(w->n == WIRING_GROUPS);
	w->group[w->n] = (struct wiring_group){ .channels = channels };
	return &w->group[w->n++];
}

/* The layer writes the group's channels. */
static void add_from(const struct model *m, struct wiring_group *g, const char *layer)
{
	struct param *bias = find(m, layer, "bias");

	BUG_ON(g->nfrom + 2 > WIRING_FROM);
	g->from[g->nfrom++] = find(m, layer, "weight");
	if (bias)
		g->from[g->nfrom++] = bias;
}

static struct wiring_reader *add_reader(struct wiring_group *g)
{
	BUG_ON(g->nreaders == WIRING_READERS);
	return &g->reader[g->nreaders++];
}

static void set_norm(const struct model *m, struct wiring_reader *r, const char *layer)
{
	static const char *const part[NORM_PARTS] = { "weight", "bias", "running_mean", "running_var" };

	for (int i = 0; i < NORM_PARTS; i++)
		r->norm[i] = find(m, layer, part[i]);
}

static void add_to(const struct wiring_group *g, struct wiring_reader *r, struct param *weight)
{
	BUG_ON(!weight || r->nto == WIRING_TO || weight->d[1] % g->channels);
	r->to[r->nto++] = weight;
}

/* "block1.0.conv1" of "block1.0.conv1.weight" in buf; NULL when p is no weight. */
static const char *layer_of(const struct param *p, char buf[PARAM_NAME_MAX])
{
	const size_t n = strlen(p->name), k = strlen(".weight");

	if (p->buffer || n <= k || strcmp(p->name + n - k, ".weight"))
		return NULL;
	memcpy(buf, p->name, n - k);
	buf[n - k] = '\0';
	return buf;
}

static int unknown(const struct model *m)
{
	return error(EXIT_UNEVALUABLE, "who reads which channel of %s is not known (nn/wiring.c)", m->spec.arch);
}

/* Every layer is read by the next one; a batch norm in between belongs to the channels that stand open. */
static int chain(struct model *m, struct wiring *w)
{
	struct wiring_group *g = NULL;
	struct wiring_reader *r = NULL;
	char layer[PARAM_NAME_MAX];

	for (int i = 0; i < m->np; i++) {
		if (!layer_of(&m->p[i], layer))
			continue;
		if (m->p[i].nd == 1) {
			if (g && (m->p[i].d[0] != g->channels || r->norm[0] || !find(m, layer, "running_var")))
				return unknown(m);
			if (g)
				set_norm(m, r, layer);
			continue;
		}
		if (g && m->p[i].d[1] % g->channels)
			return unknown(m);
		if (g)
			add_to(g, r, &m->p[i]);
		g = open_group(w, m->p[i].d[0]);
		r = add_reader(g);
		add_from(m, g, layer);
	}
	w->n -= w->n > 0; /* the logits are read by nobody */
	return 0;
}

/* The stem, maybe with wrn10t's second convolution; the group that reaches the first block. */
static struct wiring_group *residual_stem(struct model *m, struct wiring *w)
{
	struct wiring_group *g = open_group(w, find(m, "conv1", "weight")->d[0]);
	struct param *second = find(m, "stem.conv1", "weight");
	struct wiring_reader *r;

	add_from(m, g, "conv1");
	if (!second)
		return g;
	r = add_reader(g);
	set_norm(m, r, "stem.bn1");
	add_to(g, r, second);
	g = open_group(w, second->d[0]);
	add_from(m, g, "stem.conv1");
	return g;
}

/* Block b reads g; the group that reaches the next one (g itself where the shortcut is the identity). */
static struct wiring_group *residual_block(struct model *m, struct wiring *w, struct wiring_group *g, const char *block)
{
	char bn1[PARAM_NAME_MAX], bn2[PARAM_NAME_MAX], conv1[PARAM_NAME_MAX], conv2[PARAM_NAME_MAX], shortcut[PARAM_NAME_MAX];
	struct wiring_group *inner;
	struct wiring_reader *r = add_reader(g);
	bool widens;

	snprintf(bn1, sizeof(bn1), "%s.bn1", block);
	snprintf(bn2, sizeof(bn2), "%s.bn2", block);
	snprintf(conv1, sizeof(conv1), "%s.conv1", block);
	snprintf(conv2, sizeof(conv2), "%s.conv2", block);
	snprintf(shortcut, sizeof(shortcut), "%s.shortcut", block);
	widens = find(m, shortcut, "weight") != NULL;
	set_norm(m, r, bn1);
	add_to(g, r, find(m, conv1, "weight"));
	if (widens)
		add_to(g, r, find(m, shortcut, "weight"));
	inner = open_group(w, find(m, conv1, "weight")->d[0]);
	add_from(m, inner, conv1);
	r = add_reader(inner);
	set_norm(m, r, bn2);
	add_to(inner, r, find(m, conv2, "weight"));
	if (widens)
		g = open_group(w, find(m, conv2, "weight")->d[0]);
	add_from(m, g, conv2);
	if (widens)
		add_from(m, g, shortcut);
	return g;
}

static int residual(struct model *m, struct wiring *w)
{
	struct wiring_group *g = residual_stem(m, w);
	struct wiring_reader *r;
	char block[16];

	for (int b = 1; b < 10; b++) {
		snprintf(block, sizeof(block), "block%d.0", b);
		if (!find(m, block, "conv1.weight"))
			break;
		g = residual_block(m, w, g, block);
	}
	r = add_reader(g);
	set_norm(m, r, "bn1");
	add_to(g, r, find(m, "fc", "weight"));
	return 0;
}

int wiring_of(struct model *m, struct wiring *w)
{
	w->n = 0;
	if (!strncmp(m->spec.arch, "wrn", 3))
		return residual(m, w);
	if (m->arch->image && strcmp(m->spec.arch, "cae"))
		return unknown(m);
	return chain(m, w);
}

/* ---- numbers of a channel ---- */

/* Multiply channel ch along the first axis. */
static void scale_rows(struct param *p, int ch, double k)
{
	const size_t n = p->len / (size_t)p->d[0];

	for (size_t i = 0; i < n; i++)
		p->x[(size_t)ch * n + i] = (real)(k * (double)p->x[(size_t)ch * n + i]);
}

/* Numbers of a channel in a row of a weight that reads it. */
static size_t span_of(const struct param *p, int channels)
{
	return p->len / (size_t)p->d[0] / (size_t)channels;
}

static void scale_columns(struct param *p, int channels, int ch, double k)
{
	const size_t span = span_of(p, channels);

	for (int o = 0; o < p->d[0]; o++) {
		real *x = p->x + ((size_t)o * (size_t)channels + (size_t)ch) * span;

		for (size_t i = 0; i < span; i++)
			x[i] = (real)(k * (double)x[i]);
	}
}

/* Blocks of n numbers: block i becomes what block perm[i] was. */
static void permute_blocks(real *x, const int *perm, int channels, size_t n)
{
	real *old = xmalloc((size_t)channels * n, sizeof(*old));

	memcpy(old, x, (size_t)channels * n * sizeof(*x));
	for (int i = 0; i < channels; i++)
		memcpy(x + (size_t)i * n, old + (size_t)perm[i] * n, n * sizeof(*x));
	free(old);
}

/* ---- changes ---- */

static void permute_reader(const struct wiring_reader *r, const int *perm, int channels)
{
	for (int i = 0; i < NORM_PARTS; i++)
		if (r->norm[i])
			permute_blocks(r->norm[i]->x, perm, channels, 1);
	for (int i = 0; i < r->nto; i++) {
		const size_t span = span_of(r->to[i], channels), row = span * (size_t)channels;

		for (int o = 0; o < r->to[i]->d[0]; o++)
			permute_blocks(r->to[i]->x + (size_t)o * row, perm, channels, span);
	}
}

void wiring_permute(const struct wiring_group *g, const int *perm)
{
	for (int i = 0; i < g->nfrom; i++)
		permute_blocks(g->from[i]->x, perm, g->channels, g->from[i]->len / (size_t)g->channels);
	for (int i = 0; i < g->nreaders; i++)
		permute_reader(&g->reader[i], perm, g->channels);
}

/* The running variance with which a channel a times as large is normalised to the same: a^2 (var + eps) - eps. */
static double scaled_variance(const struct wiring_reader *r, int ch, double a)
{
	const double eps = (double)LAYER_NORM_EPS;

	return a * a * ((double)r->norm[NORM_VAR]->x[ch] + eps) - eps;
}

bool wiring_scale(const struct wiring_group *g, int ch, double a)
{
	BUG_ON(a == 0 || ch < 0 || ch >= g->channels);
	for (int i = 0; i < g->nreaders; i++)
		if (g->reader[i].norm[0] ? scaled_variance(&g->reader[i], ch, a) < 0 : a < 0)
			return false;
	for (int i = 0; i < g->nfrom; i++)
		scale_rows(g->from[i], ch, a);
	for (int i = 0; i < g->nreaders; i++) {
		const struct wiring_reader *r = &g->reader[i];

		if (!r->norm[0]) {
			for (int k = 0; k < r->nto; k++)
				scale_columns(r->to[k], g->channels, ch, 1 / a);
			continue;
		}
		r->norm[NORM_VAR]->x[ch] = (real)scaled_variance(r, ch, a);
		scale_rows(r->norm[NORM_MEAN], ch, a);
		if (a < 0)
			scale_rows(r->norm[NORM_GAMMA], ch, -1);
	}
	return true;
}

void wiring_scale_norm(const struct wiring_reader *r, int channels, int ch, double b)
{
	BUG_ON(!r->norm[0] || b <= 0);
	scale_rows(r->norm[NORM_GAMMA], ch, b);
	scale_rows(r->norm[NORM_BETA], ch, b);
	for (int k = 0; k < r->nto; k++)
		scale_columns(r->to[k], channels, ch, 1 / b);
}

void wiring_remove(const struct wiring_group *g, int ch)
{
	for (int i = 0; i < g->nfrom; i++)
		scale_rows(g->from[i], ch, 0);
	for (int i = 0; i < g->nreaders; i++) {
		const struct wiring_reader *r = &g->reader[i];

		if (r->norm[0]) {
			scale_rows(r->norm[NORM_GAMMA], ch, 0);
			scale_rows(r->norm[NORM_BETA], ch, 0);
		}
		for (int k = 0; k < r->nto; k++)
			scale_columns(r->to[k], g->channels, ch, 0);
	}
}

/* ---- what comes in ---- */

static void add_means(const struct node *x, int channels, double *sum)
{
	const int len = x->c * x->h * x->w, span = len / channels;

	for (int i = 0; i < x->n; i++)
		for (int k = 0; k < len; k++)
			sum[k / span] += (double)node_at(x, i, k) / span;
}

int wiring_means(struct model *m, const struct wiring_group *g, const struct wiring_reader *r, const struct images *v, double *mean)
{
	struct tape *t = tape_new();
	int ret = 0;

	BUG_ON(v->n < 1 || !r->nto);
	memset(mean, 0, (size_t)g->channels * sizeof(*mean));
	for (int first = 0; first < v->n && !ret; first += MEANS_BATCH) {
		const int n = v->n - first < MEANS_BATCH ? v->n - first : MEANS_BATCH;
		struct node *x;

		tape_reset(t);
		tape_grad_params(t, false);
		x = tape_input(t, n, v->c, v->h, v->w, false);
		node_load_images(x, v, first);
		m->arch->forward(m, x, false);
		add_means(tape_input_of(t, r->to[0]), g->channels, mean);
		ret = interrupt_check();
	}
	for (int i = 0; i < g->channels; i++)
		mean[i] /= v->n;
	tape_free(t);
	return ret;
}
