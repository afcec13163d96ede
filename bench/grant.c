/* See grant.h. */
#include "bench/grant.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

#define BLACK (CAP_LABEL | CAP_PROB | CAP_DECISION | CAP_LABELLED | CAP_UNLABELLED | CAP_CHANNEL)
#define GREY (BLACK | CAP_ALGO | CAP_PARAM | CAP_ARCH | CAP_CRED | CAP_PAIR)
#define WHITE (GREY | CAP_GRADX | CAP_WEIGHTS | CAP_WRITE | CAP_INSTANCE | CAP_PAPER_TEST)

const char *const level_names[] = { "black", "grey", "white" };

unsigned level_grants(int level)
{
	static const unsigned grants[LEVELS] = { BLACK, GREY, WHITE };

	return grants[level];
}

int level_of(unsigned needs)
{
	int level = LEVEL_BLACK;

	while (level < LEVEL_WHITE && needs & ~level_grants(level))
		level++;
	return level;
}

bool level_refuses(int level, unsigned needs, char why[256])
{
	const unsigned missing = needs & ~level_grants(level);
	char caps[160];

	if (missing)
		snprintf(why, 240, "access level %s does not grant %s", level_names[level], capability_text(missing, caps));
	return missing != 0;
}

unsigned attack_needs(const struct attack *a, const void *conf)
{
	return a->needs_for ? a->needs_for(conf) : a->needs;
}

/* ---- as a member of a point ---- */

static void put_limit(json_t *j, const char *name, double limit)
{
	if (limit > 0)
		jset_num(j, name, limit);
}

json_t *attacker_json(const struct attacker *a, bool refused)
{
	json_t *j = json_object();

	if (a->overlap)
		jset_str(j, "attacker_data", "overlap");
	if (a->search > 1)
		jset_int(j, "search", a->search);
	put_limit(j, "max_queries", (double)a->budget.queries);
	put_limit(j, "max_labels", (double)a->budget.labels);
	put_limit(j, "max_submissions", (double)a->budget.submissions);
	put_limit(j, "max_forwards", a->budget.forwards);
	if (refused)
		jset_str(j, "access", level_names[a->level]);
	if (json_object_size(j))
		return j;
	json_decref(j);
	return NULL;
}

int attacker_from_json(struct attacker *a, const json_t *j)
{
	const char *level = jget_str(j, "access", "white");

	*a = (struct attacker){ .level = LEVELS, .overlap = !strcmp(jget_str(j, "attacker_data", ""), "overlap"),
				.search = (int)jget_int(j, "search", 0) };
	a->budget.queries = (long)jget_num(j, "max_queries", 0);
	a->budget.labels = (long)jget_num(j, "max_labels", 0);
	a->budget.submissions = (long)jget_num(j, "max_submissions", 0);
	a->budget.forwards = jget_num(j, "max_forwards", 0);
	for (int i = 0; i < LEVELS; i++)
		if (!strcmp(level, level_names[i]))
			a->level = i;
	return a->level < LEVELS ? 0 : unknown_name("access level", level, level_names, LEVELS);
}

void attacker_limits(const struct attacker *a, struct ledger *l)
{
	l->max_queries = a->budget.queries;
	l->max_labels = a->budget.labels;
	l->max_submissions = a->budget.submissions;
	l->max_forward_equivalents = a->budget.forwards;
}
