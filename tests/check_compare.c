/* bench/pair.c, margin.c, compare.c, compare_out.c: who is compared with whom, and what is called a regression. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/rng.h"
#include "bench/compare.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static const struct margins no_margins;
static const struct pair_conf plain_pairs;
static const struct compare_conf plain = { &no_margins, 1000 };

struct run { struct pairs p; struct comparison c; };

static void compared(struct run *r, const json_t *b, const json_t *c, const struct pair_conf *pc, const struct compare_conf *cc)
{
	ck_assert_msg(pairs_make(&r->p, b, c, NULL, pc) == 0, "%s", error_text());
	compare_pairs(&r->p, cc, &r->c);
}

static void done(struct run *r)
{
	comparison_release(&r->c);
	pairs_release(&r->p);
}

static const struct difference *of(const struct run *r, const char *metric)
{
	for (int i = 0; i < r->c.n; i++)
		if (!strcmp(r->c.d[i].metric, metric))
			return &r->c.d[i];
	ck_abort_msg("no difference of %s", metric);
}

/* n seeds whose accuracies scatter about `mean` percent with standard deviation sd; run names the noise. */
static json_t *scattered(const char *run, int n, int images, double mean, double sd, uint32_t which)
{
	json_t *cells = json_array();
	struct rng r;

	rng_open(&r, 11, run, which, 0);
	for (int i = 0; i < n; i++)
		json_array_append_new(cells, sample_measured("activeguard", i + 1, run, images, (mean + sd * rng_normal(&r)) / 100));
	return cells;
}

/* A cell without single trials: only a number, as an older cell or a JSON file has it. */
static json_t *bare(long long seed, const char *metric, double value)
{
	json_t *c = sample_cell("mnist", "none", seed);

	jset(c, "observations", json_object());
	jset(c, "metrics", json_object());
	json_object_del(c, "key");
	sample_metric(c, metric, value, value, value, 0, 0);
	return c;
}

static json_t *bares(const char *metric, const double *v, int n)
{
	json_t *cells = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(cells, bare(i + 1, metric, v[i]));
	return cells;
}

static json_t *deep(const json_t *j)
{
	return json_deep_copy(j);
}

/* ---- the two that the command is for ---- */

/* 3 points less, 5 seeds whose differences have sd 0.7 (each side 0.5): must be found. */
START_TEST(a_drop_is_found)
{
	json_t *b = scattered("base", 5, 10000, 90, 0.5, 0), *c = scattered("drop", 5, 10000, 87, 0.5, 0);
	struct run r;

	compared(&r, b, c, &plain_pairs, &plain);
	ck_assert_int_eq(of(&r, "authorised_accuracy")->verdict, COMPARE_WORSE);
	ck_assert_str_eq(of(&r, "authorised_accuracy")->method, "bootstrap");
	ck_assert_double_lt(of(&r, "authorised_accuracy")->high, -1.5);
	ck_assert_double_lt(of(&r, "authorised_accuracy")->adjusted, 0.01);
	ck_assert_int_eq(compare_exit(&r.c, &r.p, false, false), EXIT_NO);
	done(&r);
	compared(&r, c, b, &plain_pairs, &plain); /* the other way round it is a gain: the sign */
	ck_assert_int_eq(of(&r, "authorised_accuracy")->verdict, COMPARE_BETTER);
	ck_assert_int_eq(compare_exit(&r.c, &r.p, true, false), EXIT_YES);
	done(&r);
	json_decref(b);
	json_decref(c);
}
END_TEST

/* Equal means: at most 5 % of comparisons may be alarms, whatever the margin (0 is the hardest). */
START_TEST(seed_noise_is_not)
{
	const struct margins zero = { .m = { { "default", 0, false } }, .n = 1 };
	const struct compare_conf conf = { &zero, 300 }, usual = { &no_margins, 300 };
	int alarms = 0, alarms_default = 0;

	for (uint32_t i = 0; i < 100; i++) {
		json_t *b = scattered("base", 5, 1000, 90, 0.5, i), *c = scattered("same", 5, 1000, 90, 0.5, i);
		struct run r;

		compared(&r, b, c, &plain_pairs, &conf);
		alarms += of(&r, "authorised_accuracy")->verdict == COMPARE_WORSE || of(&r, "authorised_accuracy")->verdict == COMPARE_BETTER;
		done(&r);
		compared(&r, b, c, &plain_pairs, &usual);
		alarms_default += compare_exit(&r.c, &r.p, false, false) == EXIT_NO;
		done(&r);
		json_decref(b);
		json_decref(c);
	}
	ck_assert_int_le(alarms, 9); /* P(more | 5 %) = 2.8 % */
	ck_assert_int_le(alarms_default, 1);
}
END_TEST

