/* Forgery of logins that are images of a secret class with an identity in their lowest bits, by what the forger knows: nothing, the class,
 * the way identities are hidden, or somebody's login.
 *
 * Source: Xue et al., survey of active protection (2023), IV, argues that safety lies in the secrecy of class, algorithm and format; Xue, Sun
 * et al., Applied Intelligence 52 (2022), and Sun et al., arXiv 2104.09203, are the schemes.
 * Differs: the ladder of knowledge is ours. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "attacks/kit/evasion.h"
#include "attacks/login/forge_stego_identity.h"
#include "attacks/login/forge_stego_ood.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "nn/craft.h"

enum level { LEVEL_OOD, LEVEL_CLASS, LEVEL_PAYLOAD, LEVEL_REPLAY, LEVEL_LIFT, LEVEL_FLIP };
enum cover { COVER_AUTO, COVER_NOISE, COVER_FRACTAL, COVER_STROKES, COVER_NEGATIVE, COVER_POOL, COVER_CRAFTED, COVER_LEAKED, COVER_MOVED };
enum { CRAFT_PGD, CRAFT_STRONGEST };

struct stego_conf { int level, cover, tries, param, leaked, ids, craft, pgd_steps, apgd_steps, queries; double eps, pgd_step; };
#define AT(member) offsetof(struct stego_conf, member)
static const struct opt stego_opts[] = {
	{ "level", OPT_CHOICE, AT(level), "ood", 0, 0,
	  "what is forged: images of no task, images of the secret class, identities, or a leaked login used again, lifted or altered",
	  "ood|class|payload|replay|lift|flip" },
	{ "cover", OPT_CHOICE, AT(cover), "auto", 0, 0,
	  "the image; auto: ood takes noise, fractal, strokes, negative in turn, class and payload crafted, lift moved, flip leaked",
	  "auto|noise|fractal|strokes|negative|pool|crafted|leaked|moved" },
	{ "tries", OPT_INT, AT(tries), "300", 0, 1000000, "forged logins", NULL },
	{ "param", OPT_BOOL, AT(param), "0", 0, 0, "payload, lift, flip: knows what ships, and so where the bits lie", NULL },
	{ "leaked", OPT_INT, AT(leaked), "0", 0, 1000000, "replay, lift, flip: whose login leaked, modulo users", NULL },
	{ "ids", OPT_INT, AT(ids), "30", 1, 1000000, "payload, flip: numbers of users to try in turn, from 0", NULL },
	{ "eps", OPT_FLOAT, AT(eps), "0.3", 0, 1, "crafted: largest change of a pixel", NULL },
	{ "craft", OPT_CHOICE, AT(craft), "pgd", 0, 0, "crafted: by PGD, or by the union of APGD on two losses and Square", "pgd|strongest" },
	{ "apgd-steps", OPT_INT, AT(apgd_steps), "100", 0, 10000, "strongest: steps of each APGD", NULL },
	{ "queries", OPT_INT, AT(queries), "1000", 0, 1000000, "strongest: questions of Square, an image", NULL },
	{ "pgd-steps", OPT_INT, AT(pgd_steps), "60", 1, 10000, "crafted: steps towards the secret class", NULL },
	{ "pgd-step", OPT_FLOAT, AT(pgd_step), "0.01", 0, 1, "crafted: length of a step", NULL },
	{ 0 }
};
#undef AT

/* ---- what is needed ---- */

static int cover_of(const struct stego_conf *c)
{
	if (c->level == LEVEL_REPLAY)
		return COVER_LEAKED;
	if (c->level == LEVEL_CLASS)
		return COVER_CRAFTED;
	if (c->cover != COVER_AUTO || c->level == LEVEL_OOD)
		return c->cover;
	return c->level == LEVEL_PAYLOAD ? COVER_CRAFTED : c->level == LEVEL_LIFT ? COVER_MOVED : COVER_LEAKED;
}

/* Does it write bits, and so care where? */
static bool writes(const struct stego_conf *c)
{
	return c->level == LEVEL_PAYLOAD || c->level == LEVEL_LIFT || c->level == LEVEL_FLIP;
}

static unsigned stego_needs(const void *conf)
{
	const struct stego_conf *c = conf;
	unsigned needs = 0;

	switch (cover_of(c)) {
	case COVER_AUTO:
	case COVER_NEGATIVE:
	case COVER_POOL:
		needs = CAP_UNLABELLED;
		break;
	case COVER_CRAFTED:
		needs = CAP_UNLABELLED | CAP_WEIGHTS | CAP_GRADX;
		break;
	case COVER_LEAKED:
	case COVER_MOVED:
		needs = CAP_CRED;
	}
	if (c->level >= LEVEL_REPLAY)
		needs |= CAP_CRED;
	if (writes(c))
		needs |= CAP_ALGO | (c->param ? CAP_PARAM : 0);
	return needs;
}

