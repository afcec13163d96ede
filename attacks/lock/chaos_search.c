/* Search for the key of chaotic weights. Whatever tau, p and q are, rounds of Arnold's cat map on a square of side n amount to one
 * matrix of SL2(Z_n) (chaos_search_sl2.h): fewer than n^3. Each is tried by moving the square's cells back and looking at a few labelled samples,
 * square by square, until none moves; layer by layer, by how well a layer's activations tell the classes apart (the layers behind it
 * are still in disorder), and in the end over all squares by the loss. How orderly a layer's rows and columns lie counts beside that, both in
 * nats (chaos_search_order.h): few labels alone like many a neighbour of the right key as well. Large squares have too many matrices: only
 * the most orderly are tried.
 *
 * Source: attack suggested by the key space (Lin et al., "Chaotic Weights", IEEE TCAD 40(7), 2021; Dyson and Falk, Amer. Math. Monthly
 * 1992, on the map's period); Mukherjee and Chakraborty, IEEE TCAD 2023, break a chaotic encryption of weights.
 * Differs: ours; none of them has the partitions. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "attacks/lock/chaos_search_labels.h"
#include "attacks/lock/chaos_search_order.h"
#include "attacks/lock/chaos_search_square.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"

#define SURE 3   /* nats between the best candidate and the next: 20 to 1 */
#define DOUBT 50 /* nats of order that no image makes up for while a layer is put in order for the first time */

struct chaos_conf { int images, candidates, sweeps, order; };
static const struct opt chaos_opts[] = {
	{ "images", OPT_INT, offsetof(struct chaos_conf, images), "100", 0, 1000000, "labelled samples that say which candidate is better; 0: no search", NULL },
	{ "candidates", OPT_INT, offsetof(struct chaos_conf, candidates), "1200", 1, 100000000,
	  "matrices tried in a square, those of the most telling rows and columns first", NULL },
	{ "sweeps", OPT_INT, offsetof(struct chaos_conf, sweeps), "4", 1, 1000, "rounds over a layer's squares, and at the end over all, at most", NULL },
	{ "order", OPT_BOOL, offsetof(struct chaos_conf, order), "yes", 0, 0,
	  "rows and columns that differ in their weights' size and sign count beside the samples; off: the samples alone", NULL },
	{ 0 }
};

struct hunt {
	const struct chaos_conf *c;
	struct access *a;
	struct model *m;
	struct images v;
	struct tape *t;
	struct square *sq;
	int nsq;
	long trials;
	double bits;        /* log2 of all keys there are */
};

/* ---- what order and labels say ---- */

static bool is_weight(const struct param *w)
{
	return !w->buffer && w->nd >= 2;
}

/* Nats that the network's layers lie in order. */
static double order_now(const struct hunt *h)
{
	const struct param *end = h->m->p + h->m->np;
	double nats = 0;

	for (const struct param *w = h->m->p; w < end && h->c->order; w++)
		if (is_weight(w))
			nats += chaos_order(w) + chaos_links(w, end);
	return nats;
}

/* Those among them that hang on where the cells of w lie. */
static double order_around(const struct hunt *h, const struct param *w)
{
	const struct param *end = h->m->p + h->m->np, *before = w - 1;

	while (before >= h->m->p && !is_weight(before))
		before--;
	return chaos_order(w) + chaos_links(w, end) + (before >= h->m->p ? chaos_links(before, end) : 0);
}

/* What the labelled images say against the model as it is now, in nats, smaller is better: in front of `next` how badly activations tell
 * the classes apart (Gaussian, in the classes - 1 directions that can), or the cross entropy, >= 0, where that is NULL; INFINITY where the
 * answers are no numbers. 0, or -1 after error(). */
