/* The contract that every driver keeps: walks all tables, compares the lists with the sources on disk, and runs every
 * attack against the unprotected control and every scheme through its hooks. */
#include <check.h>
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "metrics/metric.h"
#include "tests/support_bench.h"
#include "tests/support_contract.h"
#include "tests/support_source.h"

#define ALL_CAPS (2 * CAP_ARCH - 1u)

/* ---- tables ---- */

static const struct table {
	const char *what, *folder, *list, *macro; /* the sources, the list, and what a line in it begins with */
	const char *definition;                   /* what a driver's definition begins with, before its name */
	const struct driver *const *drivers;
} tables[] = {
	{ "scheme", "schemes", "schemes/list.def", "SCHEME(", "const struct scheme scheme_", schemes },
	{ "attack", "attacks", "attacks/list.def", "ATTACK(", "const struct attack attack_", attacks },
	{ "metric", "metrics", "metrics/list.def", "METRIC(", "const struct metric metric_", metrics },
	{ "dataset", "datasets", "datasets/list.def", "DATASET(", "const struct dataset_driver dataset_", datasets },
	{ "model", "nn", "nn/networks/list.def", "ARCH(", "const struct arch arch_", archs },
};

START_TEST(drivers_are_complete_and_sorted)
{
	const struct driver *const *t = tables[_i].drivers;

	ck_assert_ptr_nonnull(t[0]);
	for (int i = 0; t[i]; i++) {
		ck_assert_msg(driver_check(t[i]) == 0, "%s", error_text());
		if (i)
			ck_assert_msg(strcmp(t[i - 1]->name, t[i]->name) < 0, "%s table: '%s' is not behind '%s'",
				      tables[_i].what, t[i]->name, t[i - 1]->name);
	}
}
END_TEST

struct names { char at[128][64]; int n; };

/* The identifier behind every `before` at the start of a line of the text; with term, only when term follows it. */
static void collect(const char *text, const char *before, const char *term, struct names *out)
{
	const size_t len = strlen(before);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t k = 0;

		if (strncmp(line, before, len) != 0)
			continue;
		while (isalnum((unsigned char)line[len + k]) || line[len + k] == '_')
			k++;
		if (!k || k > 63 || strncmp(line + len + k, term, strlen(term)) != 0)
			continue;
		ck_assert_int_lt(out->n, 128);
		memcpy(out->at[out->n], line + len, k);
		out->at[out->n++][k] = '\0';
	}
}