static const char *stego_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)conf, (void)has_ownership;
	return has_users ? NULL : "the scheme has no credentials to forge";
}

/* ---- covers ---- */

/* How many images each of the attacks in the union brought there. */
static int craft_strongest(struct access *a, const struct stego_conf *c, struct model *m, float *x, const int *y, int n, json_t *notes)
{
	const struct strongest_conf s = { .eps = c->eps, .steps = c->apgd_steps, .queries = c->queries };
	int *by = xmalloc((size_t)n + 1, sizeof(*by)), count[STRONGEST_BY_SQUARE + 1] = { 0 };
	double fe = 0;
	const int ret = strongest_union(m, x, y, n, &s, rng_derive(a->seed, "forge-stego union"), by, &fe);

	for (int i = 0; i < n && !ret; i++)
		count[by[i]]++;
	jset_int(notes, "resisted", count[STRONGEST_NONE]);
	jset_int(notes, "by_apgd_ce", count[STRONGEST_BY_CE]);
	jset_int(notes, "by_apgd_dlr", count[STRONGEST_BY_DLR]);
	jset_int(notes, "by_square", count[STRONGEST_BY_SQUARE]);
	free(by);
	return ret ? ret : access_spend(a, 0, fe);
}

/* Towards the last output, which no class of the task has. */
static int craft_covers(struct access *a, const struct stego_conf *c, float *x, int n, json_t *notes)
{
	const struct pgd_conf pgd = { .eps = c->eps, .step = c->pgd_step, .steps = c->pgd_steps, .random_start = 1, .targeted = 1 };
	struct model *m = model_copy(a->model);
	int *y = xmalloc((size_t)n + 1, sizeof(*y)), ret;

	for (int i = 0; i < n; i++)
		y[i] = model_outputs(m) - 1;
	if (c->craft == CRAFT_STRONGEST) {
		ret = craft_strongest(a, c, m, x, y, n, notes);
	} else {
		ret = craft_pgd(m, x, y, n, &pgd, rng_derive(a->seed, "forge-stego craft"));
		if (!ret)
			ret = access_spend(a, 0, 2.0 * n * c->pgd_steps);
	}
	free(y);
	model_free(m);
	return ret;
}

/* The leaked image by one or two pixels elsewhere in some direction, its border repeated. */
static void move(const struct access *a, const float *from, struct rng *r, float *out)
{
	const int to = (int)rng_below(r, 24), at = to + (to >= 12); /* of 5 x 5 places not the middle one */
	const int dx = at % 5 - 2, dy = at / 5 - 2;

	for (int k = 0; k < a->c; k++)
		for (int y = 0; y < a->h; y++)
			for (int x = 0; x < a->w; x++) {
				const int v = y + dy < 0 ? 0 : y + dy >= a->h ? a->h - 1 : y + dy;
				const int u = x + dx < 0 ? 0 : x + dx >= a->w ? a->w - 1 : x + dx;

				out[(k * a->h + y) * a->w + x] = from[(k * a->h + v) * a->w + u];
			}
}

static int draw_cover(const struct access *a, int kind, const float *leaked, int i, float *out)
{
	const struct rng_key key = rng_key(a->seed, "forge-stego cover");
	const int len = a->c * a->h * a->w;
	struct rng r;

	rng_at(&r, key, (uint32_t)i, 0);
	if (kind == COVER_AUTO)
		kind = COVER_NOISE + i % 4;
	if (kind <= COVER_STROKES) {
		ood_draw((enum ood)(kind - COVER_NOISE), &r, a->c, a->h, a->w, out);
	} else if (kind == COVER_LEAKED) {
		memcpy(out, leaked, (size_t)len * sizeof(*out));
	} else if (kind == COVER_MOVED) {
		move(a, leaked, &r, out);
	} else {
		if (!a->unlabelled.n)
			return error(EXIT_UNEVALUABLE, "forge-stego: no images were granted");
		images_get(&a->unlabelled, (int)rng_below(&r, (uint32_t)a->unlabelled.n), out);
		for (int j = 0; j < len && kind == COVER_NEGATIVE; j++)
			out[j] = 1 - out[j];
	}
	return 0;
}

/* ---- identities ---- */

/* Login i of px: what its rung writes; whom it claims to be, -1: whoever. own is the leaker. */
static int write_identity(const struct stego_conf *c, uint8_t *px, const uint8_t *leaked, const struct identity_place *p, int i, int own)
{
	int id = i % c->ids;

	if (c->level == LEVEL_REPLAY)
		return own;
	if (c->level == LEVEL_LIFT) {
		identity_lift(px, leaked, p);
		return own;
	}
	if (c->level == LEVEL_FLIP) {
		id += id == own;
		identity_lift(px, leaked, p);
		/* A longer seal needs a key: the leaker's is left behind an altered number. */
		identity_hide(px, p, p->crc ? IDENTITY_ALL : IDENTITY_HEAD, (uint32_t)id);
	} else {
		identity_hide(px, p, IDENTITY_ALL, (uint32_t)id);
	}
	return p->known ? id : -1;
}

