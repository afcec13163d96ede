/* base/opt.c: strict values, plain messages, canonical form, names that are nearly right. */
#include <check.h>
#include <float.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/opt.h"
#include "tests/support_sandbox.h"

struct conf {
	int steps;
	double rate;
	int fast, mode;
	char tag[OPT_STRING_MAX];
	struct opt_ints sizes;
	struct opt_floats rates;
	int any_int;
	double any;
};

static const struct opt opts[] = {
	{ "steps", OPT_INT, offsetof(struct conf, steps), "10", 1, 1000, "training steps", NULL },
	{ "rate", OPT_FLOAT, offsetof(struct conf, rate), "0.5", 0, 1, "fraction of weights set to zero", NULL },
	{ "fast", OPT_BOOL, offsetof(struct conf, fast), "no", 0, 0, "skip the slow part", NULL },
	{ "mode", OPT_CHOICE, offsetof(struct conf, mode), "soft", 0, 0, "how to decide", "hard|soft|softer" },
	{ "tag", OPT_STRING, offsetof(struct conf, tag), "", 0, 8, "name in tables", NULL },
	{ "sizes", OPT_INTS, offsetof(struct conf, sizes), "8,16", 1, 64, "layer sizes", NULL },
	{ "rates", OPT_FLOATS, offsetof(struct conf, rates), "", 0, 1, "rates to try", NULL },
	{ "any-int", OPT_INT, offsetof(struct conf, any_int), "0", 0, 0, "any integer", NULL },
	{ "any", OPT_FLOAT, offsetof(struct conf, any), "0", 0, 0, "any number", NULL },
	{ 0 }
};

static struct conf conf;

static void fill(void)
{
	memset(&conf, 0xa5, sizeof(conf)); /* whatever was there must not show */
	opt_defaults(opts, &conf);
}

START_TEST(defaults_are_the_rows)
{
	ck_assert_int_eq(conf.steps, 10);
	ck_assert(conf.rate == 0.5);
	ck_assert_int_eq(conf.fast, 0);
	ck_assert_int_eq(conf.mode, 1);
	ck_assert_str_eq(conf.tag, "");
	ck_assert(conf.sizes.n == 2 && conf.sizes.v[0] == 8 && conf.sizes.v[1] == 16 && conf.sizes.v[2] == 0);
	ck_assert_int_eq(conf.rates.n, 0);
}
END_TEST

/* text: what opt_text() says after the value was accepted. */
static const struct accepted {
	const char *name, *value, *text;
} accepts[] = {
	{ "steps", "1", "1" }, { "steps", "1000", "1000" }, { "steps", "+7", "7" }, { "steps", "007", "7" },
	{ "any-int", "-2147483648", "-2147483648" }, { "any-int", "2147483647", "2147483647" },
	{ "rate", "0", "0" }, { "rate", "1", "1" }, { "rate", "1e-3", "0.001" }, { "rate", ".25", "0.25" },
	{ "rate", "0.1", "0.1" }, { "rate", "1.", "1" }, { "rate", "-0", "0" }, { "rate", "+1E-2", "0.01" },
	{ "any", "0.30000000000000004", "0.30000000000000004" }, { "any", "1e23", "1e+23" },
	{ "any", "1.7976931348623157e308", "1.7976931348623157e+308" }, { "any", "5e-324", "4.94065645841247e-324" },
	{ "any", "0e999", "0" }, { "any", "123456789.125", "123456789.125" },
	{ "fast", "true", "true" }, { "fast", "on", "true" }, { "fast", "1", "true" }, { "fast", "off", "false" },
	{ "mode", "hard", "hard" }, { "mode", "softer", "softer" },
	{ "tag", "a b", "a b" }, { "tag", "caf\xc3\xa9", "caf\xc3\xa9" }, { "tag", "12345678", "12345678" },
	{ "sizes", "", "" }, { "sizes", "3", "3" }, { "sizes", "64,1,7", "64,1,7" }, { "rates", "0.1,1e-2", "0.1,0.01" },
};