/* Twenty metrics at once, without a difference: Holm keeps the alarms of the whole family at 5 %; alone 64 % would alarm. And a
 * drop of 3 points among them is found in at least 80 % of cases. */
START_TEST(a_family_of_metrics)
{
	int alarms = 0, found = 0, n = 0;
	const char *names[20];
	struct rng rng;

	for (int i = 0; metrics[i] && n < 20; i++)
		if (((const struct metric *)metrics[i])->better)
			names[n++] = metrics[i]->name;
	rng_open(&rng, 5, "family", 0, 0);
	for (int t = 0; t < 100; t++) {
		json_t *b = json_array(), *c = json_array();
		const struct margins zero = { .m = { { "default", 0, false } }, .n = 1 };
		const struct compare_conf conf = { &zero, 100 };
		struct run r;

		for (int seed = 1; seed <= 5; seed++) {
			json_array_append_new(b, bare(seed, names[0], 90 + 0.5 * rng_normal(&rng)));
			json_array_append_new(c, bare(seed, names[0], 90 + 0.5 * rng_normal(&rng)));
			for (int m = 1; m < n; m++) {
				sample_metric(json_array_get(b, seed - 1), names[m], 90 + 0.5 * rng_normal(&rng), 0, 0, 0, 0);
				sample_metric(json_array_get(c, seed - 1), names[m], 90 + 0.5 * rng_normal(&rng), 0, 0, 0, 0);
			}
		}
		compared(&r, b, c, &plain_pairs, &conf);
		alarms += r.c.count[COMPARE_WORSE] + r.c.count[COMPARE_BETTER] > 0;
		done(&r);
		for (int seed = 1; seed <= 5; seed++) {
			json_t *m = json_object_get(json_object_get(json_array_get(c, seed - 1), "metrics"), names[3]);
			double was = jget_num(m, "value", 0);
			int sign = metric_find(names[3])->better;

			jset_num(m, "value", was - 3 * sign);
		}
		compared(&r, b, c, &plain_pairs, &plain);
		found += of(&r, names[3])->verdict == COMPARE_WORSE;
		done(&r);
		json_decref(b);
		json_decref(c);
	}
	ck_assert_int_le(alarms, 9);
	ck_assert_int_ge(found, 80);
}
END_TEST

/* ---- verdicts ---- */

static enum compare_verdict verdict_of(const char *metric, const double *b, const double *c, int n, const char *margins,
				       struct difference *d)
{
	json_t *x = bares(metric, b, n), *y = bares(metric, c, n);
	struct margins m = { .n = 0 };
	const struct compare_conf conf = { &m, 1000 };
	enum compare_verdict v;
	struct run r;

	ck_assert_int_eq(margins_text(&m, margins), 0);
	compared(&r, x, y, &plain_pairs, &conf);
	*d = *of(&r, metric);
	d->metric = d->why = NULL;
	v = d->verdict;
	done(&r);
	json_decref(x);
	json_decref(y);
	return v;
}

START_TEST(verdicts_by_margin)
{
	static const double flat[] = { 90, 91, 92, 90, 91, 92 }, less[] = { 89.5, 90.4, 91.6, 89.4, 90.5, 91.6 }, few[] = { 3136, 3136, 3136 },
			    more[] = { 3200, 3200, 3200 };
	struct difference d;

	/* -0.5 with sd 0.09: a drop for a margin of 0.1, the same for 1, and at 0.5 nobody can say */
	ck_assert_int_eq(verdict_of("authorised_accuracy", flat, less, 6, "default=0.1", &d), COMPARE_WORSE);
	ck_assert_double_eq_tol(d.value, -0.5, 1e-9);
	ck_assert_int_eq(verdict_of("authorised_accuracy", flat, less, 6, "", &d), COMPARE_SAME);
	ck_assert_int_eq(verdict_of("authorised_accuracy", flat, less, 6, "authorised_accuracy=0.55,default=9", &d), COMPARE_UNDECIDED);
	/* smaller is better: the same numbers are a gain */
	ck_assert_int_eq(verdict_of("unauthorised_accuracy", flat, less, 6, "default=0.1", &d), COMPARE_BETTER);
	/* neither is better: never a regression */
	ck_assert_int_eq(verdict_of("attacked_accuracy", flat, less, 6, "default=0.1", &d), COMPARE_DIFFERS);
	/* a count that no seed changes needs no test, and takes a share of itself as its margin */
	ck_assert_int_eq(verdict_of("credential_bytes", few, more, 3, "", &d), COMPARE_WORSE);
	ck_assert_str_eq(d.method, "exact");
	ck_assert(!d.tested);
	ck_assert_int_eq(verdict_of("credential_bytes", few, more, 3, "credential_bytes=2%", &d), COMPARE_WORSE);
	ck_assert_int_eq(verdict_of("credential_bytes", few, more, 3, "credential_bytes=2.1%", &d), COMPARE_SAME);
	/* one seed shows nothing, however large the drop; unless there is none */
	ck_assert_int_eq(verdict_of("authorised_accuracy", few, more, 1, "", &d), COMPARE_UNDECIDED);
	ck_assert_int_eq(verdict_of("authorised_accuracy", few, few, 1, "", &d), COMPARE_SAME);
	ck_assert_str_eq(d.method, "identical");
}
END_TEST