static int labels_now(struct hunt *h, const struct param *next, double *nats)
{
	const struct images *v = &h->v;
	struct node *x, *logits;
	const struct node *at;
	float *rows;
	int width;

	tape_reset(h->t);
	tape_grad_params(h->t, false);
	x = tape_input(h->t, v->n, v->c, v->h, v->w, false);
	node_load_images(x, v, 0);
	logits = h->m->arch->forward(h->m, x, false);
	at = next ? tape_input_of(h->t, next) : logits;
	width = at->c * at->h * at->w;
	rows = xmalloc((size_t)v->n * (size_t)width, sizeof(*rows));
	node_store_f32(at, rows);
	*nats = next ? 0.5 * (h->a->classes - 1) * log(chaos_disorder(rows, v, width, h->a->classes)) : chaos_cross_entropy(rows, v, width);
	*nats = isnan(*nats) ? INFINITY : *nats * v->n;
	free(rows);
	h->trials++;
	return access_spend(h->a, 0, v->n) < 0 ? -1 : 0;
}

/* The layer's order under each candidate of its square, which needs no image; new. */
static double *orders_of(const struct hunt *h, const struct square *s)
{
	double *order = xcalloc((size_t)s->ntry + 1, sizeof(*order));

	for (int i = 0; i < s->ntry && h->c->order; i++) {
		square_put_back(s, s->try[i]);
		order[i] = order_around(h, s->w);
	}
	return order;
}

/* Is a candidate of this order worth a look at the images, when `most` is the largest order of any, `score` is to be beaten and the other
 * layers' order is `rest`? Cross entropy is never below 0; that activations tell classes apart is weighed against order only where that
 * leaves a doubt. */
static bool worth_a_look(double order, double most, const struct param *next, double rest, double score)
{
	return next ? order >= most - DOUBT : -rest - order < score;
}

/* 1 when the square's best candidate changed, 0, or -1 after error(). fresh: whatever is best is taken; else what is better than *score,
 * that of the model as it is. */
static int search_square(struct hunt *h, struct square *s, const struct param *next, bool fresh, double *score)
{
	const double rest = order_now(h) - (h->c->order ? order_around(h, s->w) : 0);
	const struct sl2 before = s->best;
	double *order = orders_of(h, s), second = INFINITY, most = 0, now;
	int ret = interrupt_check();

	if (fresh)
		*score = INFINITY;
	for (int i = 0; i < s->ntry; i++)
		most = fmax(most, order[i]);
	for (int i = 0; i < s->ntry && !ret; i++) {
		if (!fresh && sl2_same(s->try[i], s->best))
			continue;
		if (!worth_a_look(order[i], most, next, rest, *score)) {
			second = next ? second : fmin(second, -rest - order[i]); /* at best: with a loss of 0 */
			continue;
		}
		square_put_back(s, s->try[i]);
		ret = labels_now(h, next, &now);
		now -= rest + order[i];
		if (now < *score) {
			second = *score;
			*score = now;
			s->best = s->try[i];
		} else if (now < second) {
			second = now;
		}
	}
	free(order);
	square_put_back(s, s->best);
	s->gap = second - *score;
	return ret ? -1 : fresh || !sl2_same(before, s->best);
}

/* The most orderly candidate of a square; did it change? */
static bool order_square(const struct hunt *h, struct square *s)
{
	const struct sl2 before = s->best;
	double *order = orders_of(h, s), second = -INFINITY;
	int best = 0;

	for (int k = 1; k < s->ntry; k++) {
		second = fmax(second, fmin(order[k], order[best]));
		best = order[k] > order[best] ? k : best;
	}
	s->best = s->try[best];
	s->gap = order[best] - second;
	s->doubt = s->gap < SURE;
	square_put_back(s, s->best);
	free(order);
	return !sl2_same(before, s->best);
}

/* All squares by order alone, which needs no label, until none moves. They are blank at first and filled one after the other, because a
 * square in disorder does more harm to its neighbours than one that is not there. */