START_TEST(good_values_are_taken)
{
	const struct accepted *c = &accepts[_i];
	char buf[OPT_TEXT_MAX];

	ck_assert_msg(opt_set(opts, &conf, c->name, c->value) == 0, "%s", error_text());
	ck_assert_str_eq(opt_text(opt_find(opts, c->name), &conf, buf), c->text);
}
END_TEST

/* message: a part of the error text. */
static const struct refused {
	const char *name, *value, *message;
} refuses[] = {
	{ "steps", "", "option 'steps': '' is not a whole number" },
	{ "steps", "12x", "is not a whole number" }, { "steps", " 12", "is not a whole number" },
	{ "steps", "12 ", "is not a whole number" }, { "steps", "1e2", "is not a whole number" },
	{ "steps", "0x10", "is not a whole number" }, { "steps", "--1", "is not a whole number" },
	{ "steps", "+", "is not a whole number" }, { "steps", "5.0", "is not a whole number" },
	{ "steps", "0", "option 'steps': 0 is out of range; allowed: 1 to 1000" },
	{ "steps", "1001", "option 'steps': 1001 is out of range; allowed: 1 to 1000" },
	{ "steps", "99999999999999999999", "out of range; allowed: 1 to 1000" },
	{ "any-int", "2147483648", "allowed: -2147483648 to 2147483647" },
	{ "any-int", "-2147483649", "out of range" },
	{ "rate", "nan", "option 'rate': 'nan' is not a finite number" }, { "rate", "inf", "is not a finite number" },
	{ "rate", "-inf", "is not a finite number" }, { "rate", "0x1p-1", "is not a finite number" },
	{ "rate", "0.5x", "is not a finite number" }, { "rate", "0,5", "is not a finite number" },
	{ "rate", ".", "is not a finite number" }, { "rate", "1e", "is not a finite number" },
	{ "rate", "1e+-2", "is not a finite number" }, { "rate", "", "is not a finite number" },
	{ "rate", "-", "is not a finite number" }, { "rate", "1e400", "too large" }, { "rate", "1e-400", "too small" },
	{ "rate", "1.0000001", "option 'rate': 1.0000001 is out of range; allowed: 0 to 1" },
	{ "rate", "-1e-9", "out of range" },
	{ "fast", "truth", "is not true or false" }, { "fast", "null", "is not true or false" }, { "fast", "2", "is not true or false" }, { "fast", "", "is not" },
	{ "mode", "sof", "option 'mode': 'sof' is not one of hard|soft|softer" }, { "mode", "", "is not one of" },
	{ "mode", "soft|softer", "is not one of" }, { "mode", "Soft", "is not one of" },
	{ "tag", "123456789", "option 'tag': the length of 123456789 is out of range; allowed: at most 8" },
	{ "tag", "a\nb", "control" }, { "tag", "\xff", "UTF-8" },
	{ "sizes", "1,", "is not a list like 1,2,3" }, { "sizes", ",1", "not a list" }, { "sizes", "1,,2", "not a list" },
	{ "sizes", "1, 2", "option 'sizes': ' 2' is not a whole number" },
	{ "sizes", "1,65", "option 'sizes': 65 is out of range; allowed: 1 to 64" },
	{ "rates", "0.1;0.2", "is not a finite number" }, { "rates", "0.5,nan", "is not a finite number" },
	{ "step", "1", "unknown option 'step'; did you mean 'steps'?" },
	{ "Rate", "1", "unknown option 'Rate'; did you mean 'rate'?" },
	{ "any-itn", "1", "did you mean 'any-int'?" },
	{ "bogus", "1", "unknown option 'bogus'; known: steps, rate, fast, mode, tag, sizes, rates, any-int, any" },
	{ "", "1", "unknown option ''; known: steps" },
};

START_TEST(bad_values_are_refused_by_name)
{
	const struct refused *c = &refuses[_i];

	ck_assert_int_eq(opt_set(opts, &conf, c->name, c->value), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), c->message) != NULL, "got: %s", error_text());
}
END_TEST

