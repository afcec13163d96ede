/* bench/cli.c: one table gives parsing, help and messages. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "bench/cli.h"
#include "tests/support_sandbox.h"

struct conf {
	struct cli_common common;
	int workers;
};
static const struct opt opts[] = {
	{ "workers", OPT_INT, offsetof(struct conf, workers), "1", 1, 64, "worker processes", NULL },
	CLI_COMMON(struct conf),
	{ 0 }
};
static const struct cli_command cmd = { .name = "try", .summary = "nothing", .arguments = "FILE [FILE]", .min_args = 1, .max_args = 2,
					.opts = opts, .conf_size = sizeof(struct conf), .sets = true, .outputs = true };

static struct conf c;
static struct cli_args args;

/* Words separated by blanks. */
static int parse(const char *line)
{
	static char text[512];
	char *argv[32] = { "try" };
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *save = NULL, *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	error_clear();
	return cli_parse(&cmd, argc, argv, &c, &args);
}

START_TEST(all_spellings)
{
	static const char *const lines[] = { "--workers 3 f", "--workers=3 f", "-j 3 f", "-j3 f", "f -j 3", "-j 2 -j 3 f" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		ck_assert_msg(parse(lines[i]) == 0, "%s: %s", lines[i], error_text());
		ck_assert_int_eq(c.workers, 3);
		ck_assert_int_eq(args.n, 1);
		ck_assert_str_eq(args.arg[0], "f");
	}
}
END_TEST

START_TEST(flags_lists_and_the_end_of_options)
{
	ck_assert_int_eq(parse("--json -q -o a --output=b -oc --set x=1 --set=y=2 -- -f --json"), 0);
	ck_assert(c.common.json && c.common.quiet);
	ck_assert_int_eq(args.nout, 3);
	ck_assert_str_eq(args.out[1], "b");
	ck_assert_str_eq(args.out[2], "c");
	ck_assert_int_eq(args.nset, 2);
	ck_assert_str_eq(args.set[1], "y=2");
	ck_assert_int_eq(args.n, 2);
	ck_assert_str_eq(args.arg[0], "-f");
	ck_assert_int_eq(parse("--json=false f"), 0);
	ck_assert(!c.common.json);
}
END_TEST

static const struct { const char *line, *message; } bads[] = {
	{ "", "try wants FILE [FILE]; see `lockbench try --help`" },
	{ "a b c", "too many arguments" },
	{ "f --worker 3", "try: unknown option 'worker'; did you mean 'workers'?" },
	{ "f --outptu x", "did you mean 'output'?" },
	{ "f --hepl", "did you mean 'help'?" },
	{ "f -x", "unknown option '-x'" },
	{ "f --workers", "option 'workers' wants a value" },
	{ "f --workers 0", "0 is out of range; allowed: 1 to 64" },
	{ "f -j many", "'many' is not a whole number" },
	{ "f --json=maybe", "'maybe' is not true or false" },
	{ "f --aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "unknown option 'aaa" },
};

START_TEST(refuses)
{
	ck_assert_int_eq(parse(bads[_i].line), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_msg(strstr(error_text(), bads[_i].message), "wanted: %s\ngot:    %s", bads[_i].message, error_text());
}
END_TEST

START_TEST(every_command_is_complete)
{
	for (const struct cli_command *const *p = commands; *p; p++) {
		const struct cli_command *k = *p;
		void *conf = xcalloc(1, k->conf_size ? k->conf_size : 1);

		ck_assert(k->main && k->arguments && k->max_args <= CLI_MANY && k->min_args <= k->max_args);
		if (p != commands)
			ck_assert_str_lt(p[-1]->name, k->name);
		opt_defaults(k->opts, conf); /* BUG when a default is refused */
		free(conf);
	}
}
END_TEST

START_TEST(a_command_can_be_typed_again)
{
	char *argv[] = { "run", "a b.yaml", "--set", "x=it's", "--store=s" };
	char *text = cli_command_text(&cmd, 5, argv);

	ck_assert_str_eq(text, "lockbench try 'a b.yaml' --set 'x=it'\\''s' --store=s");
	free(text);
}
END_TEST

/* Before anything is computed; a folder that the command makes itself is not asked for. */
START_TEST(outputs_are_looked_at_first)
{
	ck_assert_int_eq(chdir(sandbox("")), 0);
	ck_assert_int_eq(parse("f -o a -o absent/b"), -1);
	ck_assert_int_eq(error_code(), EXIT_IO);
	ck_assert_ptr_nonnull(strstr(error_text(), "there is no folder absent"));
	error_clear();
	args = (struct cli_args){ .out = { "store/page.html" }, .nout = 1 };
	ck_assert_int_eq(cli_check_outputs(&cmd, &args, "store//"), 0);
	ck_assert_int_eq(cli_check_outputs(&cmd, &args, "stor"), -1);
	error_clear();
	ck_assert_int_eq(cli_check_outputs(&cmd, &args, NULL), -1);
	error_clear();
	args.out[0] = "store/sub/page.html";
	ck_assert_int_eq(cli_check_outputs(&cmd, &args, "store"), -1);
	error_clear();
	sandbox_write("store", "a file", 6);
	args.out[0] = "store/page.html";
	ck_assert_int_eq(cli_check_outputs(&cmd, &args, "store"), -1);
	error_clear();
}
END_TEST

static int only_x(const char *path)
{
	return strcmp(path, "x") ? error(EXIT_UNEVALUABLE, "not x") : 0;
}

START_TEST(outputs_have_names_that_are_known)
{
	struct cli_command named = cmd;

	named.output_name = only_x;
	ck_assert_int_eq(chdir(sandbox("")), 0);
	args = (struct cli_args){ .out = { "x", "y" }, .nout = 2 };
	ck_assert_int_eq(cli_check_outputs(&named, &args, NULL), -1);
	ck_assert_str_eq(error_text(), "not x");
	error_clear();
	args.nout = 1;
	ck_assert_int_eq(cli_check_outputs(&named, &args, NULL), 0);
}
END_TEST

Suite *suite_cli(void);
Suite *suite_cli(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("cli");

	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, all_spellings);
	tcase_add_test(tc, outputs_are_looked_at_first);
	tcase_add_test(tc, outputs_have_names_that_are_known);
	tcase_add_test(tc, flags_lists_and_the_end_of_options);
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(bads));
	tcase_add_test(tc, every_command_is_complete);
	tcase_add_test(tc, a_command_can_be_typed_again);
	suite_add_tcase(s, tc);
	return s;
}
