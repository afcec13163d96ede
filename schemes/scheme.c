/* The table of schemes: list.def, nothing else. */
#include "schemes/scheme.h"

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