START_TEST(long_values_are_refused)
{
	char text[1000];

	memset(text, '1', sizeof(text));
	text[999] = '\0';
	ck_assert_int_eq(opt_set(opts, &conf, "tag", text), -1);
	ck_assert_int_eq(opt_set(opts, &conf, "sizes", text), -1);
	ck_assert_int_eq(opt_set(opts, &conf, "steps", text), -1);
	ck_assert_int_eq(opt_set(opts, &conf, text, "1"), -1);
	for (int i = 1; i < 2 * OPT_LIST_MAX; i += 2)
		text[i] = ',';
	text[2 * OPT_LIST_MAX - 1] = '\0'; /* OPT_LIST_MAX elements */
	error_clear();
	ck_assert_int_eq(opt_set(opts, &conf, "sizes", text), 0);
	ck_assert_int_eq(conf.sizes.n, OPT_LIST_MAX);
	memcpy(text + 2 * OPT_LIST_MAX - 1, ",1", 3);
	ck_assert_int_eq(opt_set(opts, &conf, "sizes", text), -1);
	ck_assert_str_eq(error_text(), "option 'sizes': more than 64 elements");
}
END_TEST

static const struct {
	double min, max;
	const char *message;
} one_sided[] = {
	{ 1, INT_MAX, "allowed: at least 1" }, { INT_MIN, -1, "allowed: at most -1" },
	{ -3, -1, "allowed: -3 to -1" },
};

START_TEST(range_says_only_real_bounds)
{
	struct opt o[] = { { "n", OPT_INT, 0, "1", one_sided[_i].min, one_sided[_i].max, "count", NULL }, { 0 } };
	int n;

	ck_assert_int_eq(opt_set(o, &n, "n", "0"), -1);
	ck_assert_msg(strstr(error_text(), one_sided[_i].message) != NULL, "got: %s", error_text());
}
END_TEST

START_TEST(locale_does_not_matter)
{
	char buf[OPT_TEXT_MAX];

	sandbox_open();
	if (comma_locale())
		ck_assert(strtod("0,5", NULL) == 0.5);
	sandbox_close();
	ck_assert_int_eq(opt_set(opts, &conf, "rate", "0.25"), 0);
	ck_assert(conf.rate == 0.25);
	ck_assert_str_eq(opt_text(opt_find(opts, "rate"), &conf, buf), "0.25");
	ck_assert_int_eq(opt_set(opts, &conf, "rate", "0,25"), -1);
}
END_TEST

START_TEST(equal_values_are_equal_bytes)
{
	struct conf other;

	memset(&other, 0x5a, sizeof(other));
	opt_defaults(opts, &other);
	opt_set(opts, &other, "tag", "longer");
	opt_set(opts, &other, "sizes", "1,2,3,4,5");
	opt_set(opts, &conf, "tag", "x");
	opt_set(opts, &other, "tag", "x");
	opt_set(opts, &other, "sizes", "8,16");
	ck_assert_mem_eq(conf.tag, other.tag, sizeof(conf.tag));
	ck_assert_mem_eq(&conf.sizes, &other.sizes, sizeof(conf.sizes));
}
END_TEST

/* ---- JSON ---- */

static char *canonical(const struct conf *c)
{
	json_t *j = opt_json(opts, c);
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(j);
	return text;
}

START_TEST(canonical_form_has_every_option)
{
	char *text = canonical(&conf);

	ck_assert_str_eq(text, "{\"any\":0.0,\"any-int\":0,\"fast\":false,\"mode\":\"soft\",\"rate\":0.5,"
			       "\"rates\":[],\"sizes\":[8,16],\"steps\":10,\"tag\":\"\"}");
	free(text);
}
END_TEST

START_TEST(canonical_form_reads_back)
{
	struct conf back;
	char *text, *again;
	json_t *j;

	for (size_t i = 0; i < ARRAY_LEN(accepts); i++)
		ck_assert_int_eq(opt_set(opts, &conf, accepts[i].name, accepts[i].value), 0);
	j = opt_json(opts, &conf);
	memset(&back, 0x3c, sizeof(back));
	ck_assert_int_eq(opt_from_json(opts, &back, j), 0);
	json_decref(j);
	text = canonical(&conf);
	again = canonical(&back);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
}
END_TEST

