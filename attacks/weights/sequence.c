/* Attacks one after the other, each on what the one before it left: the combinations that single attacks' survivors have to survive.
 *
 * `parts` is a list such as "transform; prune rate=0.5; finetune epochs=5 lr=0.05". A part is an attack of the table that leaves a network
 * (goal remove, or use without a predictor of its own); it needs what it needs alone, and all parts' needs are needed. Each sees the
 * network that its predecessor made in place of the deployed one, has a seed of its own, and charges the one ledger.
 *
 * Source: Lukas et al., S&P 2022: no watermark survives all combinations of attacks each of which it survives. Differs: any list. */
#include <stddef.h>
#include <string.h>

#include "attacks/attack.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

enum { PARTS_MAX = 8 };

struct sequence_conf { char parts[OPT_STRING_MAX]; int run; };
static const struct opt sequence_opts[] = {
	{ "parts", OPT_STRING, offsetof(struct sequence_conf, parts), "transform; prune rate=0.5; finetune epochs=5", 1, 255,
	  "attacks with their options, separated by semicolons", NULL },
	{ "run", OPT_INT, offsetof(struct sequence_conf, run), "8", 0, PARTS_MAX, "how many of them, from the first", NULL },
	{ 0 }
};

struct part {
	const struct attack *attack;
	void *conf;
};
struct parts { struct part at[PARTS_MAX]; int n; };

static void parts_release(struct parts *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->at[i].conf);
	p->n = 0;
}

/* "prune rate=0.5". */
static int part_read(struct part *p, char *text)
{
	const char *name = NULL;
	char *word;

	while ((word = strsep(&text, " \t")) != NULL) {
		if (!*word)
			continue;
		if (!name) {
			name = word;
			p->attack = driver_find(attacks, "attack", name);
			if (!p->attack)
				return -1;
			if (p->attack->drv.opts == sequence_opts)
				return error(EXIT_UNEVALUABLE, "a sequence within a sequence: write its parts out");
			p->conf = xcalloc(1, p->attack->drv.conf_size + 1);
			opt_defaults(p->attack->drv.opts, p->conf);
			continue;
		}
		name = strsep(&word, "=");
		if (!word || opt_set(p->attack->drv.opts, p->conf, name, word) < 0)
			return word ? -1 : error(EXIT_UNEVALUABLE, "sequence: '%s' is no OPTION=VALUE of %s", name, p->attack->drv.name);
	}
	return name ? 0 : error(EXIT_UNEVALUABLE, "sequence: a part is empty");
}

/* Those that shall run. 0, or -1 after error(); release in both cases. */
static int parts_read(struct parts *p, const struct sequence_conf *c)
{
	char text[OPT_STRING_MAX], *rest = text, *one;
	int ret = 0;

	memcpy(text, c->parts, sizeof(text));
	*p = (struct parts){ .n = 0 };
	while (!ret && (one = strsep(&rest, ";")) != NULL && p->n < c->run) {
		p->n++;
		ret = part_read(&p->at[p->n - 1], one);
	}
	return ret ? -1 : 0;
}

static unsigned needs_of(const struct part *p)
{
	return p->attack->needs_for ? p->attack->needs_for(p->conf) : p->attack->needs;
}

static unsigned sequence_needs(const void *conf)
{
	unsigned needs = CAP_WEIGHTS | CAP_WRITE;
	struct parts p;

	if (!parts_read(&p, conf))
		for (int i = 0; i < p.n; i++)
			needs |= needs_of(&p.at[i]);
	parts_release(&p);
	return needs;
}

static const char *sequence_inapplicable(const void *conf, int has_users, int has_ownership)
{
	const char *why = NULL;
	struct parts p;

	if (conf && !parts_read(&p, conf))
		for (int i = 0; i < p.n && !why; i++)
			why = p.at[i].attack->inapplicable ? p.at[i].attack->inapplicable(p.at[i].conf, has_users, has_ownership) : NULL;
	if (conf)
		parts_release(&p);
	return why;
}

/* A cell is made of its parts' results: when one of their versions is raised it is another cell. */
static json_t *sequence_versions(const void *conf)
{
	json_t *versions = json_object();
	struct parts p;

	if (!parts_read(&p, conf))
		for (int i = 0; i < p.n; i++)
			jset_int(versions, p.at[i].attack->drv.name, p.at[i].attack->drv.version);
	else
		error_clear(); /* run() says it */
	parts_release(&p);
	return versions;
}

/* Run one part on p->model and put what it leaves there. A part that finds nothing to attack leaves the whole nothing to do. */
static int part_run(const struct access *whole, const struct part *part, int i, struct product *all)
{
	struct access a = *whole;
	struct product p = { 0 };
	char purpose[32];
	int ret;

	snprintf(purpose, sizeof(purpose), "sequence %d", i);
	a.seed = rng_derive(whole->seed, purpose);
	a.model = all->model;
	ret = part->attack->run(&a, part->conf, &p);
	if (!ret && p.inapplicable)
		all->inapplicable = p.inapplicable;
	else if (!ret && (!p.model || p.answer || p.model->arch->image))
		ret = error(EXIT_UNEVALUABLE, "sequence: %s leaves no network for the next part", part->attack->drv.name);
	if (!ret && !p.inapplicable) {
		model_free(all->model);
		all->model = p.model;
		p.model = NULL;
	}
	jset(all->notes, part->attack->drv.name, p.notes ? json_incref(p.notes) : json_object());
	product_release(&p);
	return ret;
}

static int sequence_run(struct access *a, const void *conf, struct product *p)
{
	struct parts parts;
	int ret = parts_read(&parts, conf);

	if (!ret && !a->model)
		ret = error(EXIT_UNEVALUABLE, "sequence: the deployed model was not granted");
	p->goal = GOAL_REMOVE;
	p->notes = json_object();
	p->model = ret ? NULL : model_copy(a->model);
	for (int i = 0; i < parts.n && !ret && !p->inapplicable; i++)
		ret = part_run(a, &parts.at[i], i, p);
	parts_release(&parts);
	return ret;
}

const struct attack attack_sequence = {
	.drv = { .name = "sequence", .summary = "several attacks on the stolen network, one after the other",
		 .source = "Lukas et al., S&P 2022 (combined attacks). Differs: any list of this program's attacks",
		 .version = 1, .conf_size = sizeof(struct sequence_conf), .opts = sequence_opts },
	.goal = GOAL_REMOVE, .needs = CAP_WEIGHTS | CAP_WRITE, .strength = "run", .strength_up = 1,
	.tier = { "run=2", NULL, NULL }, .needs_for = sequence_needs, .inapplicable = sequence_inapplicable, .run = sequence_run,
	.parts = sequence_versions,
};
