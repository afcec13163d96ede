/* bench/withhold.c: what only an owner may know leaves a cell, everything else stays and still says what it said. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/keys.h"
#include "bench/withhold.h"
#include "tests/support_cells.h"

/* A cell of scheme with one option set, and the keys that follow from it; as a store has it. */
static json_t *cell_with(const char *scheme, const char *option, json_t *value)
{
	json_t *c = sample_cell("mnist", scheme, 1);
	struct keys k;
	char hash[65];

	jset(json_object_get(c, "scheme_options"), option, value);
	keys_of(c, &k);
	jset_str(c, "base_key", k.base);
	jset_str(c, "locked_key", k.locked);
	jset_str(c, "creds_key", k.creds);
	jset_str(c, "key", k.cell);
	json_hash(c, hash);
	jset_str(c, "sha256", hash);
	return c;
}

static json_t *numbers(int a, int b, int c)
{
	json_t *list = json_array();

	json_array_append_new(list, json_integer(a));
	json_array_append_new(list, json_integer(b));
	json_array_append_new(list, json_integer(c));
	return list;
}

static bool holds(const json_t *j, const char *text)
{
	char *all = json_compact(j);
	bool yes = strstr(all, text) != NULL;

	free(all);
	return yes;
}

static void same_keys(const json_t *a, const json_t *b)
{
	struct keys x, y;

	keys_of(a, &x);
	keys_of(b, &y);
	ck_assert(!memcmp(&x, &y, sizeof(x)));
	ck_assert_str_eq(x.cell, jget_str(b, "key", ""));
}

/* Gone, sealed anew, with the keys it had; and back again for who knows the value. */
static void goes_and_comes_back(const char *scheme, const char *option, json_t *value, const char *secret, const char *set)
{
	json_t *c = cell_with(scheme, option, value), *left = withhold(c), *twice = withhold(left), *whole, *unsealed;
	char lacks[160] = "", hash[65];

	ck_assert(holds(c, secret) && !withheld(c));
	ck_assert_msg(!holds(left, secret) && withheld(left), "%s %s stays", scheme, option);
	ck_assert(json_equal(left, twice));
	ck_assert_str_eq(jget_str(left, "withheld", ""), jget_str(c, "sha256", ""));
	unsealed = json_copy(left);
	json_object_del(unsealed, "sha256");
	json_hash(unsealed, hash);
	ck_assert_str_eq(jget_str(left, "sha256", ""), hash);
	same_keys(c, left);
	ck_assert_ptr_null(withheld_restore(left, NULL, 0, lacks));
	ck_assert_msg(!strncmp(lacks, set, strcspn(set, "=")), "'%s'", lacks);
	ck_assert_int_eq(withheld_check(left), 1);
	ck_assert_int_eq(withheld_check_values(&set, 1), 0);
	whole = withheld_restore(left, &set, 1, lacks);
	ck_assert_ptr_nonnull(whole);
	ck_assert(json_equal(whole, c));
	ck_assert_int_eq(error_code(), EXIT_YES);
	json_decref(whole);
	json_decref(unsealed);
	json_decref(twice);
	json_decref(left);
	json_decref(c);
}

START_TEST(secrets_go_and_come_back)
{
	goes_and_comes_back("activeguard", "digits", json_string("4711081547110"), "4711081547110",
			    "schemes.activeguard.digits=4711081547110");
	goes_and_comes_back("passport", "signature", json_string("Owned by Zyx"), "Owned by Zyx",
			    "schemes.passport.signature=Owned by Zyx");
	goes_and_comes_back("chaotic", "key", numbers(11, 17, 23), "[11,17,23]", "schemes.chaotic.key=11,17,23");
}
END_TEST

/* What stands in papers and in our own defaults is withheld like everything else, and put back without being asked. */
START_TEST(published_values)
{
	static const char *const digits[] = { "1234567890210", "3876876994865" };

	for (size_t i = 0; i < ARRAY_LEN(digits); i++) {
		json_t *c = cell_with("activeguard", "digits", json_string(digits[i])), *left = withhold(c), *whole;
		char lacks[160];

		ck_assert(!holds(left, digits[i]));
		whole = withheld_restore(left, NULL, 0, lacks);
		ck_assert(whole && json_equal(whole, c));
		ck_assert_int_eq(withheld_check(left), 0);
		jset_str(left, "withheld", jget_str(c, "key", "")); /* somebody says that it was another cell */
		ck_assert_int_eq(withheld_check(left), -1);
		error_clear();
		json_decref(whole);
		json_decref(left);
		json_decref(c);
	}
}
END_TEST