/* result: canonical form of the one option named first, or NULL and a part of the message. */
static const struct from_json {
	const char *json, *name, *result, *message;
} from_jsons[] = {
	{ "{}", "steps", "10", NULL }, { "null", "steps", "10", NULL },
	{ "{\"steps\":7}", "steps", "7", NULL }, { "{\"steps\":\"7\"}", "steps", "7", NULL },
	{ "{\"steps\":7.0}", "steps", "7", NULL }, { "{\"steps\":7.5}", NULL, NULL, "'7.5' is not a whole number" },
	{ "{\"steps\":true}", NULL, NULL, "'true' is not a whole number" },
	{ "{\"steps\":null}", NULL, NULL, "wants one value" }, { "{\"steps\":[1]}", NULL, NULL, "wants one value" },
	{ "{\"steps\":9223372036854775807}", NULL, NULL, "out of range; allowed: 1 to 1000" },
	{ "{\"rate\":0.1}", "rate", "0.1", NULL }, { "{\"rate\":1}", "rate", "1", NULL },
	{ "{\"rate\":\"1e-3\"}", "rate", "0.001", NULL }, { "{\"rate\":\"nan\"}", NULL, NULL, "finite" },
	{ "{\"fast\":true}", "fast", "true", NULL }, { "{\"fast\":1}", "fast", "true", NULL },
	{ "{\"mode\":\"hard\"}", "mode", "hard", NULL }, { "{\"mode\":1}", NULL, NULL, "'1' is not one of" },
	{ "{\"tag\":5}", "tag", "5", NULL }, { "{\"tag\":[\"a\"]}", NULL, NULL, "wants one value" },
	{ "{\"sizes\":[1,2]}", "sizes", "1,2", NULL }, { "{\"sizes\":[]}", "sizes", "", NULL },
	{ "{\"sizes\":\"4,5\"}", "sizes", "4,5", NULL }, { "{\"sizes\":3}", "sizes", "3", NULL },
	{ "{\"sizes\":[\"1,2\"]}", NULL, NULL, "'1,2' is not a whole number" },
	{ "{\"sizes\":[[1]]}", NULL, NULL, "wants a list" }, { "{\"sizes\":{}}", NULL, NULL, "wants a list" },
	{ "{\"sizes\":[1,99]}", NULL, NULL, "99 is out of range; allowed: 1 to 64" },
	{ "{\"stpes\":7}", NULL, NULL, "unknown option 'stpes'; did you mean 'steps'?" },
	{ "[1]", NULL, NULL, "must be an object" },
};

START_TEST(json_values_are_parsed_as_strictly)
{
	const struct from_json *c = &from_jsons[_i];
	json_t *j = json_loads(c->json, JSON_DECODE_ANY, NULL);
	char buf[OPT_TEXT_MAX];
	int ret = opt_from_json(opts, &conf, j);

	json_decref(j);
	ck_assert_msg(ret == (c->result ? 0 : -1), "%s: %s", c->json, error_text());
	if (c->result)
		ck_assert_str_eq(opt_text(opt_find(opts, c->name), &conf, buf), c->result);
	else
		ck_assert_msg(strstr(error_text(), c->message) != NULL, "got: %s", error_text());
}
END_TEST

START_TEST(missing_members_get_their_default)
{
	json_t *j = json_pack("{s:i}", "steps", 3);

	opt_set(opts, &conf, "rate", "0.9");
	ck_assert_int_eq(opt_from_json(opts, &conf, j), 0);
	json_decref(j);
	ck_assert_int_eq(conf.steps, 3);
	ck_assert(conf.rate == 0.5);
}
END_TEST

START_TEST(no_table_is_no_options)
{
	json_t *j = opt_json(NULL, NULL);

	ck_assert_uint_eq(json_object_size(j), 0);
	ck_assert_int_eq(opt_from_json(NULL, NULL, j), 0);
	json_decref(j);
	opt_defaults(NULL, NULL);
	ck_assert_ptr_null(opt_find(NULL, "x"));
	ck_assert_int_eq(opt_set(NULL, NULL, "x", "1"), -1);
	ck_assert_str_eq(error_text(), "unknown option 'x'; known: none");
}
END_TEST

START_TEST(bad_default_is_a_bug)
{
	static const struct opt bad[] = { { "rate", OPT_FLOAT, 0, "2", 0, 1, "rate", NULL }, { 0 } };
	double rate;

	opt_defaults(bad, &rate);
}
END_TEST

