/* The hider's forward passes on a tape: what using it and training it share. Private to the two. */
#ifndef LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_HIDER_GRAPH_H
#define LB_SCHEMES_SAMPLE_SPECIFIC_SAMPLE_SPECIFIC_HIDER_GRAPH_H

#include "schemes/sample_specific/sample_specific_hider.h"

/* s (bits,1,1), see hider_bits() -> (P, h/4, w/4). */
struct node *hider_planes(struct model *dense, struct node *s, int h, int w);
/* x (c,h,w) in [0,1], planes (P, h/4, w/4) -> residual (c,h,w). */
struct node *hider_residual(struct model *unet, struct node *x, struct node *planes);
/* round8(clip(x + residual)). */
struct node *hider_send(struct node *x, struct node *residual);
/* s (bits,1,1) = low + bit (n, bits). */
void hider_bits(struct node *s, const uint8_t *bit, float low);

#endif
