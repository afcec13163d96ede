/* reports/plot.c: cleaning refuses what is not on the list; with gnuplot, hostile titles come out as text. Tests that need
 * gnuplot are skipped by name where it is not installed. */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "reports/plot.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static const double xs[] = { 0, 0.5, 1 }, ys[] = { 1, 2, 3 }, lows[] = { 0.5, 1.5, 2.5 }, highs[] = { 1.5, 2.5, 3.5 };

static struct plot sample_plot(const struct plot_line *line, const char *title)
{
	return (struct plot){ .kind = PLOT_CURVES, .title = title, .xlabel = title, .ylabel = title, .line = line, .nlines = 1 };
}

START_TEST(cleaning_keeps_shapes)
{
	char *s = plot_clean("<?xml version=\"1.0\"?>\n<svg width=\"9\" height=\"9\" viewBox=\"0 0 9 9\" xmlns=\"http://www.w3.org/2000/svg\">"
			     "<title>Gnuplot</title><g id='a' color=\"black\"><use xlink:href='#a'/><text>x &amp; y</text></g></svg>",
			     "f1", "it's <\"x\">");

	ck_assert_msg(s != NULL, "%s", error_text());
	ck_assert_str_eq(s, "<svg role=\"img\" aria-label=\"it&#39;s &lt;&quot;x&quot;&gt;\" viewBox=\"0 0 9 9\"><g id=\"f1-a\" color=\"currentColor\">"
			    "<use href=\"#f1-a\"/><text>x &amp; y</text></g></svg>");
	free(s);
}
END_TEST

static const char *const dirty[] = {
	"<svg><script>alert(1)</script></svg>", "<svg onload='x()'></svg>", "<svg><a href='javascript:x'>y</a></svg>",
	"<svg><use xlink:href='http://e.example/x#y'/></svg>", "<svg><use href='data:image/svg+xml,x'/></svg>", "<svg><image href='#x'/></svg>",
	"<svg><g fill='url(http://e.example)'/></svg>", "<svg><foreignObject></foreignObject></svg>", "<svg><g style='x'/></svg>",
	"<svg><text>&evil;</text></svg>", "<svg><g></svg>", "<svg></g></svg>", "<svg", "<svg x=1></svg>", "<svg><svg></svg></svg>", "", "no picture",
	"<svg><g fill='a\"b'/></svg>", "<svg></svg></svg>", "<svg><!-- ", "<svg><title>x</svg>",
};

START_TEST(cleaning_refuses)
{
	ck_assert_ptr_null(plot_clean(dirty[_i], "f1", "x"));
	ck_assert_int_ne(error_code(), EXIT_YES);
}
END_TEST

START_TEST(absent_gnuplot_is_an_error)
{
	struct plot_line line = { "a", 3, xs, ys, NULL, NULL, 0 };
	struct plot p = sample_plot(&line, "t");

	setenv("LOCKBENCH_GNUPLOT", "/nonexistent/gnuplot", 1);
	ck_assert(!plot_available());
	ck_assert_ptr_null(plot_svg(&p, "f1"));
	ck_assert_ptr_nonnull(strstr(error_text(), "not installed"));
}
END_TEST

START_TEST(bad_exit_status_is_an_error)
{
	struct plot_line line = { "a", 3, xs, ys, NULL, NULL, 0 };
	struct plot p = sample_plot(&line, "t");

	setenv("LOCKBENCH_GNUPLOT", "/bin/false", 1);
	ck_assert_ptr_null(plot_svg(&p, "f1"));
	ck_assert_ptr_nonnull(strstr(error_text(), "exit status 1"));
}
END_TEST

/* A gnuplot of the test's own says where it runs. */
static void fake_gnuplot(const char *script)
{
	sandbox_write("gnuplot", script, strlen(script));
	ck_assert_int_eq(chmod(sandbox("gnuplot"), 0755), 0);
	setenv("LOCKBENCH_GNUPLOT", sandbox("gnuplot"), 1);
}

START_TEST(temporaries_follow_tmpdir)
{
	struct plot_line line = { "a", 3, xs, ys, NULL, NULL, 0 };
	struct plot p = sample_plot(&line, "t");
	char *text;

	ck_assert_int_eq(mkdir(sandbox("tmp"), 0700), 0);
	fake_gnuplot("#!/bin/sh\npwd >../../where\nexit 3\n");
	setenv("TMPDIR", sandbox("tmp"), 1);
	ck_assert_ptr_null(plot_svg(&p, "f1"));
	ck_assert_ptr_nonnull(strstr(error_text(), "exit status 3"));
	text = file_read(sandbox("where"), 1000, NULL);
	ck_assert_msg(text && !strncmp(text, sandbox("tmp/lockbench-plot-"), strlen(sandbox("tmp/lockbench-plot-"))), "%s", text);
	text[strcspn(text, "\n")] = '\0';
	ck_assert_int_ne(access(text, F_OK), 0); /* and goes away */
	free(text);
	error_clear();
	setenv("TMPDIR", sandbox("absent"), 1);
	ck_assert_ptr_null(plot_svg(&p, "f1"));
	ck_assert_int_eq(error_code(), EXIT_IO);
	ck_assert_msg(strstr(error_text(), "/absent") && strstr(error_text(), "$TMPDIR"), "%s", error_text());
}
END_TEST