/* ---- names ---- */

static const struct nearly {
	const char *typed, *expect;
} nearlies[] = {
	{ "noise", "noise" }, { "nosie", "noise" }, { "noises", "noise" }, { "oise", "noise" }, { "n", NULL },
	{ "prnue", "prune" }, { "finetun", "finetune" }, { "fine-tunes", "finetune" }, { "quantise", "quantize" },
	{ "", NULL }, { "zzzzz", NULL }, { "x", NULL }, { "cw", "c-w" }, { "xpassport", "passport" },
	{ "pass", NULL }, /* four edits: a beginning is not a typing mistake */
};

START_TEST(suggestion_is_the_nearest_or_none)
{
	static const char *const names[] = { "c-w", "finetune", "noise", "passport", "prune", "quantize", "y" };
	const char *found = suggest(nearlies[_i].typed, names, ARRAY_LEN(names));

	if (nearlies[_i].expect)
		ck_assert_pstr_eq(found, nearlies[_i].expect);
	else
		ck_assert_ptr_null(found);
}
END_TEST

START_TEST(nearest_wins_then_the_first)
{
	static const char *const names[] = { "rates", "rats", "rata", "ratesxx" };

	ck_assert_str_eq(suggest("ratesx", names, 4), "rates");
	ck_assert_str_eq(suggest("rat", names, 4), "rats");
	ck_assert_ptr_null(suggest("rat", names, 0));
}
END_TEST

/* ---- help ---- */

static char *printed(void (*print)(FILE *))
{
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	print(f);
	fclose(f);
	return text;
}

static void print_help(FILE *f)
{
	opt_help(opts, f, 4);
}

static void print_markdown(FILE *f)
{
	opt_markdown(opts, f);
}

START_TEST(help_and_markdown_name_every_option)
{
	char *help = printed(print_help), *md = printed(print_markdown);

	for (const struct opt *o = opts; o->name; o++) {
		ck_assert_ptr_nonnull(strstr(help, o->help));
		ck_assert_ptr_nonnull(strstr(md, o->help));
	}
	ck_assert_ptr_nonnull(strstr(help, "    rate     0.5      number, 0 to 1 "));
	ck_assert_ptr_nonnull(strstr(md, "| `rate` | `0.5` | number, 0 to 1 | fraction of weights set to zero |\n"));
	ck_assert_ptr_nonnull(strstr(md, "hard\\|soft\\|softer"));
	ck_assert_ptr_nonnull(strstr(md, "| `tag` | `(empty)` | text, length at most 8 |"));
	free(help);
	free(md);
}
END_TEST

Suite *suite_opt(void);
Suite *suite_opt(void)
{
	Suite *s = suite_create("opt");
	TCase *tc = tcase_create("opt");

	tcase_add_checked_fixture(tc, fill, NULL);
	tcase_add_test(tc, defaults_are_the_rows);
	tcase_add_loop_test(tc, good_values_are_taken, 0, ARRAY_LEN(accepts));
	tcase_add_loop_test(tc, bad_values_are_refused_by_name, 0, ARRAY_LEN(refuses));
	tcase_add_test(tc, long_values_are_refused);
	tcase_add_loop_test(tc, range_says_only_real_bounds, 0, ARRAY_LEN(one_sided));
	tcase_add_test(tc, locale_does_not_matter);
	tcase_add_test(tc, equal_values_are_equal_bytes);
	tcase_add_test(tc, canonical_form_has_every_option);
	tcase_add_test(tc, canonical_form_reads_back);
	tcase_add_loop_test(tc, json_values_are_parsed_as_strictly, 0, ARRAY_LEN(from_jsons));
	tcase_add_test(tc, missing_members_get_their_default);
	tcase_add_test(tc, no_table_is_no_options);
	tcase_add_test_raise_signal(tc, bad_default_is_a_bug, SIGABRT);
	tcase_add_loop_test(tc, suggestion_is_the_nearest_or_none, 0, ARRAY_LEN(nearlies));
	tcase_add_test(tc, nearest_wins_then_the_first);
	tcase_add_test(tc, help_and_markdown_name_every_option);
	suite_add_tcase(s, tc);
	return s;
}
