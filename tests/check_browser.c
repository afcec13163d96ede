/* The HTML report in a real browser, headless Chromium: nothing on the console, every picture loads, and the page is never wider than
 * the window, at 1280 and at 400 pixels, with more schemes and attacks than fit. Skipped by name where there is no Chromium. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

#define PNG "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
static const char probe[] =
	"<script>document.querySelectorAll('details').forEach(d=>d.open=true);addEventListener('load',()=>{const d=document.documentElement,n=[...document.images];"
	"parent.postMessage(`width ${innerWidth} page ${d.scrollWidth} body ${document.body.scrollWidth} "
	"pictures ${n.length} broken ${n.filter(i=>!i.naturalWidth).length}`,'*')})</script>";
/* A window is at least 500 pixels wide; a frame is as wide as one wants, and its media queries are its own. */
static const char frame[] =
	"<!doctype html><html><body><script>addEventListener('message',e=>document.body.setAttribute('data-seen',e.data))</script>"
	"<iframe src=\"probe.html\" style=\"border:0;height:1500px;width:%dpx\"></iframe></body></html>\n";

/* The browser's name, or NULL after saying that the test is skipped. */
static const char *browser(const char *test)
{
	static const char *const name[] = { "chromium", "chromium-browser", "google-chrome" };
	char command[128];

	for (size_t i = 0; i < ARRAY_LEN(name); i++) {
		snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name[i]);
		if (system(command) == 0)
			return name[i];
	}
	fprintf(stderr, "skipped: %s: no chromium on the PATH\n", test);
	return NULL;
}

/* Twelve schemes, ten attacks of three strengths each, names that do not break, pictures and a driver with hostile texts. */
static void make_wide(struct sample *s)
{
	static const char *const scheme = "a-scheme-whose-name-has-no-place-to-break-%d";
	json_t *picture = json_object(), *one = json_object(), *list = json_array();
	char name[80], attack[80];

	sample_make(s, "fashion-mnist", 2, 0);
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), scheme, i);
		jset_str(json_array_get(s->cells, 0), "creds_key", "k");
		json_array_append_new(s->cells, sample_cell("fashion-mnist", name, 1));
		for (int a = 0; a < 10; a++)
			for (int k = 1; k <= 3; k++) {
				snprintf(attack, sizeof(attack), "an-attack-with-a-very-long-name-%d", a);
				json_array_append_new(s->cells, sample_attacked("fashion-mnist", name, attack, "rate", 0.25 * k, 1));
			}
	}
	jset_str(jset_str(picture, "what", hostile[1]), "png", PNG);
	jset_int(jset_int(picture, "w", 28), "h", 28);
	json_array_append_new(list, picture);
	json_array_append_new(list, json_pack("{s:s,s:s,s:i,s:i}", "what", "bad", "png", "\" onerror=\"alert(1)", "w", 1, "h", 1));
	s->in.pictures = jset(json_object(), "k", list);
	jset_str(jset_str(one, "summary", hostile[0]), "source", "Somebody. Differs: </dd><script>alert(1)</script>");
	snprintf(name, sizeof(name), scheme, 0);
	s->in.drivers = jset(json_object(), "schemes", jset(json_object(), name, one));
}

static void release(struct sample *s)
{
	json_decref((json_t *)(uintptr_t)s->in.pictures);
	json_decref((json_t *)(uintptr_t)s->in.drivers);
	sample_release(s);
}

/* What Chromium prints of the page and on its console; caller frees. */
static char *look(const char *with, const char *file, int width, const char *more)
{
	char command[1400];

	snprintf(command, sizeof(command),
		 "HOME=%s timeout 100 %s --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
		 "--disable-sync --disable-dev-shm-usage --user-data-dir=%s --hide-scrollbars --enable-logging=stderr --window-size=%d,2000 %s "
		 "file://%s >%s 2>%s",
		 sandbox(""), with, sandbox("profile"), width, more, file, sandbox("dom"), sandbox("console"));
	ck_assert_int_eq(system(command), 0);
	return file_read(sandbox("dom"), (size_t)64 << 20, NULL);
}

static void assert_quiet(void)
{
	char *console = file_read(sandbox("console"), (size_t)16 << 20, NULL);

	ck_assert_msg(!strstr(console, "CONSOLE"), "%.500s", strstr(console, "CONSOLE"));
	free(console);
}

static void append(const char *name, const char *text)
{
	FILE *f = fopen(sandbox(name), "ab");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(page_fits_and_is_quiet)
{
	const char *with = browser("page_fits_and_is_quiet");
	const int width = _i ? 400 : 1280;
	struct sample s;
	char *html, *open, *dom, *seen, outside[600];
	int inner = 0, page = 0, body = 0, pictures = 0, broken = -1;

	if (!with)
		return;
	make_wide(&s);
	html = sample_report(&s.in, sandbox("r.html"));
	ck_assert_ptr_nonnull(html);
	ck_assert_ptr_null(strstr(html, "onerror=\"alert"));
	free(look(with, sandbox("r.html"), width, "--dump-dom")); /* as it is, with its policy: a violation is an error on the console */
	assert_quiet();
	/* A copy without the policy, so that a script can measure. Details are opened: what is folded must fit too. */
	open = strstr(html, "<meta http-equiv");
	ck_assert_ptr_nonnull(open);
	memset(open, ' ', strcspn(open, ">") + 1);
	sandbox_write("probe.html", html, strlen(html));
	append("probe.html", probe);
	snprintf(outside, sizeof(outside), frame, width);
	sandbox_write("frame.html", outside, strlen(outside));
	dom = look(with, sandbox("frame.html"), 1400, "--virtual-time-budget=20000 --dump-dom");
	assert_quiet();
	seen = strstr(dom, "data-seen=\"");
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(sscanf(seen, "data-seen=\"width %d page %d body %d pictures %d broken %d", &inner, &page, &body, &pictures, &broken), 5);
	ck_assert_int_eq(inner, width);
	ck_assert_int_le(page, inner);
	ck_assert_int_le(body, inner);
	ck_assert_int_eq(pictures, 1);
	ck_assert_int_eq(broken, 0);
	free(dom);
	free(html);
	release(&s);
}
END_TEST

Suite *suite_browser(void);
Suite *suite_browser(void)
{
	Suite *s = suite_create("browser");
	TCase *tc = tcase_create("browser");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, sandbox_open, sandbox_close);
	tcase_add_loop_test(tc, page_fits_and_is_quiet, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
