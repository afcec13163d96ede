/* For tests of attacks that change a model: other architectures in a world, and how far models are from each other. */
#ifndef LB_TESTS_SUPPORT_WEIGHTS_H
#define LB_TESTS_SUPPORT_WEIGHTS_H

#include "tests/support_bench.h"

/* Put an untrained network of another architecture ("wrn10-1") with random batch norms into the world, as base and as locked model. */
void world_swap(struct world *w, const char *model);
/* ||a - b|| / ||b|| over all numbers. */
double models_apart(const struct model *a, const struct model *b);
/* Largest difference of the two's answers to 20 test images, by the size of the largest answer. */
double answers_apart(const struct world *w, struct model *a, struct model *b);
/* Test images that m classifies right. */
int world_right(const struct world *w, struct model *m);
/* Capabilities that attack `name`, which has a needs_for, asks for under options. */
unsigned needs_under(const char *name, const char *options);
/* Run attack `name` under options, which must work; the product is the caller's. */
void run_attack(const struct world *w, const char *name, const char *options, struct ledger *l, struct product *p);
/* Run it; nothing but the strength's weakest setting may leave the model bit-equal to the deployed one. */
void expect_untouched(const struct world *w, const char *name, const char *options);
void expect_touched(const struct world *w, const char *name, const char *options);
/* Distance from the deployed model under options. */
double distance_under(const struct world *w, const char *name, const char *options);
/* The attack runs on lenet5, wrn10 and mlp, as architectures differ, and leaves finite numbers. */
void runs_on_every_architecture(const struct world *w, const char *name, const char *options);

#endif