/* By hand: d = -3, -2, -4, -3, -3 has mean -3, sd 0.7071, t = -9.487, two-sided p 0.00069; 80 % power at 1.29. */
START_TEST(numbers_by_hand)
{
	static const double b[] = { 90, 91, 92, 90, 91 }, c[] = { 87, 89, 88, 87, 88 };
	struct difference d;

	ck_assert_int_eq(verdict_of("authorised_accuracy", b, c, 5, "", &d), COMPARE_WORSE);
	ck_assert_double_eq_tol(d.baseline, 90.8, 1e-9);
	ck_assert_double_eq_tol(d.candidate, 87.8, 1e-9);
	ck_assert_double_eq_tol(d.sd, 0.70711, 1e-4);
	ck_assert_double_eq_tol(d.p, 0.00069, 2e-5);
	ck_assert_double_eq_tol(d.low, -3 - 2.77645 * 0.316228, 1e-4);
	ck_assert_double_eq_tol(d.high, -3 + 2.77645 * 0.316228, 1e-4);
	ck_assert_double_eq_tol(d.detectable, 1.2, 0.15);
	ck_assert_int_eq(d.n, 5);
}
END_TEST

/* Every seed loses the same number of images: Student's t knows no spread, the trials do. */
START_TEST(a_constant_drop_is_tested_on_trials)
{
	json_t *b = scattered("base", 3, 2000, 90, 0, 0), *c = scattered("drop", 3, 2000, 85, 0, 0);
	struct run r;

	compared(&r, b, c, &plain_pairs, &plain);
	ck_assert_double_eq(of(&r, "authorised_accuracy")->sd, 0);
	ck_assert_int_eq(of(&r, "authorised_accuracy")->verdict, COMPARE_WORSE);
	ck_assert_double_gt(of(&r, "authorised_accuracy")->p, 0);
	done(&r);
	json_decref(b);
	json_decref(c);
}
END_TEST

START_TEST(a_scheme_that_no_longer_trains)
{
	json_t *b = scattered("base", 3, 100, 90, 1, 0), *c = deep(b);
	struct run r;

	jset_str(json_array_get(c, 1), "verdict", "scheme-untrained");
	jset(json_array_get(c, 1), "metrics", json_object());
	compared(&r, b, c, &plain_pairs, &plain);
	ck_assert_int_eq(of(&r, "verdict")->verdict, COMPARE_WORSE);
	ck_assert_int_eq(of(&r, "authorised_accuracy")->verdict, COMPARE_UNDECIDED); /* no mean over missing cells */
	ck_assert_int_eq(compare_exit(&r.c, &r.p, false, false), EXIT_NO);
	done(&r);
	json_decref(b);
	json_decref(c);
}
END_TEST

/* ---- pairing ---- */

static void expect_refusal(const json_t *b, const json_t *c, const struct pair_conf *pc, const char *says)
{
	struct pairs p;

	error_clear();
	ck_assert_int_eq(pairs_make(&p, b, c, NULL, pc), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), says) != NULL, "'%s' does not say '%s'", error_text(), says);
	error_clear();
	pairs_release(&p);
}

static void change(json_t *cells, const char *member, const char *inner, json_t *value)
{
	json_t *c;
	size_t i;

	json_array_foreach(cells, i, c) {
		jset(inner ? json_object_get(c, member) : c, inner ? inner : member, json_incref(value));
		jset_str(c, "key", "");
	}
	json_decref(value);
}