/* ---- hooks ---- */

static void write_all(const struct stego_conf *c, const struct identity_place *where, const float *leaked, int own, struct product *p, float *x,
		      int len)
{
	uint8_t *px = xmalloc((size_t)len, 1), *from = xcalloc((size_t)len, 1);

	if (leaked)
		image_bytes(leaked, (size_t)len, from);
	for (int i = 0; i < p->ncreds; i++, x += len) {
		image_bytes(x, (size_t)len, px);
		if (c->level >= LEVEL_PAYLOAD)
			p->claimed[i] = write_identity(c, px, from, where, i, own);
		image_floats(px, (size_t)len, x);
	}
	free(px);
	free(from);
}

/* Why the rung says nothing of this scheme; NULL: it does. */
static const char *pointless(const struct access *a, const struct stego_conf *c)
{
	if (cover_of(c) == COVER_CRAFTED && a->model && model_outputs(a->model) <= a->classes)
		return "the network has no class beyond the task's";
	if (a->ncreds && !bundle_get(a->creds, "image", DT_F32))
		return "credentials are no images";
	return NULL;
}

static int forge(struct access *a, const struct stego_conf *c, const struct identity_place *where, struct product *p)
{
	const int len = a->c * a->h * a->w, own = a->ncreds ? c->leaked % a->ncreds : 0;
	const float *leaked = a->ncreds ? bundle_f32(a->creds, "image", NULL) + (size_t)own * len : NULL;
	float *x = bundle_put(p->creds, "image", DT_F32, 4, (int64_t[]){ p->ncreds, a->c, a->h, a->w }, NULL);
	int ret = 0;

	for (int i = 0; i < p->ncreds && !ret; i++)
		ret = draw_cover(a, cover_of(c), leaked, i, x + (size_t)i * len);
	if (!ret && cover_of(c) == COVER_CRAFTED && p->ncreds)
		ret = craft_covers(a, c, x, p->ncreds, p->notes);
	if (ret)
		return ret;
	if (c->level >= LEVEL_PAYLOAD)
		p->claimed = xmalloc((size_t)p->ncreds + 1, sizeof(*p->claimed));
	write_all(c, where, leaked, own, p, x, len);
	return 0;
}

static int stego_run(struct access *a, const void *conf, struct product *p)
{
	const struct stego_conf *c = conf;
	struct identity_place where = { 0 };
	int ret;

	if (cover_of(c) == COVER_CRAFTED && !a->model)
		return error(EXIT_UNEVALUABLE, "forge-stego: the deployed model was not granted");
	if (c->level >= LEVEL_REPLAY && !a->ncreds)
		return error(EXIT_UNEVALUABLE, "forge-stego: no leaked credential was granted");
	p->goal = GOAL_IMPERSONATE;
	p->notes = json_object();
	p->creds = bundle_new();
	p->ncreds = c->tries;
	p->inapplicable = pointless(a, c);
	if (!p->inapplicable && writes(c) && identity_place_open(a, c->param, &where) < 0)
		p->inapplicable = "what ships tells no places of hidden bits";
	ret = p->inapplicable ? 0 : forge(a, c, &where, p);
	jset_int(p->notes, "forged", p->ncreds);
	identity_place_close(&where);
	return ret;
}

static double stego_cost(const void *conf, const struct expected *e)
{
	const struct stego_conf *c = conf;

	(void)e;
	if (cover_of(c) == COVER_CRAFTED && c->craft == CRAFT_STRONGEST)
		return (double)c->tries * (5.0 * c->apgd_steps + c->queries);
	return cover_of(c) == COVER_CRAFTED ? 3.5 * c->tries * c->pgd_steps : c->tries;
}

const struct attack attack_forge_stego = {
	.drv = { .name = "forge-stego", .summary = "forge images of a secret class with hidden identities, rung by rung of knowledge",
		 .source = "Xue et al., survey of active protection (2023), IV; Xue, Sun et al., Applied Intelligence 52 (2022). "
			   "Differs: the ladder is ours",
		 .version = 1, .conf_size = sizeof(struct stego_conf), .opts = stego_opts },
	.goal = GOAL_IMPERSONATE, .needs = 0, .strength = "tries", .strength_up = 1, .tier = { "tries=100", NULL, "tries=10000" },
	.needs_for = stego_needs, .cost = stego_cost, .inapplicable = stego_inapplicable, .run = stego_run,
	.finds = "a class beyond the task's, or places of hidden bits in images",
};