static int settle_by_order(struct hunt *h)
{
	int moved = 1, ret = 0;

	for (int i = 0; i < h->nsq; i++)
		square_blank(&h->sq[i]);
	for (int sweep = 0; sweep < h->c->sweeps && moved && !ret; sweep++) {
		moved = 0;
		for (int i = 0; i < h->nsq && !ret; i++) {
			moved += order_square(h, &h->sq[i]) || !sweep;
			ret = interrupt_check();
		}
	}
	return ret;
}

/* Squares first .. end-1 by one score until none moves. fresh: only those in doubt, which are blank at first, as above. */
static int settle(struct hunt *h, int first, int end, const struct param *next, bool fresh, double *score)
{
	int moved = 1, ret = 0;

	for (int i = first; i < end && fresh; i++)
		if (h->sq[i].doubt)
			square_blank(&h->sq[i]);
	ret = labels_now(h, next, score);
	*score -= order_now(h);
	for (int sweep = 0; sweep < h->c->sweeps && moved && ret >= 0; sweep++) {
		moved = 0;
		for (int i = first; i < end && ret >= 0; i++) {
			if (fresh && !h->sq[i].doubt)
				continue;
			ret = search_square(h, &h->sq[i], next, fresh && !sweep, score);
			moved += ret > 0;
		}
	}
	return ret < 0 ? -1 : 0;
}

/* The layer whose input says how well the layers up to w are in order, NULL when that is the network's answer: behind w where nothing after
 * it is; the last one where all have been put in order as well as they can be without labels. */
static const struct param *judge_of(const struct hunt *h, const struct param *w)
{
	const struct param *judge = NULL;

	for (w++; w < h->m->p + h->m->np && (h->c->order || !judge); w++)
		if (is_weight(w) && tape_input_of(h->t, w))
			judge = w;
	return judge;
}

/* By order, which needs no label; then, layer by layer in the order of the forward pass, what that left in doubt; then everything once more
 * by the loss. */
static int search(struct hunt *h)
{
	struct progress bar;
	int ret = 0, end;
	double score;

	if (h->a->label)
		progress_start(&bar, h->a->label, 2.0 * h->nsq);
	if (h->c->order)
		ret = settle_by_order(h);
	for (int i = 0; i < h->nsq && !ret; i = end) {
		for (end = i + 1; end < h->nsq && h->sq[end].w == h->sq[i].w;)
			end++;
		ret = settle(h, i, end, judge_of(h, h->sq[i].w), true, &score);
		if (h->a->label)
			progress_step(&bar, end, NULL);
	}
	if (!ret)
		ret = settle(h, 0, h->nsq, NULL, false, &score);
	if (h->a->label)
		progress_end(&bar, ret < 0 ? "stopped" : NULL);
	return ret;
}

/* ---- squares, as what ships names them ---- */

/* Tensor "patch" i32 (T,5) of what ships: parameter, row, column, rows, columns. Patches that are no squares have no cat map. */
static void open_squares(struct hunt *h)
{
	size_t len = 0;
	const int32_t *t = bundle_i32(h->a->pub, "patch", &len);

	h->sq = xcalloc(len / 5 + 1, sizeof(*h->sq));
	for (size_t i = 0; t && i < len / 5; i++)
		if (square_fits(h->m, t + 5 * i)) {
			square_open(&h->sq[h->nsq], h->m, t + 5 * i, h->c->candidates);
			h->sq[h->nsq].doubt = true;
			h->bits += sl2_bits(h->sq[h->nsq++].n);
		}
}

static void close_squares(struct hunt *h)
{
	for (int i = 0; i < h->nsq; i++)
		square_close(&h->sq[i]);
	free(h->sq);
}

