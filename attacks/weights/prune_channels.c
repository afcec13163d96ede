/* See prune_channels.h. */
#include "attacks/weights/prune_channels.h"

#include <math.h>
#include <stdlib.h>

#include "attacks/kit/weights.h"
#include "base/error.h"
#include "nn/wiring.h"

struct channel {
	double size;
	int group, at;
};

static int by_channel(const void *pa, const void *pb)
{
	const struct channel *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return a->group != b->group ? a->group - b->group : a->at - b->at;
}

/* Mean |w| of the weights that make a channel: the L1 norm, comparable between layers. */
static double norm_of(const struct wiring_group *g, int ch)
{
	double sum = 0;
	size_t n = 0;

	for (int i = 0; i < g->nfrom; i++) {
		const size_t len = g->from[i]->len / (size_t)g->channels;

		if (g->from[i]->nd < 2)
			continue;
		for (size_t k = 0; k < len; k++)
			sum += fabs((double)g->from[i]->x[(size_t)ch * len + k]);
		n += len;
	}
	return sum / (double)n;
}

/* Remove the `want` smallest of n channels, leaving every group one. */
static void remove_smallest(struct channel_pruning *k, const struct wiring *w, struct channel *c, size_t n, size_t want)
{
	int left[WIRING_GROUPS];
	size_t gone = 0;

	for (int i = 0; i < w->n; i++)
		left[i] = w->group[i].channels;
	qsort(c, n, sizeof(*c), by_channel);
	for (size_t i = 0; i < n && gone < want; i++) {
		if (left[c[i].group] == 1)
			continue;
		left[c[i].group]--;
		wiring_remove(&w->group[c[i].group], c[i].at);
		gone++;
	}
	k->gone += gone;
	k->all += n;
}

static void prune_by_norm(struct channel_pruning *k, const struct model *m, const struct wiring *w)
{
	struct channel *c = xmalloc(m->ng, sizeof(*c));
	size_t n = 0;

	for (int g = 0; g < w->n; g++) {
		if (!weights_counted(w->group[g].from[0], k->which))
			continue;
		for (int i = 0; i < w->group[g].channels; i++)
			c[n++] = (struct channel){ norm_of(&w->group[g], i), g, i };
		if (!k->each)
			continue;
		remove_smallest(k, w, c, n, weights_share(n, k->rate));
		n = 0;
	}
	if (n)
		remove_smallest(k, w, c, n, weights_share(n, k->rate));
	free(c);
}

int channels_by_norm(struct model *m, struct channel_pruning *k)
{
	struct wiring *w = xmalloc(1, sizeof(*w));
	const int ret = wiring_of(m, w);

	if (!ret)
		prune_by_norm(k, m, w);
	free(w);
	return ret;
}

static int prune_by_activation(struct channel_pruning *k, struct model *m, const struct wiring *w, const struct images *v)
{
	int g = w->n - 1, ret;
	struct channel *c;
	double *mean;

	if (!v->n || !w->n)
		return error(EXIT_UNEVALUABLE, "prune: fine-pruning needs images and a hidden layer");
	for (int i = 0; i < w->n; i++)
		if (w->group[i].from[0]->nd == 4)
			g = i;
	c = xmalloc(w->group[g].channels, sizeof(*c));
	mean = xmalloc(w->group[g].channels, sizeof(*mean));
	ret = wiring_means(m, &w->group[g], &w->group[g].reader[w->group[g].nreaders - 1], v, mean);
	for (int i = 0; i < w->group[g].channels && !ret; i++)
		c[i] = (struct channel){ mean[i], g, i };
	if (!ret)
		remove_smallest(k, w, c, w->group[g].channels, weights_share(w->group[g].channels, k->rate));
	free(mean);
	free(c);
	return ret ? -1 : 0;
}

int channels_by_activation(struct model *m, const struct images *v, struct channel_pruning *k)
{
	struct wiring *w = xmalloc(1, sizeof(*w));
	int ret = wiring_of(m, w);

	if (!ret)
		ret = prune_by_activation(k, m, w, v);
	free(w);
	return ret;
}
