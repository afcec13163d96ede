/* Judging credentials that users made together, or lent: do they work, whom does the service take their holder for, and what
 * comes of revoking that user? See judge.h. */
#include <string.h>

#include "base/error.h"
#include "bench/judge.h"
#include "schemes/kit/creds.h"

#define REVOKED 20 /* products that are followed up at most, a revocation each */

/* ---- did the colluders do anything? ---- */

/* Is credential i of a bit for bit credential k of b? Both have the same form. */
static bool same_row(const struct bundle *a, int i, const struct bundle *b, int k)
{
	struct bundle *x = creds_range(a, i, 1), *y = creds_range(b, k, 1);
	char one[65], other[65];

	json_object_clear(x->meta);
	json_object_clear(y->meta);
	bundle_hash(x, one);
	bundle_hash(y, other);
	bundle_free(x);
	bundle_free(y);
	return !strcmp(one, other);
}

/* A credential of one user is lent as it is; one of several that is some colluder's own was not made together. */
static int share_made(const struct setup *s, const struct product *p)
{
	const bool same = creds_same_form(p->creds, s->creds);
	int made = 0;

	for (int i = 0; i < p->ncreds; i++) {
		bool own = false;

		for (int k = 0; same && p->nparty > 1 && k < p->nparty && !own; k++)
			own = same_row(p->creds, i, s->creds, p->party[i * p->nparty + k] * s->per_user);
		made += !own;
	}
	return made;
}

/* ---- whom they name ---- */

static bool in_party(const struct product *p, int i, int user)
{
	for (int k = 0; k < p->nparty; k++)
		if (p->party[i * p->nparty + k] == user)
			return true;
	return false;
}

static void observe_named(const struct setup *s, const struct product *p, const unsigned char *accepted, const int *user,
			  struct observations *o)
{
	const int n = p->ncreds;
	unsigned char *traced = xcalloc((size_t)n + 1, 1), *framed = xcalloc((size_t)n + 1, 1), *nobody = xcalloc((size_t)n + 1, 1);

	for (int i = 0; i < n; i++) {
		const bool exists = user[i] >= 0 && user[i] < s->users;

		traced[i] = accepted[i] && exists && in_party(p, i, user[i]);
		framed[i] = accepted[i] && exists && !traced[i];
		nobody[i] = accepted[i] && !exists;
	}
	obs_bits(o, "colluded_accepted", accepted, n);
	obs_bits(o, "colluded_traced", traced, n);
	obs_bits(o, "colluded_framed", framed, n);
	obs_bits(o, "colluded_nobody", nobody, n);
	free(traced);
	free(framed);
	free(nobody);
}

/* ---- and what revoking them does ---- */

/* Revoke user: still (1) whether credential i of p is accepted then; refused (*n more) the valid credentials of users outside its
 * coalition that are not. */
static int revoke_one(const struct judge *j, const struct product *p, int i, int user, unsigned char *still, unsigned char *refused,
		      size_t *n)
{
	const struct setup *s = j->s;
	struct service v = j->service;
	struct bundle *one = creds_range(p->creds, i, 1), *others = creds_rows(s->creds, j->row, j->nrows, false);
	unsigned char *accepted = xcalloc((size_t)j->nrows + 1, 1);
	struct locked copy;
	int ret = judge_revoke(s, user, &copy);

	v.model = copy.model;
	v.pub = copy.pub;
	if (!ret)
		ret = judge_creds(s, &v, one, 1, still, NULL, NULL);
	if (!ret)
		ret = judge_creds(s, &v, others, j->nrows, accepted, NULL, NULL);
	for (int k = 0; k < j->nrows && !ret; k++)
		if (j->accepted[j->row[k]] && !in_party(p, i, j->row[k] / s->per_user))
			refused[(*n)++] = !accepted[k];
	free(accepted);
	bundle_free(one);
	bundle_free(others);
	locked_release(&copy);
	return ret;
}

static int observe_revoking(const struct judge *j, const struct product *p, const unsigned char *accepted, const int *user,
			    struct observations *o)
{
	unsigned char still[REVOKED], *refused = xcalloc((size_t)REVOKED * j->nrows + 1, 1);
	size_t innocents = 0;
	int n = 0, ret = 0;

	for (int i = 0; i < p->ncreds && n < REVOKED && !ret; i++)
		if (accepted[i] && user[i] >= 0 && user[i] < j->s->users)
			ret = revoke_one(j, p, i, user[i], &still[n++], refused, &innocents);
	if (!ret && n) {
		obs_bits(o, "colluded_revoked_accepted", still, (size_t)n);
		obs_bits(o, "collusion_collateral", refused, innocents);
	}
	free(refused);
	return ret;
}

int judge_disown(const struct judge *j, const struct product *p, struct observations *o, int *changed)
{
	const struct setup *s = j->s;
	unsigned char *accepted = xcalloc((size_t)p->ncreds + 1, 1);
	int *user = xmalloc((size_t)p->ncreds + 1, sizeof(*user));
	int ret;

	BUG_ON(!s->creds || p->nparty < 1);
	*changed = share_made(s, p) > 0;
	ret = judge_creds(s, &j->service, p->creds, p->ncreds, accepted, user, NULL);
	if (!ret) {
		observe_named(s, p, accepted, user, o);
		if (s->scheme->revoke)
			ret = observe_revoking(j, p, accepted, user, o);
	}
	free(accepted);
	free(user);
	return ret;
}
