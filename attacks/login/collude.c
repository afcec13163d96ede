/* Users who put their credentials together, or lend them: the holder wants service without being named, or with another's name.
 *
 * Source: Xue et al., survey of active protection (2023), IV (collusion of users, sharing with outsiders); average, median and interleaving
 * are the linear and cut-and-paste attacks on fingerprints of Wu, Trappe, Wang, Liu, "Collusion-resistant fingerprinting for multimedia",
 * IEEE SPM 2004; majority and random choice are the strategies of Tardos, STOC 2003, on the bits of 8-bit values.
 * Differs: values of every kind of credential are mixed, not only images'; the differential attack is read as moving away from the others. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/kit/order.h"
#include "attacks/login/credential.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum method { METHOD_SHARE = ORDERS, METHOD_INTERLEAVE, METHOD_MAJORITY, METHOD_CHOICE, METHOD_SPLICE, METHOD_DIFFERENCE,
	      METHOD_BLEND }; /* behind those of order.h */
enum { PARTY_MAX = ORDER_MOST };

struct collude_conf { int method, colluders, draws, bits, steps; double share, gamma; };
#define AT(member) offsetof(struct collude_conf, member)
static const struct opt collude_opts[] = {
	{ "method", OPT_CHOICE, AT(method), "average", 0, 0, "what becomes of the colluders' values",
	  ORDER_NAMES "|share|interleave|majority|choice|splice|difference|blend" },
	{ "colluders", OPT_INT, AT(colluders), "2", 2, PARTY_MAX, "users who put theirs together (share: one lends his)", NULL },
	{ "draws", OPT_INT, AT(draws), "20", 1, 100000, "coalitions drawn at random; share: outsiders who get a copy", NULL },
	{ "share", OPT_FLOAT, AT(share), "1", 0, 1, "share of the values that are mixed, the others are the first colluder's", NULL },
	{ "bits", OPT_INT, AT(bits), "1", 1, 8, "majority, choice, splice: lowest bits of 8-bit values that are mixed", NULL },
	{ "gamma", OPT_FLOAT, AT(gamma), "2", 0, 100, "difference: 1 takes away what the first has beyond the others' mean, 2 mirrors it", NULL },
	{ "steps", OPT_INT, AT(steps), "32", 1, 10000, "blend: places between two credentials that are tried, a submission each", NULL },
	{ 0 }
};
#undef AT

/* ---- values ---- */

/* Bit b of the colluders' numbers. */
static long mixed_bit(const struct collude_conf *c, const long *v, int n, int b, struct rng *r)
{
	int ones = 0;

	for (int i = 0; i < n; i++)
		ones += (int)(v[i] >> b & 1);
	if (c->method == METHOD_SPLICE)
		return v[n - 1] >> b & 1;
	if (c->method == METHOD_MAJORITY && 2 * ones != n)
		return 2 * ones > n;
	return v[rng_below(r, (uint32_t)n)] >> b & 1;
}

/* The first colluder's number with its lowest bits mixed; values of images are steps of 1/scale. */
static double mixed_bits(const struct collude_conf *c, const double *v, int n, double scale, struct rng *r)
{
	long whole[PARTY_MAX], out;

	for (int i = 0; i < n; i++)
		whole[i] = lround(v[i] * scale);
	out = whole[0];
	for (int b = 0; b < c->bits; b++)
		out = (out & ~(1L << b)) | mixed_bit(c, whole, n, b, r) << b;
	return (double)out / scale;
}

static double mixed(const struct collude_conf *c, const double *v, int n, double scale, struct rng *r)
{
	if (c->method < ORDERS)
		return order_of((enum order)c->method, v, n);
	switch (c->method) {
	case METHOD_INTERLEAVE:
		return v[rng_below(r, (uint32_t)n)];
	case METHOD_DIFFERENCE:
		return v[0] - c->gamma * (v[0] - order_of(ORDER_MEAN, v + 1, n - 1));
	default:
		return mixed_bits(c, v, n, scale, r);
	}
}

/* ---- credentials ---- */

/* Credential i of p becomes the mixture of its party's. A value's stream is its own: more of them mixed changes none. */
static void mix(const struct access *a, const struct collude_conf *c, struct product *p, int i)
{
	const struct rng_key key = rng_key(a->seed, "collude mix");
	const int *party = p->party + (size_t)i * p->nparty;

	for (int k = 0; k < p->creds->nt; k++) {
		struct tensor *out = &p->creds->t[k];
		const struct tensor *in = &a->creds->t[k];
		const size_t len = credential_shared(out) ? 0 : out->len / (size_t)out->d[0];
		const bool image = !strcmp(out->name, "image") && out->dtype == DT_F32;
		struct rng r;

		rng_at(&r, key, (uint32_t)i, (uint32_t)k);
		for (size_t j = 0; j < len; j++) {
			const bool taken = rng_uniform(&r) < c->share;
			double v[PARTY_MAX], got;

			for (int u = 0; u < p->nparty; u++)
				v[u] = credential_value(in, (size_t)party[u] * len + j);
			got = c->method == METHOD_SHARE ? v[0] : mixed(c, v, p->nparty, image ? 255 : 1, &r);
			if (image)
				got = fmin(fmax(got, 0), 1);
			credential_set(out, (size_t)i * len + j, taken ? got : v[0]);
		}
	}
}