/* A page whose plots fail says so, and the reason is told. */
static void write_page(void *arg)
{
	struct sample s;

	(void)arg;
	sample_make(&s, "fashion-mnist", 2, 0);
	if (report_write(&s.in, sandbox("r.html")) < 0)
		exit(9);
	sample_release(&s);
}

START_TEST(failed_plots_are_told)
{
	char *said, *page;

	fake_gnuplot("#!/bin/sh\necho 'out of \033[31mink' >&2\nexit 3\n");
	ck_assert_int_eq(run_child(write_page, NULL, &said), 0);
	ck_assert_msg(strstr(said, "no plot of '") && strstr(said, "(exit status 3): out of \\033[31mink") == NULL && strstr(said, "\\x1b[31mink"), "%s", said);
	ck_assert_ptr_nonnull(strstr(said, " plots could not be drawn\n"));
	ck_assert_ptr_null(strstr(strstr(said, "no plot of '") + 1, "no plot of '")); /* once, not for each */
	page = file_read(sandbox("r.html"), 1 << 24, NULL);
	ck_assert_ptr_nonnull(strstr(page, " plots could not be drawn; the numbers are in the tables."));
	free(page);
	free(said);
}
END_TEST

START_TEST(missing_output_is_an_error)
{
	struct plot_line line = { "a", 3, xs, ys, NULL, NULL, 0 };
	struct plot p = sample_plot(&line, "t");

	setenv("LOCKBENCH_GNUPLOT", "/bin/true", 1);
	ck_assert_ptr_null(plot_svg(&p, "f1"));
	ck_assert_int_ne(error_code(), EXIT_YES);
}
END_TEST

/* ---- with gnuplot ---- */

static int leftovers(void)
{
	DIR *d = opendir("/tmp");
	int n = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		n += !strncmp(e->d_name, "lockbench-plot-", 15);
	closedir(d);
	return n;
}

START_TEST(gnuplot_draws_and_leaves_nothing)
{
	struct plot_line line[] = { { "one", 3, xs, ys, lows, highs, 0 }, { "two", 3, xs, highs, NULL, NULL, 1 } };
	struct plot p = sample_plot(line, "label");
	int before = leftovers();
	char *a, *b;

	p.nlines = 2;
	a = plot_svg(&p, "f1");
	ck_assert_msg(a != NULL, "%s", error_text());
	b = plot_svg(&p, "f1");
	ck_assert_str_eq(a, b);
	ck_assert_ptr_nonnull(strstr(a, "one"));
	ck_assert_ptr_nonnull(strstr(a, "currentColor"));
	ck_assert_ptr_null(strstr(a, "http"));
	ck_assert_int_le(leftovers(), before);
	free(a);
	free(b);
}
END_TEST

START_TEST(gnuplot_shows_hostile_titles)
{
	for (int i = 0; hostile[i]; i++) {
		struct plot_line line = { hostile[i], 3, xs, ys, NULL, NULL, 0 };
		struct plot p = sample_plot(&line, hostile[i]);
		char *svg = plot_svg(&p, "f1");

		ck_assert_msg(svg != NULL, "'%s': %s", hostile[i], error_text());
		ck_assert_ptr_null(strstr(svg, "<script"));
		ck_assert_ptr_null(strstr(svg, "<img"));
		free(svg);
	}
}
END_TEST

Suite *suite_plot(void);
Suite *suite_plot(void)
{
	Suite *s = suite_create("plot");
	TCase *tc = tcase_create("plot");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_test(tc, cleaning_keeps_shapes);
	tcase_add_loop_test(tc, cleaning_refuses, 0, ARRAY_LEN(dirty));
	tcase_add_test(tc, absent_gnuplot_is_an_error);
	tcase_add_test(tc, bad_exit_status_is_an_error);
	tcase_add_test(tc, missing_output_is_an_error);
	tcase_add_test(tc, temporaries_follow_tmpdir);
	tcase_add_test(tc, failed_plots_are_told);
	if (plot_available()) {
		tcase_add_test(tc, gnuplot_draws_and_leaves_nothing);
		tcase_add_test(tc, gnuplot_shows_hostile_titles);
	} else {
		fprintf(stderr, "plot: skipped, gnuplot is not installed: gnuplot_draws_and_leaves_nothing, gnuplot_shows_hostile_titles\n");
	}
	suite_add_tcase(s, tc);
	return s;
}
