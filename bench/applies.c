/* See applies.h. */
#include "bench/applies.h"

#include <string.h>

#include "base/error.h"
#include "bench/search.h"

void *driver_conf(const struct driver *d, const json_t *options)
{
	void *conf = xcalloc(1, d->conf_size ? d->conf_size : 1);

	if (opt_from_json(d->opts, conf, (json_t *)(uintptr_t)options) == 0)
		return conf;
	free(conf);
	return NULL;
}

unsigned point_needs(const struct point *p)
{
	void *conf = p->attack ? driver_conf(&p->attack->drv, p->attack_options) : NULL;
	unsigned needs = 0;

	if (conf)
		needs = attack_needs(p->attack, conf) | (p->attacker.search > 1 ? search_needs(p->attack) : 0);
	free(conf);
	return needs;
}

/* What bench/access.c could not hand out. */
static const char *nothing_to_grant(unsigned needs, const struct scheme *s, bool creds)
{
	if (needs & CAP_PAIR && (!s->prepare || !creds))
		return "users send their images as they are: there are no pairs to learn from";
	return needs & CAP_CRED && !creds ? "nobody holds credentials of the scheme" : NULL;
}

const char *attack_inapplicable(const struct attack *a, const void *conf, const struct scheme *s, bool creds)
{
	void *def = xcalloc(1, a->drv.conf_size ? a->drv.conf_size : 1);
	const char *why;

	opt_defaults(a->drv.opts, def);
	if (!conf)
		conf = def;
	why = a->inapplicable ? a->inapplicable(conf, s->decl.has_users && creds, s->decl.has_ownership) : NULL;
	if (!why)
		why = nothing_to_grant(attack_needs(a, conf), s, creds);
	free(def);
	return why;
}

bool point_inapplicable(const struct point *p, char why[256])
{
	const char *reason;
	void *conf;

	if (!p->attack)
		return false;
	conf = driver_conf(&p->attack->drv, p->attack_options);
	reason = conf ? attack_inapplicable(p->attack, conf, p->scheme, p->users > 0) : "its options are not valid";
	free(conf);
	if (reason)
		snprintf(why, 256, "%s", reason);
	else if (p->attacker.level < LEVEL_WHITE && level_refuses(p->attacker.level, point_needs(p), why)) {
		memmove(why + strlen("refused: "), why, strlen(why) + 1);
		memcpy(why, "refused: ", strlen("refused: "));
		reason = why;
	}
	return reason != NULL;
}
