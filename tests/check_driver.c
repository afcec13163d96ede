/* base/driver.c: finding by name, and each way a driver can be incomplete. */
#include <check.h>
#include <string.h>

#include "base/driver.h"
#include "base/error.h"

struct conf { int steps; double rate; };

static const struct opt good_opts[] = {
	{ "steps", OPT_INT, offsetof(struct conf, steps), "10", 1, 100, "steps to take", NULL },
	{ "rate", OPT_FLOAT, offsetof(struct conf, rate), "0.5", 0, 1, "fraction", NULL },
	{ 0 }
};

static const struct driver noise = { "noise", "add noise", "Somebody 2020, sec. 3. Differs: nothing.", 1,
				     sizeof(struct conf), good_opts };
static const struct driver prune = { "prune", "cut weights", "Han 2015. Differs: one shot.", 2, 0, NULL };
static const struct driver *const table[] = { &noise, &prune, NULL };
static const struct driver *const empty[] = { NULL };

START_TEST(found_by_exact_name)
{
	ck_assert_ptr_eq(driver_find(table, "attack", "noise"), &noise);
	ck_assert_ptr_eq(driver_find(table, "attack", "prune"), &prune);
	ck_assert_str_eq(error_text(), "");
}
END_TEST

static const struct missing {
	const struct driver *const *table;
	const char *name, *message;
} missings[] = {
	{ table, "nosie", "unknown attack 'nosie'; did you mean 'noise'?" },
	{ table, "Prune", "unknown attack 'Prune'; did you mean 'prune'?" },
	{ table, "watermark", "unknown attack 'watermark'; known: noise, prune" },
	{ table, "", "unknown attack ''; known: noise, prune" },
	{ empty, "noise", "unknown attack 'noise'; known: none" },
};

START_TEST(missing_is_explained)
{
	ck_assert_ptr_null(driver_find(missings[_i].table, "attack", missings[_i].name));
	ck_assert_str_eq(error_text(), missings[_i].message);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
}
END_TEST

START_TEST(complete_drivers_pass)
{
	ck_assert_msg(driver_check(&noise) == 0, "%s", error_text());
	ck_assert_msg(driver_check(&prune) == 0, "%s", error_text());
}
END_TEST

/* Each case spoils one thing of the good driver or of its first option. */
static struct driver d;
static struct opt o[3];

static void copy_good(void)
{
	d = noise;
	memcpy(o, good_opts, sizeof(o));
	d.opts = o;
}

static void no_name(void) { d.name = NULL; }
static void upper_name(void) { d.name = "Noise"; }
static void dash_name(void) { d.name = "-noise"; }
static void long_name(void) { d.name = "a123456789012345678901234567890123456789012345678901234567890123x"; }
static void no_summary(void) { d.summary = ""; }
static void two_lines(void) { d.summary = "two\nlines"; }
static void full_stop(void) { d.summary = "add noise."; }
static void no_source(void) { d.source = NULL; }
static void no_differs(void) { d.source = "Somebody 2020"; }
static void no_version(void) { d.version = 0; }
static void no_conf(void) { d.conf_size = 0; }
static void no_opts(void) { d.opts = NULL; }
static void opt_name(void) { o[0].name = "Steps"; }
static void opt_type(void) { o[0].type = (enum opt_type)99; }
static void opt_offset(void) { o[0].offset = sizeof(struct conf) - 2; }
static void opt_no_default(void) { o[0].def = NULL; }
static void opt_bad_default(void) { o[0].def = "101"; }
static void opt_no_help(void) { o[0].help = NULL; }
static void opt_choices(void) { o[0].choices = "a|b"; }
static void opt_no_choices(void) { o[0].type = OPT_CHOICE; }
static void opt_range(void) { o[0].min = 200; }
static void opt_twice(void) { o[1].name = "steps"; }

static const struct spoil {
	void (*spoil)(void);
	const char *message;
} spoils[] = {
	{ no_name, "driver '(null)' lacks a name" }, { upper_name, "driver 'Noise' lacks a name of the form" },
	{ dash_name, "lacks a name" }, { long_name, "lacks a name" },
	{ no_summary, "driver 'noise' lacks a summary" }, { two_lines, "lacks a summary" }, { full_stop, "lacks a summary" },
	{ no_source, "lacks a source" }, { no_differs, "lacks \"Differs:\"" }, { no_version, "lacks a version" },
	{ no_conf, "conf_size" }, { no_opts, "conf_size" },
	{ opt_name, "driver 'noise': option 'Steps' lacks a name" }, { opt_type, "lacks a known type" },
	{ opt_offset, "lacks room in the conf" }, { opt_no_default, "lacks a default" },
	{ opt_bad_default, "driver 'noise': default refused: option 'steps': 101 is out of range" },
	{ opt_no_help, "lacks one line of help" }, { opt_choices, "lacks choices" }, { opt_no_choices, "lacks choices" },
	{ opt_range, "lacks a range" }, { opt_twice, "lacks a name of its own" },
};

START_TEST(what_is_lacking_is_named)
{
	copy_good();
	ck_assert_int_eq(driver_check(&d), 0);
	spoils[_i].spoil();
	ck_assert_int_eq(driver_check(&d), -1);
	ck_assert_msg(strstr(error_text(), spoils[_i].message) != NULL, "got: %s", error_text());
}
END_TEST

Suite *suite_driver(void);
Suite *suite_driver(void)
{
	Suite *s = suite_create("driver");
	TCase *tc = tcase_create("driver");

	tcase_add_test(tc, found_by_exact_name);
	tcase_add_loop_test(tc, missing_is_explained, 0, ARRAY_LEN(missings));
	tcase_add_test(tc, complete_drivers_pass);
	tcase_add_loop_test(tc, what_is_lacking_is_named, 0, ARRAY_LEN(spoils));
	suite_add_tcase(s, tc);
	return s;
}
