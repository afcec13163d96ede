/* bench/scrub.c: texts lose secrets and names, and nothing else. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/scrub.h"

/* A point whose options hold these. */
static json_t *point(const char *scheme, const char *option, const char *json)
{
	json_t *p = json_object(), *o = json_object();
	char *text = xasprintf("[%s]", json);
	json_t *list = json_read_text(text, strlen(text), "test");

	jset(o, option, json_incref(json_array_get(list, 0)));
	jset_str(p, "scheme", scheme);
	jset(p, "scheme_options", o);
	json_decref(list);
	free(text);
	return p;
}

static void add(struct scrub *s, const char *scheme, const char *option, const char *json)
{
	json_t *p = point(scheme, option, json);

	scrub_secrets(s, p);
	json_decref(p);
}

static struct scrub words(void)
{
	struct scrub s = { 0 };

	add(&s, "activeguard", "digits", "\"4711081547110\"");
	add(&s, "passport", "signature", "\"Zyx & \\\"Co\\\"'s <100%>\"");
	add(&s, "passport", "signature", "\"ab\"");
	add(&s, "chaotic", "key", "[11, 17, 23]");
	add(&s, "activeguard", "range", "[0.125, 0.5]");
	add(&s, "none", "digits", "\"999999999\"");
	scrub_host(&s, "alices-laptop.example.org");
	scrub_host(&s, "vm");
	scrub_host(&s, "localhost");
	return s;
}

static const struct { const char *in, *out; } texts[] = {
	{ "", "" },
	{ "digits=4711081547110 digits: '4711081547110'", "digits=withheld digits: 'withheld'" },
	{ "24711081547110 47110815471101 x4711081547110", "24711081547110 47110815471101 x4711081547110" }, /* others */
	{ "of none: 999999999", "of none: 999999999" },
	/* a value as HTML, LaTeX, JSON, CSV, YAML and shells have it */
	{ "<td>Zyx &amp; &quot;Co&quot;&#39;s &lt;100%&gt;</td>", "<td>withheld</td>" },
	{ "\"signature\": \"Zyx & \\\"Co\\\"'s <100%>\",", "\"signature\": \"withheld\"," },
	{ "\"{\"\"signature\"\":\"\"Zyx & \\\"\"Co\\\"\"'s <100%>\"\"}\"", "\"{\"\"signature\"\":\"\"withheld\"\"}\"" },
	{ "signature: 'Zyx & \"Co\"''s <100%>'", "signature: 'withheld'" },
	{ "--set 'x=Zyx & \"Co\"'\\''s <100%>'", "--set 'x=withheld'" },
	/* a short one behind its name only */
	{ "signature=ab", "signature=withheld" }, { "\"signature\": \"ab\", ab", "\"signature\": \"withheld\", ab" },
	{ "the letters ab in a text", "the letters ab in a text" },
	/* numbers, however they are written, behind their option's name */
	{ "key=11,17,23 block=0", "key=null block=0" }, { "\"key\": [\n  11,\n  17,\n  23\n]", "\"key\": [\n  null\n]" },
	{ "range=0.125,0.50", "range=null" }, { "seeds 11, 17, 23", "seeds 11, 17, 23" }, { "key=11,17,24", "key=11,17,24" },
	{ "key=11,17,231", "key=11,17,231" }, { "monkey=11,17,23", "monkey=11,17,23" },
	/* machines */
	{ "on alices-laptop.example.org, alices-laptop", "on HOST, HOST" }, { "malices-laptops", "malices-laptops" },
	{ "localhost and vm stay", "localhost and vm stay" },
	/* folders */
	{ "/home/alice/jobs/a.yaml", "a.yaml" }, { "'/home/alice' /home/bob/", "'~' ~/" }, { "in /root.", "in ~." }, { "/data/alice/mnist/x.gz: bad", "x.gz: bad" },
	{ "--store=/srv/alice/s/", "--store=s" }, { "<pre>/tmp/a b</pre>", "<pre>a b</pre>" },
	{ "a/b n/a and/or /x </td> https://a.org/b/c /* no path */", "a/b n/a and/or /x </td> https://a.org/b/c /* no path */" },
	{ "data:image/jpeg;base64,/9j/4AAQ/SkZ+/ab/cd=", "data:image/jpeg;base64,/9j/4AAQ/SkZ+/ab/cd=" },
};

