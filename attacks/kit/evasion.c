/* See evasion.h. */
#include "attacks/kit/evasion.h"

#include "attacks/kit/evasion_apgd.h"
#include "attacks/kit/evasion_square.h"
#include <stdbool.h>

enum { CHUNK = 256 }; /* images at once */

/* Who got there. */
static void tell(const bool *done, int n, enum strongest_by who, int *by)
{
	for (int i = 0; i < n; i++)
		if (done[i] && by[i] == STRONGEST_NONE)
			by[i] = who;
}

int strongest_union(struct model *m, float *x, const int *y, int n, const struct strongest_conf *c, uint64_t seed, int *by, double *fe)
{
	const size_t len = (size_t)m->spec.c * (size_t)m->spec.h * (size_t)m->spec.w;
	int ret = 0;

	for (int first = 0; first < n && !ret; first += CHUNK) {
		const int some = n - first < CHUNK ? n - first : CHUNK;
		float *at = x + (size_t)first * len;
		bool done[CHUNK] = { false };

		for (int i = 0; i < some; i++)
			by[first + i] = STRONGEST_NONE;
		for (int who = STRONGEST_BY_CE; who <= STRONGEST_BY_SQUARE && !ret; who++) {
			if (who == STRONGEST_BY_SQUARE)
				ret = c->queries ? square(m, at, y + first, some, c->eps, c->queries, seed, first, done, fe) : 0;
			else
				ret = c->steps ? apgd(m, at, y + first, some, c->eps, c->steps, who == STRONGEST_BY_CE ? APGD_CE : APGD_DLR, done, fe) : 0;
			tell(done, some, (enum strongest_by)who, by + first);
		}
	}
	return ret;
}