START_TEST(who_is_paired)
{
	json_t *b = scattered("base", 3, 100, 90, 1, 0), *c;
	const struct pair_conf mixed = { .mixed = true };
	struct run r;

	/* a new version of the scheme is what gates are for; an option that only one version has does not hinder */
	c = deep(b);
	change(c, "scheme_version", NULL, json_integer(2));
	change(c, "scheme_options", "brand-new", json_integer(1));
	compared(&r, b, c, &plain_pairs, &plain);
	ck_assert_int_eq(r.p.npairs, 3);
	ck_assert_int_eq(r.p.ngroups, 1);
	done(&r);
	change(c, "scheme_version", NULL, json_integer(1)); /* the same version: another setting */
	expect_refusal(b, c, &plain_pairs, "differ in scheme_options");
	json_decref(c);
	/* other data, another recipe: never, also not mixed */
	c = deep(b);
	change(c, "recipe", "epochs", json_integer(99));
	expect_refusal(b, c, &mixed, "differ in recipe");
	json_decref(c);
	c = deep(b);
	change(c, "dataset_hash", NULL, json_string("other"));
	expect_refusal(b, c, &mixed, "dataset_hash");
	json_decref(c);
	/* other seeds */
	c = deep(b);
	change(c, "seed", NULL, json_integer(77));
	json_array_remove(c, 2);
	json_array_remove(c, 1);
	expect_refusal(b, c, &plain_pairs, "seed");
	json_decref(c);
	json_decref(b);
}
END_TEST

START_TEST(mixing_is_refused_unless_asked_for)
{
	static const struct { const char *member, *inner; int value; } cases[] = {
		{ "engine", NULL, 9 }, { "limits", "test", 100 }, { "limits", "train", 7 },
	};
	const struct pair_conf mixed = { .mixed = true };

	for (size_t i = 0; i <= ARRAY_LEN(cases); i++) {
		json_t *b = scattered("base", 2, 100, 90, 1, 0), *c = deep(b);
		struct run r;

		if (i < ARRAY_LEN(cases))
			change(c, cases[i].member, cases[i].inner, json_integer(cases[i].value));
		else
			change(c, "tier", NULL, json_string("paper"));
		expect_refusal(b, c, &plain_pairs, "--mixed");
		compared(&r, b, c, &mixed, &plain);
		ck_assert_int_eq(r.p.npairs, 2);
		ck_assert(r.p.group[0].mixed);
		done(&r);
		json_decref(b);
		json_decref(c);
	}
}
END_TEST

START_TEST(a_new_scheme_against_an_old_one)
{
	const struct pair_conf pc = { .scheme = "keycheck", .against = "activeguard" };
	json_t *b = json_array(), *c = json_array();
	struct run r;

	for (int seed = 1; seed <= 2; seed++) {
		json_array_append_new(b, sample_cell("mnist", "activeguard", seed));
		json_array_append_new(b, sample_cell("mnist", "none", seed));
		json_array_append_new(c, sample_cell("mnist", "keycheck", seed));
		json_array_append_new(c, sample_cell("mnist", "activeguard", seed));
	}
	compared(&r, b, c, &pc, &plain);
	ck_assert_int_eq(r.p.npairs, 2);
	ck_assert_str_eq(r.p.group[0].label, "keycheck against activeguard");
	done(&r);
	/* two settings of it: which one is meant? */
	json_array_append_new(b, sample_cell("mnist", "activeguard", 1));
	jset_num(json_object_get(json_array_get(b, 4), "scheme_options"), "tolerance", 0.02);
	jset_str(json_array_get(b, 4), "key", "");
	expect_refusal(b, c, &pc, "several settings");
	json_decref(b);
	json_decref(c);
}
END_TEST

START_TEST(missing_cells_are_named)
{
	json_t *b = scattered("base", 3, 100, 90, 1, 0), *c = deep(b), *failures = json_array(), *f = json_object();
	struct comparison cmp;
	struct pairs p;

	json_array_append_new(b, sample_attacked("mnist", "activeguard", "prune", "rate", 0.5, 2));
	jset(f, "point", deep(json_array_get(b, 3)));
	jset_str(f, "why", "it crashed");
	json_array_append_new(failures, f);
	ck_assert_int_eq(pairs_make(&p, b, c, failures, &plain_pairs), 0);
	compare_pairs(&p, &plain, &cmp);
	ck_assert_uint_eq(json_array_size(p.missing), 1);
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(p.missing, 0)), "prune"));
	ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(p.missing, 0)), "it crashed"));
	ck_assert_int_eq(compare_exit(&cmp, &p, false, false), EXIT_UNEVALUABLE);
	ck_assert_int_eq(compare_exit(&cmp, &p, false, true), EXIT_YES);
	comparison_release(&cmp);
	pairs_release(&p);
	json_decref(failures);
	json_decref(b);
	json_decref(c);
}
END_TEST

