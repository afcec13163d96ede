/* Repair: find the few weights that somebody disturbed and put something plausible in their place. Against locks that spoil a network by
 * a handful of changed weights, and marks that stand out.
 *
 *   outlier   |w - median| / (1.4826 MAD) of its tensor over `z`: the median takes its place, the farthest ones' first
 *   clip      into the tensor's quantiles share and 1 - share
 *   gradient  the `share` of all weights with the largest |dL/dw| on labelled images are trained, all others stand still
 *
 * Source: Xue et al., "AdvParams", and Zhou et al., "NNSplitter", ICML 2023, the schemes it is meant for (clipping and fine-tuning as in
 * their own robustness sections); outliers by the median absolute deviation: Hampel 1974. Differs: gradient search by Adam on the chosen
 * weights, not line by line. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "attacks/kit/tune.h"
#include "attacks/kit/weights.h"
#include "base/error.h"
#include "base/json.h"
#include "nn/ops.h"

enum { METHOD_OUTLIER, METHOD_CLIP, METHOD_GRADIENT };
#define MAD_TO_SIGMA 1.4826

struct repair_conf { int method, which, images, epochs; double share, z, lr; };
#define AT(member) offsetof(struct repair_conf, member)
static const struct opt repair_opts[] = {
	{ "share", OPT_FLOAT, AT(share), "0.001", 0, 0.5,
	  "of a tensor's weights that may be replaced at either end, the most outlying; gradient: of all weights, that is trained", NULL },
	{ "method", OPT_CHOICE, AT(method), "outlier", 0, 0, "which weights, and what becomes of them", "outlier|clip|gradient" },
	{ "z", OPT_FLOAT, AT(z), "4", 0.1, 1000, "outlier: how many standard deviations (by the MAD) are too many", NULL },
	WEIGHTS_ROW(struct repair_conf, which),
	{ "images", OPT_INT, AT(images), "1000", 1, 1000000, "gradient: labelled images", NULL },
	{ "epochs", OPT_INT, AT(epochs), "10", 1, 10000, "gradient: passes over them", NULL },
	{ "lr", OPT_FLOAT, AT(lr), "0.01", 0, 10, "gradient: Adam's rate", NULL },
	{ 0 }
};
#undef AT

/* Sorted copy of |x - centre|, or of x where absolute is false; the caller frees. */
static double *sorted(const struct param *p, double centre, bool absolute)
{
	double *v = xmalloc(p->len, sizeof(*v));

	for (size_t i = 0; i < p->len; i++)
		v[i] = absolute ? fabs((double)p->x[i] - centre) : (double)p->x[i];
	sort_ascending(v, p->len);
	return v;
}

static size_t straighten(const struct repair_conf *c, struct param *p)
{
	double *v = sorted(p, 0, false), *d;
	const double middle = v[p->len / 2];
	size_t edge = (size_t)ceil(c->share * (double)p->len), changed = 0;
	double low, high, far;

	edge = edge < (p->len - 1) / 2 ? edge : (p->len - 1) / 2;
	low = v[edge];
	high = v[p->len - 1 - edge];

	if (c->method == METHOD_OUTLIER) {
		d = sorted(p, middle, true);
		far = fmax(c->z * MAD_TO_SIGMA * d[p->len / 2], d[p->len - 1 - edge]);
		low = middle - far;
		high = middle + far;
		free(d);
	}
	for (size_t i = 0; i < p->len; i++) {
		const double x = (double)p->x[i], to = x >= low && x <= high ? x : c->method == METHOD_OUTLIER ? middle : x < low ? low : high;

		changed += to != x;
		p->x[i] = (real)to;
	}
	free(v);
	return changed;
}

/* ---- by gradients ---- */

struct chosen { unsigned char *trained; /* (ng) */ };

/* Adam never moves what never had a gradient. */
static double only_chosen(void *ctx, struct model *m)
{
	const struct chosen *k = ctx;

	for (size_t i = 0; i < m->ng; i++)
		if (!k->trained[i])
			m->g[i] = 0;
	return 0;
}