static void report(const struct hunt *h, json_t *notes, double before, double after)
{
	double least = INFINITY;
	int moved = 0, undecided = 0;

	for (int i = 0; i < h->nsq; i++) {
		least = fmin(least, h->sq[i].gap);
		undecided += h->sq[i].gap < SURE;
		moved += !sl2_same(h->sq[i].best, (struct sl2){ 1, 0, 0, 1 });
	}
	jset_int(notes, "squares", h->nsq);
	jset_int(notes, "squares_moved", moved);
	jset_int(notes, "undecided", undecided);
	jset_num(notes, "key_bits", h->bits);
	jset_int(notes, "trials", h->trials);
	jset_num(notes, "loss_before", before);
	jset_num(notes, "loss_after", after);
	jset_num(notes, "smallest_gap", least);
}

/* The squares that were searched, for the evaluator, who knows what they should be. */
static struct bundle *pieces_of(const struct hunt *h)
{
	struct bundle *kept = bundle_new();
	int32_t *t = bundle_put(kept, "pieces", DT_I32, 2, (const int64_t[]){ h->nsq, 5 }, NULL);

	for (int i = 0; i < h->nsq; i++, t += 5) {
		const struct square *s = &h->sq[i];

		memcpy(t, (const int32_t[]){ (int32_t)(s->w - h->m->p), s->row, s->col, s->n, s->n }, 5 * sizeof(*t));
	}
	return kept;
}

static int hunt(struct hunt *h, json_t *notes)
{
	double before, after;

	if (!h->nsq) {
		jset_str(notes, "nothing_to_do", "what ships names no squares whose cells a cat map moves");
		return 0;
	}
	if (access_spend(h->a, h->v.n, 0) < 0)
		return -1;
	if (labels_now(h, NULL, &before) < 0 || search(h) < 0 || labels_now(h, NULL, &after) < 0)
		return -1;
	report(h, notes, before / h->v.n, after / h->v.n);
	return 0;
}

static const char *chaos_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "nobody holds a key to this scheme";
}

static int chaos_run(struct access *a, const void *conf, struct product *p)
{
	struct hunt h = { .c = conf, .a = a };
	int ret = 0;

	if (!a->model || !a->pub || !a->labelled.n)
		return error(EXIT_UNEVALUABLE, "chaos-search: the deployed weights, what ships with them or labelled images were not granted");
	p->goal = GOAL_USE;
	p->notes = json_object();
	p->model = h.m = model_copy(a->model);
	h.v = images_first(a->labelled, h.c->images);
	if (!h.v.n)
		return 0;
	h.t = tape_new();
	open_squares(&h);
	ret = hunt(&h, p->notes);
	p->kept = h.nsq ? pieces_of(&h) : NULL;
	close_squares(&h);
	tape_free(h.t);
	return ret;
}

/* A layer is cut into about ten squares, each candidate of which is asked about all samples in each round. */
static double chaos_cost(const void *conf, const struct expected *e)
{
	const struct chaos_conf *c = conf;

	(void)e;
	return (c->order ? 24.0 : 12.0) * c->images * c->candidates * c->sweeps; /* order takes as long as the passes: 64 s for 53,647 of 100 */
}

const struct attack attack_chaos_search = {
	.drv = { .name = "chaos-search", .summary = "put cells that a cat map moved back, by search of SL2(Z_n) on a few labels",
		 .source = "ours, from the key space of Lin et al., \"Chaotic Weights\", IEEE TCAD 40(7), 2021; square by square. Differs: "
			   "candidates are told apart by the order of their rows and columns and by labels together; large squares are narrowed "
			   "down first to orderly partitions",
		 .version = 2, .conf_size = sizeof(struct chaos_conf), .opts = chaos_opts },
	.goal = GOAL_USE, .needs = CAP_WEIGHTS | CAP_WRITE | CAP_PARAM | CAP_ALGO | CAP_LABELLED, .strength = "images", .strength_up = 1,
	.tier = { "images=50 candidates=200", NULL, NULL }, .inapplicable = chaos_inapplicable,
	.cost = chaos_cost, .run = chaos_run, .finds = "squares whose cells a cat map moves",
};