/* JSON files come from anywhere: a cell that says next to nothing, or nonsense, is compared by what it says. */
START_TEST(poor_cells)
{
	static const char *const texts[] = {
		"{\"scheme\": \"x\", \"metrics\": {\"authorised_accuracy\": {\"value\": 3}}}",
		"{\"scheme\": \"x\", \"scheme_options\": 7, \"attack\": 3, \"observations\": [], \"limits\": \"a\", \"seed\": {}, \"metrics\": {\"a\": 1, \"b\": {}}}",
		"{\"scheme\": \"x\", \"observations\": {\"bits\": {\"a\": {\"n\": 1e9}}}, \"metrics\": {\"a\": {\"value\": \"x\"}}, \"verdict\": null}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *cells = json_array();
		const struct compare_names names = { "b", "c", true, true, false };
		struct run r;

		json_array_append_new(cells, json_read_text(texts[i], strlen(texts[i]), "cell"));
		compared(&r, cells, cells, &plain_pairs, &plain);
		ck_assert_int_eq(r.p.npairs, 1);
		json_decref(compare_json(&r.c, &r.p, &names));
		done(&r);
		json_decref(cells);
	}
}
END_TEST

/* The whole sample against itself: everything is the same, in every group. */
START_TEST(itself)
{
	struct sample s;
	struct run r;

	sample_make(&s, "fashion-mnist", 2, 1000);
	compared(&r, s.cells, s.cells, &plain_pairs, &plain);
	ck_assert_int_eq((size_t)r.p.npairs == json_array_size(s.cells), 1);
	ck_assert_int_eq(r.c.count[COMPARE_SAME], r.c.n);
	ck_assert_int_gt(r.c.n, 50);
	done(&r);
	sample_release(&s);
}
END_TEST

/* ---- margins ---- */

START_TEST(margins_are_read)
{
	struct margins m = { .n = 0 };

	ck_assert_double_eq(margin_of(&m, "authorised_accuracy", false, 90), 1);
	ck_assert_double_eq(margin_of(&m, "authorised_accuracy", true, 90), 5);
	ck_assert_double_eq_tol(margin_of(&m, "credential_bytes", false, 90), 0.9, 1e-9);
	sandbox_write("m.yaml", "name: x\nmargins: {default: 2, attacked: 7, credential_bytes: 10%}\n", 66);
	ck_assert_msg(margins_file(&m, sandbox("m.yaml")) == 0, "%s", error_text());
	ck_assert_int_eq(margins_text(&m, "default=3,identification=0.5"), 0);
	ck_assert_double_eq(margin_of(&m, "authorised_accuracy", false, 90), 3);
	ck_assert_double_eq(margin_of(&m, "authorised_accuracy", true, 90), 7);
	ck_assert_double_eq(margin_of(&m, "identification", false, 90), 0.5);
	ck_assert_double_eq_tol(margin_of(&m, "credential_bytes", false, 3136), 313.6, 1e-9);
}
END_TEST

START_TEST(bad_margins)
{
	static const char *const bad[] = { "authorised_acuracy=1", "default", "default=-1", "default=x", "default=nan", "=1", "default=",
					   "default=%" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct margins m = { .n = 0 };

		ck_assert_msg(margins_text(&m, bad[i]) == -1, "%s is taken", bad[i]);
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		error_clear();
	}
}
END_TEST

/* ---- output ---- */

static json_t *hostile_cells(const char *name, double value)
{
	static const double v[] = { 0.1, 0.2, 0.3 };
	json_t *cells = json_array();

	for (int i = 0; i < 3; i++) {
		json_t *c = bare(i + 1, name, value + v[i]);

		jset_str(c, "scheme", name);
		jset_str(c, "attack", name);
		jset_str(c, "dataset", name);
		json_array_append_new(cells, c);
	}
	return cells;
}

