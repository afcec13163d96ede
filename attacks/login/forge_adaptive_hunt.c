/* See forge_adaptive_hunt.h. A search draws a few blends anywhere and goes on from the best: by a step of the blend's weights, as a (1+1) evolution
 * strategy does, or by a square of another brightness laid over it. Where it has not got nearer for a while it begins anew.
 *
 * Source: Rechenberg, 1973 (evolution strategy, its rule of success); Andriushchenko et al., ECCV 2020 (squares).
 * Differs: steps grow by 1.2 with a success, to 3 at most, fall to 0.97 with a failure, and start again at 0.3 when they are under 0.02. A
 * place that is as near is moved to, as on a plateau one must, and is no success. Squares have a
 * random side up to a third of the image's and any height: nothing bounds the distance to a source here, for there is none. */
#include "attacks/login/forge_adaptive_hunt.h"

#include <math.h>
#include <string.h>

#include "attacks/kit/surrogate.h"
#include "attacks/login/forge_adaptive_blend.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/rng.h"

#define SIGMA_FIRST 0.3
#define SIGMA_LEAST 0.02
#define SIGMA_MOST 3.0 /* of logarithms of weights: further on a blend is one image whichever way it goes */
#define LEAD 0.05 /* of class t over any other, in logarithms */
#define TINY 1e-6 /* of a confidence: what answers of 0 are taken for */
enum { DRAWN_FIRST = 20, IDLE_MOST = 80 };

/* ---- one search ---- */

/* A blend and what lies over it. */
struct place {
	double *w;    /* (classes) */
	int *image;   /* (classes) */
	float *squares; /* (len); NULL in a search that learns nothing */
};

struct search {
	struct place best, now; /* best: empty in a search that learns nothing */
	double sigma, miss; /* of the best place since it began anew */
	int drawn, idle;    /* blends drawn since then; questions since it got nearer */
	struct rng r;
};

static void place_open(struct place *p, const struct blends *b, bool squares)
{
	p->w = xcalloc((size_t)b->classes, sizeof(*p->w));
	p->image = xcalloc((size_t)b->classes, sizeof(*p->image));
	p->squares = squares ? xcalloc((size_t)b->len, sizeof(*p->squares)) : NULL;
}

static void place_close(struct place *p)
{
	free(p->w);
	free(p->image);
	free(p->squares);
}

static void place_copy(struct place *to, const struct place *from, const struct blends *b)
{
	memcpy(to->w, from->w, (size_t)b->classes * sizeof(*to->w));
	memcpy(to->image, from->image, (size_t)b->classes * sizeof(*to->image));
	memcpy(to->squares, from->squares, (size_t)b->len * sizeof(*to->squares));
}

static void draw_anywhere(struct search *s, const struct blends *b)
{
	for (int k = 0; k < b->classes; k++)
		s->now.image[k] = (int)rng_below(&s->r, (uint32_t)b->sets);
	blends_draw(b, &s->r, s->now.w);
	if (s->now.squares)
		memset(s->now.squares, 0, (size_t)b->len * sizeof(*s->now.squares));
	s->drawn++;
}

/* A square of one brightness a channel, brighter or darker by anything. */
static void add_square(struct search *s, const struct blends *b)
{
	const int most = ((b->h < b->w ? b->h : b->w) + 2) / 3, side = 1 + (int)rng_below(&s->r, (uint32_t)most);
	const int row = (int)rng_below(&s->r, (uint32_t)(b->h - side + 1)), col = (int)rng_below(&s->r, (uint32_t)(b->w - side + 1));

	for (int c = 0; c < b->c; c++) {
		const float by = (float)(2 * rng_uniform(&s->r) - 1);

		for (int k = 0; k < side * side; k++)
			s->now.squares[(c * b->h + row + k / side) * b->w + col + k % side] += by;
	}
}

static void step_from_best(struct search *s, const struct blends *b)
{
	place_copy(&s->now, &s->best, b);
	if (rng_below(&s->r, 2)) {
		add_square(s, b);
		return;
	}
	for (int k = 0; k < b->classes; k++)
		s->now.w[k] += s->sigma * rng_normal(&s->r);
}

/* The next image to ask about: out (len). blind: anywhere, whatever was learned. */
static void propose(struct search *s, const struct blends *b, bool blind, bool round8, float *out)
{
	if (s->idle >= IDLE_MOST) {
		s->drawn = s->idle = 0;
		s->miss = INFINITY;
		s->sigma = SIGMA_FIRST;
	}
	if (blind || s->drawn < DRAWN_FIRST)
		draw_anywhere(s, b);
	else
		step_from_best(s, b);
	blends_mix(b, s->now.image, s->now.w, out);
	for (int j = 0; j < b->len; j++) {
		if (s->now.squares)
			out[j] = fminf(fmaxf(out[j] + s->now.squares[j], 0), 1);
		if (round8)
			out[j] = roundf(out[j] * 255) / 255;
	}
}

/* How bad it was: smaller is better. Where all answers are equal no step is a success, and the search begins anew. */
static void learn(struct search *s, const struct blends *b, double miss)
{
	const bool nearer = miss < s->miss;

	if (miss <= s->miss) {
		s->miss = miss;
		place_copy(&s->best, &s->now, b);
	}
	s->idle = nearer ? 0 : s->idle + 1;
	if (s->drawn >= DRAWN_FIRST)
		s->sigma = fmin(s->sigma * (nearer ? 1.2 : 0.97), SIGMA_MOST);
	if (s->sigma < SIGMA_LEAST)
		s->sigma = SIGMA_FIRST;
}