/* ---- two fingerprints ---- */

/* Of the places between x and y that the service accepts, the one nearest the middle, far from both; else the middle. What belongs to
 * neither end there is a third user's. 0, or -1 after error(). */
static int blend(struct access *a, const struct collude_conf *c, const float *x, const float *y, float *out)
{
	const int len = a->c * a->h * a->w, n = c->steps;
	float *all = xmalloc((size_t)len * n, sizeof(*all));
	unsigned char *accepted = xcalloc(n, 1);
	double best = INFINITY, at = 0.5;
	int ret;

	for (int k = 0; k < n; k++)
		for (int j = 0; j < len; j++)
			all[(size_t)k * len + j] = x[j] + (float)(k + 1) / (float)(n + 1) * (y[j] - x[j]);
	ret = access_submit(a, all, n, accepted);
	for (int k = 0; k < n && !ret; k++) {
		const double place = (double)(k + 1) / (n + 1);

		if (accepted[k] && fabs(place - 0.5) < best) {
			best = fabs(place - 0.5);
			at = place;
		}
	}
	for (int j = 0; j < len; j++)
		out[j] = x[j] + (float)(c->share * at) * (y[j] - x[j]);
	free(all);
	free(accepted);
	return ret;
}

static int blend_all(struct access *a, const struct collude_conf *c, struct product *p)
{
	const float *x = bundle_f32(a->creds, "image", NULL);
	const size_t len = (size_t)a->c * a->h * a->w;
	float *out = (float *)bundle_get(p->creds, "image", DT_F32)->data;
	int ret = 0;

	for (int i = 0; i < p->ncreds && !ret; i++)
		ret = blend(a, c, x + len * p->party[i * p->nparty], x + len * p->party[i * p->nparty + 1], out + len * i);
	return ret;
}

/* ---- hooks ---- */

static unsigned collude_needs(const void *conf)
{
	return CAP_CRED | (((const struct collude_conf *)conf)->method == METHOD_BLEND ? CAP_DECISION : 0);
}

static const char *collude_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "the scheme has no credentials to put together";
}

/* Who colludes in each draw, the first lends what is not mixed. */
static void draw_parties(const struct access *a, struct product *p)
{
	int *order = xmalloc(a->ncreds, sizeof(*order));
	struct rng r;

	p->party = xmalloc((size_t)p->ncreds * p->nparty, sizeof(*p->party));
	for (int i = 0; i < p->ncreds; i++) {
		rng_open(&r, a->seed, "collude party", (uint32_t)i, 0);
		rng_permutation(&r, order, a->ncreds);
		memcpy(p->party + (size_t)i * p->nparty, order, (size_t)p->nparty * sizeof(*order));
	}
	for (int i = 1; i < p->ncreds && p->nparty == 1; i++)
		p->party[i] = p->party[0]; /* one lends his to all */
	free(order);
}

static int collude_run(struct access *a, const void *conf, struct product *p)
{
	const struct collude_conf *c = conf;
	const int most = c->method == METHOD_SHARE ? 1 : c->method == METHOD_BLEND ? 2 : c->colluders;
	int ret = 0;

	if (!a->ncreds)
		return error(EXIT_UNEVALUABLE, "collude: no credentials were granted");
	p->goal = GOAL_DISOWN;
	p->ncreds = c->draws;
	p->nparty = most < a->ncreds ? most : a->ncreds;
	if (p->nparty < most && p->nparty < 2)
		p->inapplicable = "there is one user only: nobody to collude with";
	else if (c->method == METHOD_BLEND && !bundle_get(a->creds, "image", DT_F32))
		p->inapplicable = "credentials are no images, there is nothing between two of them to submit";
	if (p->inapplicable)
		return 0;
	p->creds = credential_blank(a->creds, p->ncreds);
	draw_parties(a, p);
	if (c->method == METHOD_BLEND)
		ret = blend_all(a, c, p);
	for (int i = 0; i < p->ncreds && c->method != METHOD_BLEND; i++)
		mix(a, c, p, i);
	p->notes = json_object();
	jset_int(p->notes, "colluders", p->nparty);
	return ret;
}

const struct attack attack_collude = {
	.drv = { .name = "collude", .summary = "users put their credentials together, or lend them",
		 .source = "Xue et al., survey of active protection (2023), IV; Wu, Trappe, Wang, Liu, IEEE SPM 2004; Tardos, STOC 2003. "
			   "Differs: on credentials of every kind; coalitions are drawn at random only",
		 .version = 1, .conf_size = sizeof(struct collude_conf), .opts = collude_opts },
	.goal = GOAL_DISOWN, .needs = CAP_CRED, .strength = "share", .strength_up = 1, .needs_for = collude_needs,
	.inapplicable = collude_inapplicable, .run = collude_run, .finds = "several users; blend: credentials that are images",
};