/* No text breaks out of its place: not a tag, row or attribute more for a hostile name than for a tame one. */
START_TEST(hostile_names)
{
	const struct compare_names names = { "a<b>|c", "x", true, false, false };
	size_t rows = 0;

	for (int i = -1; i < 0 || hostile[i]; i++) {
		const char *name = i < 0 ? "tame" : hostile[i];
		json_t *utf8 = json_string(name), *b, *c;
		char *md, *xml;
		size_t bars = 0, tags = 0;
		struct run r;

		if (!utf8) /* cannot stand in a cell */
			continue;
		json_decref(utf8);
		b = hostile_cells(name, 1);
		c = hostile_cells(name, 2);

		compared(&r, b, c, &plain_pairs, &plain);
		ck_assert_int_eq(compare_write(&r.c, &r.p, &names, sandbox("o.md")), 0);
		ck_assert_int_eq(compare_write(&r.c, &r.p, &names, sandbox("o.xml")), 0);
		md = file_read(sandbox("o.md"), 1 << 20, NULL);
		xml = file_read(sandbox("o.xml"), 1 << 20, NULL);
		for (const char *s = md; *s; s++)
			bars += *s == '|' && (s == md || s[-1] != '\\');
		for (const char *s = xml; *s; s++) {
			tags += *s == '<';
			ck_assert_msg((unsigned char)*s >= 0x20 || *s == '\n', "control in XML for %s", name);
		}
		ck_assert_ptr_null(strstr(md, "<script>"));
		rows = rows ? rows : bars * 1000 + tags;
		ck_assert_msg(bars * 1000 + tags == rows, "'%s': %zu bars, %zu tags", name, bars, tags);
		free(md);
		free(xml);
		done(&r);
		json_decref(b);
		json_decref(c);
	}
}
END_TEST

START_TEST(formats_say_the_same)
{
	json_t *b = scattered("base", 5, 1000, 90, 0.5, 0), *c = scattered("drop", 5, 1000, 80, 0.5, 0), *j;
	const struct compare_names names = { "b", "c", false, false, false };
	struct run r;
	char *text;

	compared(&r, b, c, &plain_pairs, &plain);
	j = compare_json(&r.c, &r.p, &names);
	ck_assert_str_eq(jget_str(j, "outcome", ""), "REGRESSION");
	ck_assert_int_eq(jget_int(j, "exit", -1), 1);
	ck_assert_int_eq(jget_int(json_object_get(j, "counts"), "worse", 0), 1);
	json_decref(j);
	ck_assert_int_eq(compare_write(&r.c, &r.p, &names, sandbox("o.md")), 0);
	text = file_read(sandbox("o.md"), 1 << 20, NULL);
	ck_assert_ptr_nonnull(strstr(text, "REGRESSION"));
	ck_assert_ptr_nonnull(strstr(text, "**worse**"));
	free(text);
	ck_assert_int_eq(compare_write(&r.c, &r.p, &names, sandbox("o.xml")), 0);
	text = file_read(sandbox("o.xml"), 1 << 20, NULL);
	ck_assert_ptr_nonnull(strstr(text, "tests=\"1\" failures=\"1\""));
	free(text);
	ck_assert_int_eq(compare_write(&r.c, &r.p, &names, sandbox("o.doc")), -1);
	error_clear();
	done(&r);
	json_decref(b);
	json_decref(c);
}
END_TEST

Suite *suite_compare(void);
Suite *suite_compare(void)
{
	Suite *s = suite_create("compare");
	TCase *t = tcase_create("compare");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, sandbox_open, sandbox_close);
	tcase_add_test(t, a_drop_is_found);
	tcase_add_test(t, seed_noise_is_not);
	tcase_add_test(t, a_family_of_metrics);
	tcase_add_test(t, verdicts_by_margin);
	tcase_add_test(t, numbers_by_hand);
	tcase_add_test(t, a_constant_drop_is_tested_on_trials);
	tcase_add_test(t, a_scheme_that_no_longer_trains);
	tcase_add_test(t, who_is_paired);
	tcase_add_test(t, mixing_is_refused_unless_asked_for);
	tcase_add_test(t, a_new_scheme_against_an_old_one);
	tcase_add_test(t, missing_cells_are_named);
	tcase_add_test(t, poor_cells);
	tcase_add_test(t, itself);
	tcase_add_test(t, margins_are_read);
	tcase_add_test(t, bad_margins);
	tcase_add_test(t, hostile_names);
	tcase_add_test(t, formats_say_the_same);
	suite_add_tcase(s, t);
	return s;
}