/* |dL/dw| of the mean loss over v: g (ng). */
static void slopes(struct model *m, const struct images *v, double *g)
{
	struct tape *t = tape_new();
	struct node *x = tape_input(t, v->n, v->c, v->h, v->w, false);
	int *label = xmalloc((size_t)v->n, sizeof(*label));

	node_load_images(x, v, 0);
	for (int i = 0; i < v->n; i++)
		label[i] = images_label(v, i);
	model_zero_grad(m);
	tape_backward(t, op_cross_entropy(m->arch->forward(m, x, false), label, 0));
	for (size_t i = 0; i < m->ng; i++)
		g[i] = fabs((double)m->g[i]);
	free(label);
	tape_free(t);
}

static int train_few(struct access *a, const struct repair_conf *c, struct model *m, size_t *changed)
{
	const struct images v = images_first(a->labelled, c->images), first = images_first(v, 256);
	struct chosen k = { xcalloc(m->ng, 1) };
	const struct tune t = { .purpose = "repair", .hooks = { .ctx = &k, .extra_loss = only_chosen, .still = true },
				.train = { .epochs = c->epochs, .batch = 64, .optimizer = OPTIM_ADAM, .lr = c->lr, .schedule = SCHEDULE_CONSTANT } };
	double *g = xmalloc(m->ng, 2 * sizeof(*g)), *order = g + m->ng, least;
	size_t want = (size_t)ceil(c->share * (double)m->ng);
	int ret;

	slopes(m, &first, g);
	memcpy(order, g, m->ng * sizeof(*g));
	sort_ascending(order, m->ng);
	least = order[m->ng - want];
	for (size_t i = 0; i < m->ng; i++)
		*changed += k.trained[i] = g[i] >= least && g[i] > 0;
	ret = access_spend(a, 0, 3.0 * first.n);
	if (!ret)
		ret = tune(a, m, &v, v.n, &t);
	free(g);
	free(k.trained);
	return ret;
}

static unsigned repair_needs(const void *conf)
{
	return CAP_WEIGHTS | CAP_WRITE | (((const struct repair_conf *)conf)->method == METHOD_GRADIENT ? CAP_LABELLED | CAP_GRADX : 0);
}

static int repair_run(struct access *a, const void *conf, struct product *p)
{
	const struct repair_conf *c = conf;
	size_t changed = 0;
	int ret = 0;

	if (!a->model || (c->method == METHOD_GRADIENT && !a->labelled.n))
		return error(EXIT_UNEVALUABLE, "repair: the deployed model or labelled images were not granted");
	p->goal = GOAL_REMOVE;
	p->model = model_copy(a->model);
	p->notes = json_object();
	if (c->share > 0 && c->method == METHOD_GRADIENT)
		ret = train_few(a, c, p->model, &changed);
	for (int i = 0; i < p->model->np && c->share > 0 && c->method != METHOD_GRADIENT; i++)
		if (weights_counted(&p->model->p[i], c->which))
			changed += straighten(c, &p->model->p[i]);
	jset_int(p->notes, "weights_changed", (long long)changed);
	if (!changed)
		jset_str(p->notes, "nothing_to_do", "no weight stands out");
	return ret;
}

static double repair_cost(const void *conf, const struct expected *e)
{
	const struct repair_conf *c = conf;
	const double n = c->images < e->pool ? c->images : e->pool;

	return c->method == METHOD_GRADIENT ? 3 * n * c->epochs : 0;
}

const struct attack attack_repair = {
	.drv = { .name = "repair", .summary = "find disturbed weights and put something plausible in their place",
		 .source = "AdvParams; NNSplitter (ICML 2023), as the schemes it is meant for; Hampel 1974 (outliers). Differs: gradient search by "
			   "Adam on the chosen weights",
		 .version = 1, .conf_size = sizeof(struct repair_conf), .opts = repair_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "share", .strength_up = 1,
	.tier = { NULL, NULL, NULL }, .needs_for = repair_needs, .run = repair_run,
	.cost = repair_cost, .search = "z=3,4,5,6 lr=0.003,0.01,0.03",
};