START_TEST(texts_of_all_kinds)
{
	struct scrub s = words();
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *out = scrub_text(&s, texts[i].in, strlen(texts[i].in), &n);

		ck_assert_str_eq(out, texts[i].out);
		ck_assert_uint_eq(n, strlen(out));
		free(out);
	}
	scrub_release(&s);
}
END_TEST

/* A text may be any bytes. */
START_TEST(bytes_stay)
{
	struct scrub s = words();
	size_t n;
	char *out = scrub_text(&s, "\0\xff/\0\x01", 5, &n);

	ck_assert_uint_eq(n, 5);
	ck_assert_mem_eq(out, "\0\xff/\0\x01", 5);
	free(out);
	scrub_release(&s);
}
END_TEST

START_TEST(messages)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "chaotic: the key tau=11 p=17 q=23 is weak on a square of side 16: 0.25", "chaotic: the key tau=# p=# q=# is weak on a square of side 16: 0.25" },
		{ "cannot read /mnt/alice/data/t10k: Permission denied", "cannot read t10k: Permission denied" },
		{ "worker on vm died", "worker on HOST died" }, { "", "" },
	};
	struct scrub s = words();
	json_t *p = point("chaotic", "key", "[11, 17, 23]");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *out = scrub_message(&s, cases[i].in, p);

		ck_assert_str_eq(out, cases[i].out);
		free(out);
	}
	json_decref(p);
	scrub_release(&s);
}
END_TEST

START_TEST(commands)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "lockbench run jobs/smoke.yaml --store results -j 2", "lockbench run jobs/smoke.yaml --store results -j 2" },
		{ "lockbench run /home/alice/j.yaml --store=/data/s --data-dir ~/mnist", "lockbench run j.yaml --store=s --data-dir mnist" },
		{ "lockbench run ../alice/j.yaml --store a/../../b", "lockbench run j.yaml --store b" },
		{ "lockbench run '/home/alice smith/my job.yaml' -q", "lockbench run 'my job.yaml' -q" },
		/* also a value that stands in no cell */
		{ "lockbench run j --set schemes.passport.signature=new", "lockbench run j --set schemes.passport.signature=withheld" },
		{ "lockbench run j --set 'schemes=[chaotic: {key: [1, 2, 3]}]'", "lockbench run j --set 'schemes=withheld'" },
		{ "lockbench run j --set 'schemes={activeguard: {\"digits\": 12}}'", "lockbench run j --set 'schemes=withheld'" },
		{ "lockbench run j --set schemes.passport.alpha=0.2", "lockbench run j --set schemes.passport.alpha=0.2" },
		{ "lockbench run j --set 'x=it'\\''s /home/b/c'", "lockbench run j --set 'x=it'\\''s c'" },
		{ "", "" }, { "'", "'" }, { "a '", "a '" }, { "a  b", "a  b" }, { "a\\", "a\\" },
	};
	struct scrub s = words();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *out = scrub_command(&s, cases[i].in);

		ck_assert_str_eq(out, cases[i].out);
		free(out);
	}
	scrub_release(&s);
}
END_TEST

START_TEST(who_is_here)
{
	struct scrub s = { 0 };
	char *out;

	setenv("HOME", "/wherever", 1);
	scrub_here(&s);
	out = scrub_text(&s, "in /wherever", 12, NULL);
	ck_assert_str_eq(out, "in ~");
	free(out);
	scrub_release(&s);
}
END_TEST

Suite *suite_scrub(void);
Suite *suite_scrub(void)
{
	Suite *s = suite_create("scrub");
	TCase *t = tcase_create("scrub");

	tcase_add_test(t, texts_of_all_kinds);
	tcase_add_test(t, bytes_stay);
	tcase_add_test(t, messages);
	tcase_add_test(t, commands);
	tcase_add_test(t, who_is_here);
	suite_add_tcase(s, t);
	return s;
}