START_TEST(what_is_no_secret_stays)
{
	json_t *cell[] = { cell_with("passport", "signature", json_string("")), cell_with("activeguard", "digits", json_string("random")),
			   cell_with("chaotic", "key", json_array()), cell_with("none", "digits", json_string("4711081547110")),
			   cell_with("keycheck", "users", json_integer(3)), cell_with("passport", "key", json_string("image")) };

	for (size_t i = 0; i < ARRAY_LEN(cell); i++) {
		json_t *left = withhold(cell[i]);

		ck_assert_msg(json_equal(left, cell[i]), "case %zu", i);
		ck_assert(!withheld(left));
		ck_assert_int_eq(withheld_check(left), 0);
		jset_str(left, "withheld", jget_str(left, "key", ""));
		ck_assert_int_eq(withheld_check(left), -1);
		error_clear();
		json_decref(left);
		json_decref(cell[i]);
	}
}
END_TEST

/* Cells of one value stay one variant, of two values two, whatever the seed. */
START_TEST(values_stay_apart)
{
	json_t *a = cell_with("passport", "signature", json_string("one")), *b = cell_with("passport", "signature", json_string("two")),
	       *c = cell_with("passport", "signature", json_string("one")), *left[3];

	jset_int(c, "seed", 2);
	left[0] = withhold(a);
	left[1] = withhold(b);
	left[2] = withhold(c);
	ck_assert(json_equal(json_object_get(left[0], "scheme_options"), json_object_get(left[2], "scheme_options")));
	ck_assert(!json_equal(json_object_get(left[0], "scheme_options"), json_object_get(left[1], "scheme_options")));
	for (int i = 0; i < 3; i++)
		json_decref(left[i]);
	json_decref(a);
	json_decref(b);
	json_decref(c);
}
END_TEST

/* A failure's point has no keys of its own: it gets the one that cannot be computed any more. */
START_TEST(points_of_failures)
{
	json_t *c = cell_with("passport", "signature", json_string("one")), *left;
	struct keys k, after;

	json_object_del(c, "sha256");
	json_object_del(c, "locked_key");
	keys_of(c, &k);
	left = withhold(c);
	keys_of(left, &after);
	ck_assert(!memcmp(&k, &after, sizeof(k)));
	ck_assert_ptr_null(json_object_get(left, "withheld"));
	ck_assert_ptr_null(json_object_get(left, "sha256"));
	json_decref(left);
	json_decref(c);
}
END_TEST

START_TEST(nothing_runs_on_a_mark)
{
	json_t *c = cell_with("passport", "signature", json_string("one")), *left = withhold(c);
	struct point p;

	ck_assert_int_eq(point_from_json(&p, left), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "withheld"));
	error_clear();
	json_decref(left);
	json_decref(c);
}
END_TEST

START_TEST(values_given)
{
	static const char *const bad[] = { "", "signature=x", "schemes.passport.signature", "schemes.passport.alpha=1", "schemes.nobody.digits=1",
					   "schemes.activeguard.range=a,b", "seeds=3" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(withheld_check_values(&bad[i], 1) == -1, "'%s' is taken", bad[i]);
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		error_clear();
	}
}
END_TEST

/* What schemes declare are options of theirs, and what is published is a value of it. */
START_TEST(declarations)
{
	int n = 0;

	for (const struct driver *const *d = schemes; *d; d++)
		for (const struct secret_option *o = ((const struct scheme *)*d)->secrets; o->name; o++, n++) {
			void *conf = xcalloc(1, (*d)->conf_size);

			ck_assert_msg(opt_find((*d)->opts, o->name) != NULL, "%s has no option %s", (*d)->name, o->name);
			opt_defaults((*d)->opts, conf);
			ck_assert(!o->published || opt_set((*d)->opts, conf, o->name, o->published) == 0);
			free(conf);
		}
	ck_assert_int_ge(n, 4);
}
END_TEST

Suite *suite_withhold(void);
Suite *suite_withhold(void)
{
	Suite *s = suite_create("withhold");
	TCase *t = tcase_create("withhold");

	tcase_add_test(t, secrets_go_and_come_back);
	tcase_add_test(t, published_values);
	tcase_add_test(t, what_is_no_secret_stays);
	tcase_add_test(t, values_stay_apart);
	tcase_add_test(t, points_of_failures);
	tcase_add_test(t, nothing_runs_on_a_mark);
	tcase_add_test(t, values_given);
	tcase_add_test(t, declarations);
	suite_add_tcase(s, t);
	return s;
}