/* ---- all of them ---- */

struct hunt {
	struct access *a;
	const struct blend_hunt *c;
	struct blends b;
	struct search *s; /* (n) */
	double *nearest;  /* (n) the least miss of all, over beginnings anew */
	float *x;
	unsigned char *done;
	long *asked;
};

static double log_ratio(float p, float q)
{
	return log(((double)p + TINY) / ((double)q + TINY));
}

/* How far answers p (k) are from class t at confidence c: logarithms have a slope where P_t is nearly 0, and squares none on the spot. */
static double miss_of(const float *p, int k, int t, float c)
{
	double sum = log_ratio(p[t], c) * log_ratio(p[t], c);

	for (int j = 0; j < k; j++) {
		const double over = j == t ? 0 : fmax(log_ratio(p[j], c) + LEAD, 0);

		sum += over * over;
	}
	return sum;
}

/* Answers p to image x of search i. */
static void hear_score(struct hunt *h, int i, const float *x, const float *p)
{
	const int t = h->c->class[i], k = h->a->classes;
	const double miss = miss_of(p, k, t, h->c->conf[i]);
	int top;

	argmax_rows(p, 1, k, &top);
	h->done[i] = top == t && fabs((double)p[t] - (double)h->c->conf[i]) < h->c->tolerance;
	learn(&h->s[i], &h->b, miss);
	if (!h->done[i] && miss > h->nearest[i])
		return;
	h->nearest[i] = miss;
	memcpy(h->x + (size_t)i * (size_t)h->b.len, x, (size_t)h->b.len * sizeof(*x));
}

/* One question for every search that goes on: which (n) of them, x (n, len) the images. */
static int ask(struct hunt *h, const int *which, const float *x, int n)
{
	const struct access *a = h->a;
	const struct images v = { .n = n, .c = a->c, .h = a->h, .w = a->w, .classes = a->classes, .fx = x };
	const size_t len = (size_t)h->b.len;
	unsigned char *accepted = xcalloc((size_t)n, 1);
	float *probs = xmalloc((size_t)n * (size_t)a->classes, sizeof(*probs));
	const int ret = h->c->class ? surrogate_ask(h->a, h->c->teacher, false, &v, probs) : access_submit(h->a, x, n, accepted);

	for (int i = 0; i < n && !ret; i++) {
		h->asked[which[i]]++;
		if (h->c->class) {
			hear_score(h, which[i], x + (size_t)i * len, probs + (size_t)i * (size_t)a->classes);
			continue;
		}
		h->done[which[i]] = accepted[i];
		memcpy(h->x + (size_t)which[i] * len, x + (size_t)i * len, len * sizeof(*x));
	}
	free(accepted);
	free(probs);
	return ret;
}

/* Are n more questions within the budget of the whole attack? */
static bool affordable(const struct hunt *h, int n)
{
	const struct ledger *l = h->a->ledger;

	if (h->c->class)
		return surrogate_afford(h->a, h->c->teacher, n) >= n;
	return !l->max_submissions || l->max_submissions - l->submissions >= n;
}

static int rounds(struct hunt *h)
{
	const size_t len = (size_t)h->b.len;
	float *x = xmalloc((size_t)h->c->n * len, sizeof(*x));
	int *which = xmalloc((size_t)h->c->n, sizeof(*which)), ret = 0;

	for (int round = 0; round < h->c->budget && !ret; round++) {
		int n = 0;

		for (int i = 0; i < h->c->n; i++)
			if (!h->done[i])
				which[n++] = i;
		if (!n || !affordable(h, n))
			break;
		for (int i = 0; i < n; i++)
			propose(&h->s[which[i]], &h->b, !h->c->class, h->c->round8, x + (size_t)i * len);
		ret = interrupt_check() ? -1 : ask(h, which, x, n);
	}
	free(x);
	free(which);
	return ret;
}

int blend_hunt(struct access *a, const struct blend_hunt *c, float *x, unsigned char *done, long *asked)
{
	const struct rng_key key = rng_key(a->seed, "blend hunt");
	struct hunt h = { .a = a, .c = c, .x = x, .done = done, .asked = asked };
	int ret;

	if (blends_open(a, c->exemplars, &h.b) < 0)
		return -1;
	h.s = xcalloc((size_t)c->n, sizeof(*h.s));
	h.nearest = xmalloc((size_t)c->n, sizeof(*h.nearest));
	for (int i = 0; i < c->n; i++) {
		h.s[i] = (struct search){ .sigma = SIGMA_FIRST, .miss = INFINITY };
		h.nearest[i] = INFINITY;
		asked[i] = 0;
		if (c->class)
			place_open(&h.s[i].best, &h.b, true);
		place_open(&h.s[i].now, &h.b, c->class);
		rng_at(&h.s[i].r, key, (uint32_t)i, 0);
	}
	ret = rounds(&h);
	for (int i = 0; i < c->n; i++) {
		place_close(&h.s[i].best);
		place_close(&h.s[i].now);
	}
	free(h.s);
	free(h.nearest);
	blends_close(&h.b);
	return ret;
}
