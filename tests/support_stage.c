/* See support_stage.h. */
#include "tests/support_stage.h"

#include <check.h>
#include <string.h>

#include "base/error.h"
#include "tests/support_weights.h"

void stage_open(struct stage *s, const struct desk *d, const struct scheme *scheme, const char *options, int users)
{
	struct bundle *creds;

	memset(s, 0, sizeof(*s));
	if (lock_open(&s->lock, d, scheme, options) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	creds = users ? lock_enrol(&s->lock, d, 0, users, 1) : NULL;
	s->w = (struct world){ .data = d->data, .splits = d->splits, .base = d->base, .locked = s->lock.locked, .creds = creds };
	s->w.setup = (struct setup){ .data = d->data, .splits = &d->splits, .scheme = scheme, .conf = s->lock.conf, .base = d->base,
				     .locked = &s->lock.locked, .creds = creds, .users = creds ? users : 0, .per_user = creds ? 1 : 0,
				     .seed = 7 };
}

void stage_close(struct stage *s)
{
	bundle_free(s->w.creds);
	lock_close(&s->lock);
}

double stage_percent(const struct stage *s, const char *attack, const char *options, struct ledger *l, const char *name, json_t **notes)
{
	struct observations o = { 0 };
	const struct obs_entry *e;
	const char *verdict;
	struct product p;
	char why[256];
	double percent;

	run_attack(&s->w, attack, options, l, &p);
	ck_assert_msg(evaluate(&s->w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	e = obs_get(&o, name, 'b');
	ck_assert_msg(e != NULL, "%s %s: no %s, %s", attack, options, name, why);
	percent = 100.0 * (double)e->k / (double)e->n;
	if (notes)
		*notes = json_incref(p.notes);
	obs_release(&o);
	product_release(&p);
	return percent;
}

double stage_accuracy(const struct stage *s, const struct model *m)
{
	struct model *copy = model_copy(m);
	const double percent = 100.0 * world_right(&s->w, copy) / s->w.setup.splits->test.n;

	model_free(copy);
	return percent;
}
