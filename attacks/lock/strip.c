/* Leaving the control part away: whoever holds the deployed network runs it without what stands beside it, and without the outputs
 * that no class of the task has. With from=memory it is the network that an authorised user's process holds while he works.
 *
 * Source: Xue et al., survey of active protection (2023), IV (cracking the control module); ActiveGuard (Xue et al.), figure 2, where the
 * layer comes off after authorisation; the dump is that of Sun et al., "Mind your weight(s)", USENIX Security 2021.
 * Differs: done on the stored network; no binary is patched, so its cost is no training and no query, and not measured in edits. */
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"

enum { FROM_FILE, FROM_MEMORY };

struct strip_conf { int from, user; };
static const struct opt strip_opts[] = {
	{ "from", OPT_CHOICE, offsetof(struct strip_conf, from), "file", 0, 0,
	  "the network as it is deployed, or as it lies in an authorised user's memory", "file|memory" },
	{ "user", OPT_INT, offsetof(struct strip_conf, user), "0", 0, 1e9, "memory: whose, modulo those that are at hand", NULL },
	{ 0 }
};

/* m with its first `classes` outputs alone. Takes m; NULL after error(). */
static struct model *cut(struct model *m, int classes)
{
	struct model_spec spec = m->spec;
	struct model *out = NULL;

	if (spec.classes == classes)
		return m;
	spec.classes = classes;
	if (spec.classes < m->spec.classes)
		out = model_new(&spec, 0);
	else
		error(EXIT_UNEVALUABLE, "strip: the network has %d outputs for %d classes", m->spec.classes, classes);
	for (int i = 0; out && i < out->np; i++) { /* outputs come first in a layer's numbers */
		BUG_ON(out->p[i].len > m->p[i].len);
		memcpy(out->p[i].x, m->p[i].x, out->p[i].len * sizeof(*out->p[i].x));
	}
	model_free(m);
	return out;
}

static unsigned strip_needs(const void *conf)
{
	return CAP_WRITE | (((const struct strip_conf *)conf)->from == FROM_MEMORY ? CAP_INSTANCE : CAP_WEIGHTS);
}

static const char *strip_inapplicable(const void *conf, int has_users, int has_ownership)
{
	(void)has_ownership;
	if (has_users)
		return NULL;
	return ((const struct strip_conf *)conf)->from == FROM_MEMORY ? "the scheme has no users whose memory could be read" :
									 "everybody is served: there is no control part to leave away";
}

static int strip_run(struct access *a, const void *conf, struct product *p)
{
	const struct strip_conf *c = conf;
	const bool memory = c->from == FROM_MEMORY;
	const struct model *m = !memory ? a->model : a->ninstances ? a->instance[c->user % a->ninstances] : NULL;

	if (!m || m->arch->image)
		return error(EXIT_UNEVALUABLE, "strip: no classifier was granted");
	p->goal = GOAL_USE;
	p->notes = json_object();
	jset_int(p->notes, "outputs_cut", m->spec.classes - a->classes);
	p->model = cut(model_copy(m), a->classes);
	return p->model ? 0 : -1;
}

const struct attack attack_strip = {
	.drv = { .name = "strip", .summary = "run the deployed network without the control part beside it",
		 .source = "Xue et al., survey of active protection (2023), IV; ActiveGuard, figure 2; Sun et al., USENIX Security 2021. "
			   "Differs: on the stored network, no binary is patched",
		 .version = 2, .conf_size = sizeof(struct strip_conf), .opts = strip_opts },
	.goal = GOAL_USE, .needs = CAP_WRITE, .needs_for = strip_needs, .inapplicable = strip_inapplicable, .run = strip_run,
};
