/* The table of attacks (list.def, nothing else) and what all attacks share. */
#include "attacks/attack.h"

#include <string.h>

#include "base/error.h"

#define ATTACK(x) extern const struct attack attack_##x;
#include "attacks/list.def"
#undef ATTACK

#define ATTACK(x) &attack_##x.drv,
const struct driver *const attacks[] = {
#include "attacks/list.def"
	NULL
};
#undef ATTACK

const char *const goal_names[] = { "use", "impersonate", "remove", "disown", "degrade", "detect" };
const char *const role_names[] = { "channel", "evade", "unlock" };

/* In the order of enum capability: bit i is capability_names[i]. */
static const char *const capability_names[] = {
	"label", "prob", "decision", "gradx", "weights", "write", "algo", "param",
	"labelled", "unlabelled", "cred", "channel", "paper-test", "pair", "instance", "arch"
};

const char *capability_text(unsigned caps, char *buf)
{
	char *at = buf;

	*at = '\0';
	for (size_t i = 0; i < ARRAY_LEN(capability_names); i++) {
		if (!(caps & 1u << i))
			continue;
		if (at > buf)
			*at++ = ',';
		strcpy(at, capability_names[i]);
		at += strlen(at);
	}
	return buf;
}

double expected_pass(const struct expected *e, const struct model_spec *own)
{
	struct model *m = model_new(own, 0);
	const double macs = m ? model_macs(m) : e->macs;

	model_free(m);
	return e->macs > 0 ? macs / e->macs : 1;
}

void product_release(struct product *p)
{
	model_free(p->model);
	model_free(p->stolen);
	bundle_free(p->creds);
	bundle_free(p->kept);
	free(p->claimed);
	free(p->party);
	json_decref(p->notes);
	*p = (struct product){ 0 };
}
