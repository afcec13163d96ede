/* A network of the attacker's own: which architecture, how it is trained, and how its teacher is asked. */
#ifndef LB_ATTACKS_KIT_SURROGATE_H
#define LB_ATTACKS_KIT_SURROGATE_H

#include <stddef.h>

#include "attacks/attack.h"
#include "nn/train.h"

/* Four rows of an option table. Few images make few steps a pass, and a network trained for a handful of steps proves nothing about its
 * data: `steps` is the least there are. */
struct student {
	char model[OPT_STRING_MAX]; /* "mlp-256"; empty: the architecture of the network under attack, which must be known (CAP_ARCH) */
	int epochs, steps, batch;
};
#define STUDENT(conf, member, default_epochs)                                                                               \
	{ "model", OPT_STRING, offsetof(conf, member.model), "", 0, 40,                                                     \
	  "architecture of the attacker's network, as mlp-256; empty: that of the network under attack", NULL },            \
	{ "epochs", OPT_INT, offsetof(conf, member.epochs), default_epochs, 0, 10000, "passes over the images", NULL },     \
	{ "steps", OPT_INT, offsetof(conf, member.steps), "1000", 0, 10000000,                                              \
	  "at least so many steps, by more passes where images are few", NULL },                                            \
	{ "batch", OPT_INT, offsetof(conf, member.batch), "64", 1, 65536, "images a step", NULL }
unsigned student_needs(const struct student *s);
/* A fresh network for the attacker's images and classes, drawn from (a->seed, purpose); NULL after error(). */
struct model *student_new(const struct access *a, const struct student *s, const char *purpose);
/* The recipe that suits m (train_recipe()) for n images under s. */
struct train_conf student_recipe(const struct student *s, const struct model *m, int n);

/* Whom a student learns from: the service with a leaked credential, the service without one, or the stolen weights run without the
 * scheme around them. */
enum teacher { TEACHER_INSIDER, TEACHER_LOCKED, TEACHER_WEIGHTS };
#define SURROGATE_TEACHER(conf, member)                                                                                     \
	{ "teacher", OPT_CHOICE, offsetof(conf, member), "insider", 0, 0,                                                   \
	  "who answers: the service with a leaked credential or without one, or the stolen weights without a key",          \
	  "insider|locked|weights" }
/* What it takes to ask; CAP_PROB of the service, or CAP_LABEL with top1. */
unsigned surrogate_teacher_needs(int teacher, bool top1);
/* Why the teacher cannot be had, or NULL. */
const char *surrogate_no_teacher(int teacher, int has_users);
/* As many of n questions as are left of the budget. */
int surrogate_afford(const struct access *a, int teacher, int n);
/* Answers to v: probs (n, a->classes), one-hot where only labels are answered or with top1. Queries are charged by the oracle, the
 * stolen weights' runs as compute. The insider presents the first leaked credential. 0, or -1 after error(). */
int surrogate_ask(struct access *a, int teacher, bool top1, const struct images *v, float *probs);

/* Whose gradients an image is made with: the deployed network's, or those of a network of the attacker's own that learned the answers of
 * the service (with a leaked credential: insider, without: outsider), or labels. Four rows of an option table. */
enum gradients { GRADIENTS_DEPLOYED, GRADIENTS_INSIDER, GRADIENTS_OUTSIDER, GRADIENTS_LABELS };
struct surrogate { int gradients, images, epochs; char model[OPT_STRING_MAX]; };
#define SURROGATE(conf, member)                                                                                             \
	{ "gradients", OPT_CHOICE, offsetof(conf, member.gradients), "deployed", 0, 0,                                      \
	  "whose: the deployed network's, or those of one's own that learned the service's answers, or labels",             \
	  "deployed|insider|outsider|labels" },                                                                             \
	{ "surrogate-images", OPT_INT, offsetof(conf, member.images), "5000", 1, 1000000,                                   \
	  "images of the attack pool that one's own network learns from: a query or a label each", NULL },                  \
	{ "surrogate-epochs", OPT_INT, offsetof(conf, member.epochs), "30", 1, 10000,                                       \
	  "passes over them, by more where 1,000 steps need more", NULL },                                                  \
	{ "surrogate-model", OPT_STRING, offsetof(conf, member.model), "", 0, 40,                                           \
	  "its architecture, as mlp-256; empty: that of the network under attack", NULL }
unsigned surrogate_needs(const struct surrogate *s);
/* Why it cannot be had, or NULL. */
const char *surrogate_unavailable(const struct surrogate *s, int has_users);
/* That network: a copy of the deployed one, or trained anew; notes says how many images it learned from and on how many it agrees.
 * NULL after error(); the caller frees. */
struct model *surrogate_open(struct access *a, const struct surrogate *s, const char *purpose, json_t *notes);

/* Share of v's images whose class by m is the likeliest of probs (n, classes); -1 after error(). */
double surrogate_agreement(struct model *m, const struct images *v, const float *probs);

#endif
