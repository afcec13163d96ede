/* The table of schemes, list.def, and what is the same around every scheme's hooks. */
#include "schemes/scheme.h"

#include <string.h>

#include "base/error.h"

#define SCHEME(x) extern const struct scheme scheme_##x;
#include "schemes/list.def"
#undef SCHEME

#define SCHEME(x) &scheme_##x.drv,
const struct driver *const schemes[] = {
#include "schemes/list.def"
	NULL
};
#undef SCHEME

void locked_release(struct locked *l)
{
	model_free(l->model);
	bundle_free(l->pub);
	bundle_free(l->secret);
	*l = (struct locked){ 0 };
}

int scheme_lock(const struct scheme *s, const struct lock_env *e, const void *conf, struct locked *l)
{
	*l = (struct locked){ .pub = bundle_new(), .secret = bundle_new() };
	if (s->lock(e, conf, l) == 0) {
		BUG_ON(!l->model || !l->pub || !l->secret);
		return 0;
	}
	locked_release(l);
	return -1;
}

int scheme_enrol(const struct scheme *s, const struct lock_env *e, const void *conf, struct locked *l, const int *user,
		 const int *trial, int n, struct bundle *out)
{
	for (int i = 0; i < n; i++)
		if (user[i] < 0 || trial[i] < 0)
			return error(EXIT_UNEVALUABLE, "%s: user %d, credential %d do not exist; both are numbered from"
				     " 0", s->drv.name, user[i], trial[i]);
	return s->enrol(e, conf, l, user, trial, n, out);
}

int scheme_users(const struct scheme *s, const void *conf, int classes)
{
	const struct opt *o = s->drv.opts ? opt_find(s->drv.opts, "users") : NULL;
	int users;

	if (!s->enrol || s->users)
		return s->enrol ? s->users(conf, classes) : 0;
	BUG_ON(!o || o->type != OPT_INT);
	memcpy(&users, (const char *)conf + o->offset, sizeof(users));
	return users;
}