static void collect_file(const char *path, const char *before, const char *term, struct names *out)
{
	char *text = source_read(path);

	collect(text, before, term, out);
	free(text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(lists_name_every_driver_on_disk)
{
	const struct table *t = &tables[_i];
	struct names listed = { .n = 0 }, defined = { .n = 0 };
	struct sources files = { .n = 0 };
	int n = 0;

	collect_file(t->list, t->macro, ")", &listed);
	sources_add(&files, t->folder, ".c");
	for (int i = 0; i < files.n; i++)
		collect_file(files.path[i], t->definition, " =", &defined);
	sources_release(&files);
	qsort(defined.at, defined.n, sizeof(defined.at[0]), by_name);
	ck_assert_int_eq(listed.n, defined.n);
	for (int i = 0; i < listed.n; i++)
		ck_assert_str_eq(listed.at[i], defined.at[i]); /* the list is sorted, too */
	while (t->drivers[n])
		n++;
	ck_assert_int_eq(n, listed.n);
}
END_TEST

START_TEST(schemes_keep_their_contract)
{
	for (int i = 0; schemes[i]; i++)
		contract_scheme((const struct scheme *)schemes[i]);
}
END_TEST

START_TEST(attacks_keep_their_contract)
{
	for (int i = 0; attacks[i]; i++) {
		const struct attack *a = (const struct attack *)attacks[i];
		char text[160];

		contract_tiers(&a->drv, a->tier);
		ck_assert(a->run != NULL);
		ck_assert(a->goal >= GOAL_USE && a->goal <= GOAL_DETECT);
		ck_assert_str_ne(goal_names[a->goal], "");
		ck_assert_uint_eq(a->needs & ~ALL_CAPS, 0);
		ck_assert_uint_lt(strlen(capability_text(a->needs, text)), sizeof(text));
		if (!a->strength)
			continue;
		ck_assert_msg(opt_find(a->drv.opts, a->strength) != NULL, "%s has no option '%s'", a->drv.name, a->strength);
		ck_assert(a->strength_up == 1 || a->strength_up == -1);
	}
}
END_TEST

START_TEST(capability_text_names_all)
{
	char text[160];

	ck_assert_str_eq(capability_text(0, text), "");
	ck_assert_str_eq(capability_text(CAP_WEIGHTS | CAP_PAPER_TEST, text), "weights,paper-test");
	ck_assert_uint_lt(strlen(capability_text(ALL_CAPS, text)), sizeof(text));
}
END_TEST

/* In how many ways a row says what the metric is made of: with two, metric_value() would follow the first and nobody would notice. */
static int ways_of(const struct metric *m)
{
	return !!m->share + !!m->worst_user + !!m->points[0] + !!m->number + !!m->ratio[0] + !!m->mean + !!m->compute;
}

START_TEST(metrics_keep_their_contract)
{
	static const char *const units[] = { "%", "ratio", "users", "bytes", "points", "yes/no", "forwards", "dB", "bits", "level",
					     "functions", "ms", "log10", "slope", "length", "/255" };

	for (int i = 0; metrics[i]; i++) {
		const struct metric *m = (const struct metric *)metrics[i];
		int known = 0;

		ck_assert(m->title && m->unit && m->survey);
		ck_assert_msg(ways_of(m) == (m->from == FROM_CELL), "%s is made of exactly one thing", m->drv.name);
		ck_assert((m->from == FROM_STUDY) == (m->over != NULL) && (!m->seen || m->number) && !m->points[0] == !m->points[1] &&
			  !m->ratio[0] == !m->ratio[1]);
		ck_assert(!m->least == !m->least_of);
		ck_assert_uint_le(strlen(m->title), 24);
		for (size_t k = 0; k < ARRAY_LEN(units); k++)
			known |= !strcmp(m->unit, units[k]);
		ck_assert_msg(known, "%s: unit '%s'", m->drv.name, m->unit);
		ck_assert(m->min < m->max);
		ck_assert(m->better >= -1 && m->better <= 1);
	}
}
END_TEST

/* The metrics of the surveys: ../papers/000, II.B, and ../papers/002, Table II, in their words. */
static const char *const surveyed[] = {
	"II.B: overhead", "II.B: success rate of user identity authentication", "II.B: model performance of authorised users",
	"II.B: model performance of unauthorised users", "II.B: uniqueness of user identity", "II.B: number of supported users",
	"II.B: convenience of deployment", "II.B: knowledge of the target model", "II.B: interpretability", "II.B: concealment of user identity",
	"II.B: resistance to sample modification", "II.B: unforgeability of user identity", "II.B: resistance to adaptive attacks",
	"II.B: reverse analysis resistance", "Table II: fidelity", "Table II: robustness", "Table II: functionality", "Table II: capacity",
	"Table II: efficiency", "Table II: reliability", "Table II: generality", "Table II: uniqueness", "Table II: indistinguishability",
	"Table II: scalability", "Table II: security", "Table II: unremovability", "Table II: unforgeability", "non-ownership piracy",
	", ownership piracy", "verifiability", "Table II: collusion resistance", "non-invertible",
};

START_TEST(every_row_of_the_surveys_has_a_metric)
{
	bool found = false;

	for (int i = 0; metrics[i]; i++)
		found |= strstr(((const struct metric *)metrics[i])->survey, surveyed[_i]) != NULL;
	ck_assert_msg(found, "no metric for '%s'", surveyed[_i]);
}
END_TEST

START_TEST(datasets_and_models_keep_their_contract)
{
	for (int i = 0; datasets[i]; i++) {
		const struct dataset_driver *d = (const struct dataset_driver *)datasets[i];

		ck_assert(d->install && d->probe && d->load && d->peek);
	}
	for (int i = 0; archs[i]; i++) {
		const struct arch *a = (const struct arch *)archs[i];

		ck_assert(a->build && a->forward);
	}
}
END_TEST

static void page_exists(const char *folder, const char *name)
{
	char path[256], mark[128];
	char *text;
	size_t len;

	snprintf(path, sizeof(path), "docs/%s/%s.md", folder, name);
	snprintf(mark, sizeof(mark), "<!-- options:%s -->", name);
	text = file_read(path, 1 << 20, &len);
	ck_assert_msg(text != NULL, "%s", error_text());
	ck_assert_msg(strstr(text, mark) != NULL, "%s has no place for its option table (%s)", path, mark);
	free(text);
}

START_TEST(schemes_and_attacks_have_pages)
{
	for (int i = 0; schemes[i]; i++)
		page_exists("schemes", schemes[i]->name);
	for (int i = 0; attacks[i]; i++)
		page_exists("attacks", attacks[i]->name);
}
END_TEST

/* ---- hooks ---- */

START_TEST(scheme_hooks_change_nothing)
{
	for (int i = 0; schemes[i]; i++)
		contract_hooks((const struct scheme *)schemes[i]);
}
END_TEST

/* Every image through the channel is the image. */
static void channel_is_open(const struct world *w, const char *name, const struct product *p)
{
	const struct images q = images_first(w->splits.test, 8);
	float in[8 * 784], out[8 * 784];

	for (int i = 0; i < 8; i++)
		images_get(&q, i, in + i * 784);
	ck_assert_int_eq(p->channel(p, in, 8, 1, 28, 28, out), 0);
	ck_assert_msg(!memcmp(in, out, sizeof(in)), "%s changes images at strength 0", name);
}

/* A predictor that asks the service is right where the service is. */
static void predictor_adds_nothing(const struct world *w, const char *name, const struct product *p)
{
	struct observations o = { 0 };
	const struct obs_entry *own, *its;
	const char *verdict;
	char why[256];

	ck_assert_msg(evaluate(&w->setup, p, &o, &verdict, why) == 0, "%s: %s", name, error_text());
	own = obs_get(&o, "authorised_correct", 'b'); /* of the control, where everybody is served */
	its = obs_get(&o, "attacked_correct", 'b');
	ck_assert_msg(own && its && own->n == its->n && !memcmp(own->bits, its->bits, own->n), "%s is not the service at strength 0", name);
	obs_release(&o);
}

/* Strength 0, where an attack has one, leaves everything bit-equal: the network, images on their way, answers; and forges nothing. */
static void strength_zero_is_nothing(const struct world *w, const struct attack *a)
{
	const struct opt *o = a->strength ? opt_find(a->drv.opts, a->strength) : NULL;
	struct product p;
	char options[128];
	void *conf;

	if (!o || o->min > 0 || a->strength_up < 0)
		return;
	snprintf(options, sizeof(options), "%s=0", a->strength);
	conf = conf_of(&a->drv, options);
	ck_assert_msg(conf != NULL, "%s: %s", a->drv.name, error_text());
	if (!a->inapplicable || !a->inapplicable(conf, 0, 0)) {
		ck_assert_msg(world_attack(w, a, options, NULL, &p) == 0, "%s", error_text());
		if (a->goal == GOAL_REMOVE)
			ck_assert_uint_eq(model_bits(p.model), model_bits(w->locked.model));
		if (p.channel)
			channel_is_open(w, a->drv.name, &p);
		if (p.answer)
			predictor_adds_nothing(w, a->drv.name, &p);
		if (a->goal == GOAL_IMPERSONATE)
			ck_assert_int_eq(p.ncreds, 0);
		product_release(&p);
	}
	free(conf);
}

/* On the unprotected control every attack runs and is judged, or says why it does not apply. */
static void runs_or_says_why(const struct world *w, const struct attack *a)
{
	const char *options = a->tier[0] ? a->tier[0] : "", *verdict;
	void *conf = conf_of(&a->drv, options);
	struct observations o = { 0 };
	struct product p;
	char why[256];

	if (a->inapplicable && a->inapplicable(conf, 0, 0)) {
		ck_assert_uint_gt(strlen(a->inapplicable(conf, 0, 0)), 10);
	} else {
		ck_assert_msg(world_attack(w, a, options, NULL, &p) == 0, "%s: %s", a->drv.name, error_text());
		ck_assert_int_eq(p.goal, a->goal);
		ck_assert_msg(evaluate(&w->setup, &p, &o, &verdict, why) == 0, "%s: %s", a->drv.name, error_text());
		/* What it would attack is not in this network, or there is nothing around it to leave away. */
		if (!(p.notes && json_object_get(p.notes, "nothing_to_do")) &&
		    !(p.goal == GOAL_USE && p.model && !p.answer && model_bits(p.model) == model_bits(w->locked.model)))
			ck_assert_str_eq(verdict, "ok");
		obs_release(&o);
		product_release(&p);
	}
	free(conf);
}

START_TEST(attacks_run_on_the_control)
{
	struct world w;
	unsigned long before;

	world_open(&w, (const struct scheme *)driver_find(schemes, "scheme", "none"));
	before = model_bits(w.locked.model);
	for (int i = 0; attacks[i]; i++) {
		strength_zero_is_nothing(&w, (const struct attack *)attacks[i]);
		runs_or_says_why(&w, (const struct attack *)attacks[i]);
	}
	ck_assert_uint_eq(model_bits(w.locked.model), before);
	world_close(&w);
}
END_TEST

/* Where there are users: forgers without strength forge nothing. */
START_TEST(forgers_without_strength_forge_nothing)
{
	struct world w;

	world_open(&w, &toy_scheme);
	for (int i = 0; attacks[i]; i++) {
		const struct attack *a = (const struct attack *)attacks[i];

		if (a->goal == GOAL_IMPERSONATE && opt_find(a->drv.opts, a->strength)->min <= 0)
			strength_zero_is_nothing(&w, a);
	}
	world_close(&w);
}
END_TEST

Suite *suite_contract(void);
Suite *suite_contract(void)
{
	Suite *s = suite_create("contract");
	TCase *tc = tcase_create("contract");

	tcase_set_timeout(tc, 300); /* schemes that train networks of their own take half a minute alone */
	tcase_add_loop_test(tc, drivers_are_complete_and_sorted, 0, (int)ARRAY_LEN(tables));
	tcase_add_loop_test(tc, lists_name_every_driver_on_disk, 0, (int)ARRAY_LEN(tables));
	tcase_add_test(tc, schemes_keep_their_contract);
	tcase_add_test(tc, attacks_keep_their_contract);
	tcase_add_test(tc, capability_text_names_all);
	tcase_add_test(tc, metrics_keep_their_contract);
	tcase_add_loop_test(tc, every_row_of_the_surveys_has_a_metric, 0, (int)ARRAY_LEN(surveyed));
	tcase_add_test(tc, datasets_and_models_keep_their_contract);
	tcase_add_test(tc, schemes_and_attacks_have_pages);
	tcase_add_test(tc, scheme_hooks_change_nothing);
	tcase_add_test(tc, attacks_run_on_the_control);
	tcase_add_test(tc, forgers_without_strength_forge_nothing);
	suite_add_tcase(s, tc);
	return s;
}
