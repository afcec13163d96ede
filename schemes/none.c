/* Control: the unprotected network. Everybody is served, nobody is told apart, nothing marks it. What an attack
 * achieves here it owes to no weakness of a scheme.
 * Source: none. */
#include "schemes/scheme.h"

static int none_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	(void)conf;
	l->model = model_copy(e->base);
	return 0;
}

const struct scheme scheme_none = {
	.drv = { .name = "none", .summary = "control: the unprotected network", .version = 1,
		 .source = "none. Differs: nothing to differ from" },
	.decl = { .scenario = "none", .mechanism = "none", .capacity = "none", .type = "none", .function = "none",
		  .target_models = "any", .deployment = DEPLOY_POSTHOC, .knowledge = "none",
		  .ships = "the model and nothing else; there are no secrets" },
	.lock = none_lock,
};
