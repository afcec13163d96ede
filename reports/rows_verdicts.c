/* What became of a cell, in a word; what an attack did on the unprotected network is part of that. See rows.h. */
#include "reports/rows_parts.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/evidence.h"

static const struct { const char *stored, *shown; } verdicts[] = {
	{ "ok", "OK" }, { "noop", "NOOP" }, { "n/a", "N/A" }, { "scheme-untrained", "SCHEME-UNTRAINED" },
	{ "failed", "FAILED" }, { "timeout", "TIMEOUT" }, { "crashed", "CRASHED" },
	{ "attack-broken", "ATTACK-BROKEN" }, { "over-budget", "OVER-BUDGET" },
};

static const char *shown(const char *stored)
{
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (!strcmp(verdicts[i].stored, stored))
			return verdicts[i].shown;
	return *stored ? stored : "OK";
}

/* Why the attack is broken for this seed, or NULL: what it did to the unprotected control. */
static const char *broken(const struct rows *r, const struct group *g, long long seed)
{
	for (int i = 0; i < r->nall; i++) {
		const struct group *h = &r->group[i];

		if (h->context != g->context || h->series != g->series || strcmp(h->attack_key, g->attack_key) ||
		    strcmp(r->context[h->context].scheme[h->scheme].name, "none"))
			continue;
		for (int k = 0; k < h->nfailures; k++)
			if (rows_seed(h->failure[k]) == seed)
				return "it fails on the unprotected control too";
		for (int k = 0; k < h->ncells; k++)
			if (rows_seed(h->cell[k]) == seed && !strcmp(jget_str(h->cell[k], "verdict", ""), "noop") &&
			    !(h->has_strength && h->strength == 0))
				return "it changes nothing on the unprotected control either";
	}
	return NULL;
}

/* Forged credentials only: other attacks' values have intervals of hundreds of test images. */
static bool underpowered(const json_t *cell)
{
	const json_t *m = json_object_get(json_object_get(cell, "metrics"), "forgery_acceptance");
	const long n = (long)jget_int(m, "n", 0);

	return n > 0 && attempts_decide((long)jget_int(m, "k", 0), n) == ATTEMPTS_TOO_FEW;
}

const char *group_verdict(const struct rows *r, const struct group *g, int i, const char **why)
{
	const json_t *j = i < g->ncells ? g->cell[i] : g->failure[i - g->ncells];
	const char *verdict = jget_str(j, "verdict", i < g->ncells ? "ok" : "failed"), *reason;

	*why = jget_str(j, "why", "");
	if (g->series < 0 || !strcmp(verdict, "n/a") || !strcmp(verdict, "scheme-untrained") ||
	    !strcmp(r->context[g->context].scheme[g->scheme].name, "none"))
		return shown(verdict);
	reason = broken(r, g, rows_seed(j));
	if (!reason && !strcmp(verdict, "ok") && i < g->ncells && underpowered(j)) {
		*why = "too few attempts to say whether the lock holds";
		return "UNDERPOWERED";
	}
	if (!reason)
		return shown(verdict);
	*why = reason;
	return "ATTACK-BROKEN";
}

const char *group_verdicts(struct rows *r, const struct group *g)
{
	int total = g->ncells + g->nfailures;
	const char *text = "", *why;

	for (int i = 0; i < total; i++) {
		const char *v = group_verdict(r, g, i, &why);
		int count = 0;
		bool seen = false;

		for (int k = 0; k < total; k++) {
			bool same = !strcmp(group_verdict(r, g, k, &why), v);

			seen |= same && k < i;
			count += same;
		}
		if (seen)
			continue;
		if (count == total)
			return v;
		text = arena_printf(&r->mem, "%s%s%s %d", text, *text ? ", " : "", v, count);
	}
	return text;
}

bool group_sound(const struct rows *r, const struct group *g)
{
	const char *why;

	for (int i = 0; i < g->ncells + g->nfailures; i++) {
		const char *v = group_verdict(r, g, i, &why);

		if (strcmp(v, "OK") != 0 && strcmp(v, "UNDERPOWERED") != 0)
			return false;
	}
	return true;
}
