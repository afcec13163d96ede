/* What a job grants an attacker: an access level, budgets, data, a search. attacks.md 0.3, 0.4, 0.6. */
#ifndef LB_BENCH_GRANT_H
#define LB_BENCH_GRANT_H

#include "attacks/attack.h"
#include <jansson.h>

/* Black: asks the service, with data of its own (labelled or not: how much is a matter of the budget). Grey: also knows the mechanism, its
 * shipped parameters and the architecture, and holds leaked credentials and pairs. White: also has the weights, and what insiders run.
 * Differs from 0.3: the levels name no labelled data; a published protocol that leaks test images counts as white. */
enum level { LEVEL_BLACK, LEVEL_GREY, LEVEL_WHITE, LEVELS };
extern const char *const level_names[]; /* "black", "grey", "white" */
unsigned level_grants(int level);
/* The lowest level that grants all of needs. */
int level_of(unsigned needs);
/* "access level black does not grant weights,write"; false when the level grants all. */
bool level_refuses(int level, unsigned needs, char why[256]);
/* What an attack must see under these options. */
unsigned attack_needs(const struct attack *a, const void *conf);

/* How much an attack may spend (attacks.md 0.4); 0: no limit. */
struct budget {
	long queries, labels, submissions;
	double forwards;  /* forward equivalents */
	double seconds;   /* of the wall clock: in no key, because it decides only whether there is a cell */
};

/* What a job grants an attacker, beside the attack's own options. */
struct attacker {
	int level;             /* enum level (grant.h) */
	bool overlap;          /* its images are of the owner's training set, not disjoint from it; never of the test set */
	int search;            /* settings tried, the best on its validation images is kept; 0 and 1: only the one given */
	struct budget budget;
};

/* The members that are not the rule, as in a cell file; NULL when there are none. refused: the level is one of them. */
json_t *attacker_json(const struct attacker *a, bool refused);
/* From such a member; NULL: the rule. -1 after error(). */
int attacker_from_json(struct attacker *a, const json_t *j);
/* Set the budgets of l (but for the time, which interrupt_after() keeps). */
void attacker_limits(const struct attacker *a, struct ledger *l);

#endif
