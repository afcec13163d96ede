/* Images of no task: what somebody submits who knows that a secret class exists and not what it is made of. */
#ifndef LB_ATTACKS_LOGIN_FORGE_STEGO_OOD_H
#define LB_ATTACKS_LOGIN_FORGE_STEGO_OOD_H

#include "base/rng.h"

enum ood {
	OOD_NOISE,   /* every value uniform */
	OOD_FRACTAL, /* grids of random values, each twice as fine and half as strong as the last, stretched to [0,1] */
	OOD_STROKES, /* a few straight white lines on black, as writing has */
	OOD_KINDS
};
/* out (c,h,w) in [0,1]; fractals and strokes are grey in every channel. */
void ood_draw(enum ood kind, struct rng *r, int c, int h, int w, float *out);

#endif
