/* bench/bundlefile.c, rerun.c: a bundle holds what the store held, says when it does not, merges, and is judged by a sample that nobody
 * chose. That it runs again is tested from outside (tests/e2e). */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"
#include "bench/rerun.h"
#include "tests/support_cells.h"
#include "tests/support_sandbox.h"

static const struct margins no_margins;

/* A store of n functional cells, seeds from..; change: a metric's value is moved by it. */
static void fill(const char *dir, int from, int n, double change)
{
	struct store *st = store_open(sandbox(dir), true);

	ck_assert_msg(st != NULL, "%s", error_text());
	for (int i = 0; i < n; i++) {
		json_t *c = sample_cell("mnist", "none", from + i), *m = json_object_get(json_object_get(c, "metrics"), "authorised_accuracy");

		jset_num(m, "value", jget_num(m, "value", 0) + change);
		ck_assert_int_eq(store_put_cell(st, jget_str(c, "key", ""), c), 0);
		json_decref(c);
	}
	store_close(st);
}

static struct bundle_file collect_dir(const char *dir)
{
	struct store *st = store_open(sandbox(dir), false);
	struct bundle_file b;

	ck_assert_msg(bundle_file_collect(&b, st, NULL, NULL) == 0, "%s", error_text());
	store_close(st);
	return b;
}

static struct bundle_file read_back(const char *name)
{
	struct bundle_file b;

	ck_assert_msg(bundle_file_read(&b, sandbox(name)) == 0, "%s", error_text());
	return b;
}

START_TEST(holds_the_store)
{
	struct bundle_file b, back;
	struct store *st;
	size_t n;
	char **keys;

	fill("s", 1, 3, 0);
	b = collect_dir("s");
	ck_assert_int_eq(jget_int(b.manifest, "cells", 0), 3);
	ck_assert_uint_eq(json_array_size(json_object_get(b.manifest, "seeds")), 3);
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar")), 0);
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar.gz")), 0);
	back = read_back("a.tar.gz");
	ck_assert_str_eq(back.hash, b.hash);
	ck_assert_int_eq(bundle_file_unpack(&back, sandbox("u")), 0);
	ck_assert_int_eq(bundle_file_unpack(&back, sandbox("u")), 0); /* again: it is there */
	st = store_open(sandbox("u"), false);
	ck_assert_ptr_nonnull(st);
	keys = store_keys(st, "cells", &n);
	ck_assert_uint_eq(n, 3);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(store_check_cell(st, keys[i]), 0);
	dir_list_free(keys, n);
	store_close(st);
	bundle_file_release(&b);
	bundle_file_release(&back);
}
END_TEST

/* The same store gives the same bytes: no time, no order of a directory, no name of a user. */
START_TEST(same_bytes)
{
	struct bundle_file b;
	char *one, *two;
	size_t n, m;

	fill("s", 1, 3, 0);
	fill("t", 3, 1, 0);
	fill("t", 1, 2, 0);
	b = collect_dir("s");
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar")), 0);
	bundle_file_release(&b);
	b = collect_dir("t");
	ck_assert_int_eq(bundle_file_write(&b, sandbox("b.tar")), 0);
	bundle_file_release(&b);
	one = file_read(sandbox("a.tar"), 1 << 24, &n);
	two = file_read(sandbox("b.tar"), 1 << 24, &m);
	ck_assert(n == m && !memcmp(one, two, n));
	free(one);
	free(two);
}
END_TEST

START_TEST(a_directory_with_something_else)
{
	struct bundle_file b, other;

	fill("s", 1, 1, 0);
	fill("t", 2, 1, 0);
	b = collect_dir("s");
	other = collect_dir("t");
	ck_assert_int_eq(bundle_file_unpack(&b, sandbox("u")), 0);
	ck_assert_int_eq(bundle_file_unpack(&other, sandbox("u")), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "another bundle"));
	error_clear();
	ck_assert_int_eq(bundle_file_unpack(&other, sandbox("s")), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "holds files"));
	error_clear();
	bundle_file_release(&b);
	bundle_file_release(&other);
}
END_TEST

/* ---- archives by hand ---- */

struct archive { char *data; size_t n; struct tar_writer t; };

static int keep(void *ctx, const void *data, size_t len)
{
	struct archive *a = ctx;

	a->data = xrealloc(a->data, a->n + len, 1);
	memcpy(a->data + a->n, data, len);
	a->n += len;
	return 0;
}

static void put(struct archive *a, const char *name, const char *data, size_t len)
{
	a->t.put = keep;
	a->t.ctx = a;
	tar_add(&a->t, name, data, len);
}

/* Changed by hand and packed again by whatever program: the manifest says so. */
static void expect_bad(struct archive *a, enum lb_exit code, const char *says)
{
	struct bundle_file b;

	tar_end(&a->t);
	ck_assert_int_eq(bundle_file_parse(&b, a->data, a->n, "test"), -1);
	ck_assert_msg(strstr(error_text(), says) && error_code() == code, "'%s' (%d) does not say '%s'", error_text(), error_code(), says);
	error_clear();
	free(a->data);
	*a = (struct archive){ 0 };
}

START_TEST(changed_bundles)
{
	struct archive t = { 0 };
	struct bundle_file b;
	char *m;

	fill("s", 1, 2, 0);
	b = collect_dir("s");
	m = json_pretty(b.manifest);
	put(&t, "MANIFEST.json", m, strlen(m));
	for (int i = 0; i < b.n; i++) {
		char *text = bundle_file_text(&b.e[i]);

		text[b.e[i].len / 2] ^= i == 1;
		put(&t, b.e[i].name, text, b.e[i].len);
		free(text);
	}
	expect_bad(&t, EXIT_NO, b.e[1].name);
	put(&t, "MANIFEST.json", m, strlen(m));
	for (int i = 0; i < b.n - 1; i++) {
		char *text = bundle_file_text(&b.e[i]);

		put(&t, b.e[i].name, text, b.e[i].len);
		free(text);
	}
	expect_bad(&t, EXIT_NO, "missing");
	put(&t, "MANIFEST.json", m, strlen(m));
	put(&t, "cells/00/x.json", "x", 1);
	expect_bad(&t, EXIT_UNEVALUABLE, "a bundle has no file");
	put(&t, "MANIFEST.json", m, strlen(m) - 1); /* JSON all the same, not ours */
	expect_bad(&t, EXIT_UNEVALUABLE, "not as lockbench wrote it");
	put(&t, b.e[0].name, "x", 1);
	expect_bad(&t, EXIT_UNEVALUABLE, "holds no MANIFEST.json");
	free(m);
	bundle_file_release(&b);
}
END_TEST

START_TEST(labs_merge)
{
	struct bundle_file in[3], out;
	const json_t *c;

	fill("a", 1, 2, 0);
	fill("b", 2, 2, 0);   /* seed 2 is in both, the same */
	fill("c", 3, 2, 0.5); /* seed 3 is in b and c, and they disagree */
	in[0] = collect_dir("a");
	in[1] = collect_dir("b");
	in[2] = collect_dir("c");
	ck_assert_int_eq(bundle_file_merge(&out, in, 2), 0);
	ck_assert_int_eq(jget_int(out.manifest, "cells", 0), 3);
	ck_assert_uint_eq(json_array_size(json_object_get(out.manifest, "conflicts")), 0);
	bundle_file_release(&out);
	ck_assert_int_eq(bundle_file_merge(&out, in, 3), 0);
	ck_assert_int_eq(jget_int(out.manifest, "cells", 0), 4);
	ck_assert_uint_eq(json_array_size(json_object_get(out.manifest, "sources")), 3);
	ck_assert_uint_eq(json_array_size(json_object_get(out.manifest, "conflicts")), 1);
	c = json_array_get(json_object_get(out.manifest, "conflicts"), 0);
	ck_assert_str_eq(jget_str(c, "kept", ""), in[1].hash);
	ck_assert_str_eq(jget_str(c, "other", ""), in[2].hash);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(c, "what"), 0)), "metrics");
	ck_assert_int_eq(bundle_file_write(&out, sandbox("m.tar")), 0);
	bundle_file_release(&out);
	out = read_back("m.tar");
	bundle_file_release(&out);
	for (int i = 0; i < 3; i++)
		bundle_file_release(&in[i]);
}
END_TEST

/* ---- what stays at home ---- */

static const char *const private[] = { "4711081547110", "Owned by Zyx", "alices-laptop", "/home/alice", "/data/",
					"\"host\"", "31, 37, 41", "p=37" };

static json_t *with_option(const char *scheme, const char *option, json_t *value)
{
	json_t *c = sample_cell("mnist", scheme, 7);
	char key[65];

	jset(json_object_get(c, "scheme_options"), option, value);
	json_object_del(c, "key");
	json_hash(c, key);
	jset_str(c, "key", key);
	return c;
}

/* A store that knows all of them: in cells, timings, failures and the note of its run. */
static void fill_private(const char *dir)
{
	json_t *c[] = { with_option("activeguard", "digits", json_string("4711081547110")),
			with_option("passport", "signature", json_string("Owned by Zyx")) };
	json_t *key = json_pack("[iii]", 31, 37, 41), *failed = with_option("chaotic", "key", key), *f, *t, *run;
	struct store *st = store_open(sandbox(dir), true);

	for (size_t i = 0; i < ARRAY_LEN(c); i++) {
		ck_assert_int_eq(store_put_cell(st, jget_str(c[i], "key", ""), c[i]), 0);
		t = json_pack("{ss,ss,sf,ss}", "key", jget_str(c[i], "key", ""), "kind", "cell", "seconds", 1.5,
			      "host", "alices-laptop");
		ck_assert_int_eq(store_put_timing(st, jget_str(c[i], "key", ""), t), 0);
		json_decref(t);
		json_decref(c[i]);
	}
	f = json_pack("{ss,ss,ss,si,sO}", "key", jget_str(failed, "key", ""), "verdict", "failed", "why",
		      "/data/alice/x: tau=31 p=37 q=41 on alices-laptop", "attempt", 1, "point", failed);
	ck_assert_int_eq(store_put_failure(st, jget_str(failed, "key", ""), f), 0);
	run = json_pack("{ss,ss,ss,ss}", "name", "of alices-laptop", "tier", "short", "lockbench", "0.1.0", "command",
			"lockbench run /home/alice/j.yaml --store /data/s --set schemes.passport.signature='Owned by Zyx'");
	ck_assert_int_eq(store_put_run(st, run), 0);
	store_close(st);
	json_decref(failed);
	json_decref(f);
	json_decref(run);
}

static const char job_text[] = "name: x # by /home/alice on alices-laptop; the mark is 4711081547110\nschemes:\n"
	"- activeguard: {digits: ['4711081547110', \"random\"]}\n- passport:\n    signature: Owned by Zyx\n    key: image\n"
	"- chaotic: {key: [31, 37, 41]}\nblocks:\n- schemes: [passport: {signature: 'Owned by Zyx'}]\n"
	"- schemes: [passport: {signature: [\"\\\"a\\\"\", 'it''s']}]\n";
static const char job_left[] = "name: x # by ~ on HOST; the mark is withheld\nschemes:\n"
	"- activeguard: {digits: ['withheld', \"random\"]}\n- passport:\n    signature: withheld\n    key: image\n"
	"- chaotic: {key: [withheld, withheld, withheld]}\nblocks:\n- schemes: [passport: {signature: 'withheld'}]\n"
	"- schemes: [passport: {signature: [\"withheld\", 'withheld']}]\n";
static const char page_text[] = "<p>digits=4711081547110 signature=Owned by Zyx</p>"
	"<pre>run /home/alice/j.yaml --store /data/s</pre>";

static void expect_private(const struct bundle_file *b)
{
	for (int i = 0; i < b->n; i++) {
		char *text = bundle_file_text(&b->e[i]);

		for (size_t k = 0; k < ARRAY_LEN(private); k++)
			ck_assert_msg(!strstr(text, private[k]), "%s holds %s: %.300s", b->e[i].name, private[k],
				      strstr(text, private[k]));
		free(text);
	}
}

static void expect_text(const struct bundle_file *b, const char *name, const char *want)
{
	for (int i = 0; i < b->n; i++)
		if (!strcmp(b->e[i].name, name)) {
			char *text = bundle_file_text(&b->e[i]);

			ck_assert_str_eq(text, want);
			free(text);
			return;
		}
	ck_abort_msg("there is no %s", name);
}

START_TEST(nothing_private)
{
	struct bundle_file b, back;
	struct store *st;
	const json_t *w;
	size_t n;
	char **keys;

	fill_private("s");
	sandbox_write("j.yaml", job_text, strlen(job_text));
	sandbox_write("r.html", page_text, strlen(page_text));
	st = store_open(sandbox("s"), false);
	ck_assert_msg(bundle_file_collect(&b, st, sandbox("j.yaml"), sandbox("r.html")) == 0, "%s", error_text());
	store_close(st);
	expect_private(&b);
	expect_text(&b, "job/j.yaml", job_left);
	expect_text(&b, "report/r.html", "<p>digits=withheld signature=withheld</p><pre>run j.yaml --store s</pre>");
	w = json_object_get(b.manifest, "withheld");
	ck_assert_uint_eq(json_object_size(w), 3);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(w, "passport"), 0)), "signature");
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar")), 0);
	back = read_back("a.tar");
	ck_assert_int_eq(bundle_file_unpack(&back, sandbox("u")), 0);
	st = store_open(sandbox("u"), false);
	keys = store_keys(st, "cells", &n);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(store_check_cell(st, keys[i]) == 0, "%s", error_text());
	dir_list_free(keys, n);
	bundle_file_release(&back); /* and again, of what was unpacked */
	ck_assert_int_eq(bundle_file_collect(&back, st, sandbox("u/job/j.yaml"), sandbox("u/report/r.html")), 0);
	ck_assert_str_eq(back.hash, b.hash);
	store_close(st);
	bundle_file_release(&b);
	bundle_file_release(&back);
}
END_TEST

/* A job whose secret cannot be cut out is not taken, nor is what is no job. */
START_TEST(jobs_that_cannot_be_read)
{
	static const char *const bad[] = { "schemes:\n- passport:\n    signature: Owned by\n      Zyx\n", "schemes: [" };
	struct bundle_file b;

	fill("s", 1, 1, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct store *st = store_open(sandbox("s"), false);

		sandbox_write("j.yaml", bad[i], strlen(bad[i]));
		ck_assert_int_eq(bundle_file_collect(&b, st, sandbox("j.yaml"), NULL), -1);
		ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
		ck_assert_ptr_nonnull(strstr(error_text(), "j.yaml:"));
		error_clear();
		store_close(st);
	}
}
END_TEST

/* What e9caef1 wrote held secrets and the machine's name: it is read, and merged without them. */
START_TEST(older_bundles)
{
	static const char path[] = "tests/golden/bundle-e9caef1/bundle.tar.gz";
	struct bundle_file in[2], out;
	char *text;

	ck_assert_msg(bundle_file_read(&in[0], path) == 0 && bundle_file_read(&in[1], path) == 0, "%s", error_text());
	ck_assert_int_eq(jget_int(in[0].manifest, "cells", 0), 8);
	text = bundle_file_text(&in[0].e[in[0].n - 1]); /* a timing */
	ck_assert_ptr_nonnull(strstr(text, "alices-laptop"));
	free(text);
	fill_private("s");
	bundle_file_release(&in[1]);
	in[1] = collect_dir("s");
	ck_assert_msg(bundle_file_merge(&out, in, 2) == 0, "%s", error_text());
	expect_private(&out);
	ck_assert_int_eq(jget_int(out.manifest, "cells", 0), 10);
	ck_assert_uint_eq(json_array_size(json_object_get(out.manifest, "conflicts")), 0);
	bundle_file_release(&out);
	bundle_file_release(&in[0]);
	bundle_file_release(&in[1]);
}
END_TEST

/* ---- what grows ---- */

static void refused_bundle(const char *name, const char *data, size_t len, const char *says)
{
	struct archive t = { 0 };
	char hash[65], *m;

	sha256_hex(data, len, hash);
	m = xasprintf("{\n  \"bundle\": 1,\n  \"files\": {\n    \"%s\": \"%s\"\n  }\n}\n", name, hash);
	put(&t, "MANIFEST.json", m, strlen(m));
	put(&t, name, data, len);
	expect_bad(&t, EXIT_UNEVALUABLE, says);
	free(m);
}

/* n times `part` between brackets. */
static char *many(const char *part, size_t n, size_t *len)
{
	const size_t k = strlen(part);
	char *text = xmalloc(n * k + 8, 1), *end = text;

	*end++ = '[';
	for (size_t i = 0; i < n; i++)
		end = mempcpy(end, part, k);
	end = mempcpy(end, "0]", 2);
	*len = (size_t)(end - text);
	return text;
}

/* Right by the manifest, and no cell all the same. */
START_TEST(cells_that_are_none)
{
	struct bundle_file b;
	const char *name = NULL, *other;
	char *text, *bad;

	fill("s", 1, 2, 0);
	b = collect_dir("s");
	name = b.e[0].name;
	other = b.e[1].name;
	text = bundle_file_text(&b.e[0]);
	refused_bundle(other, text, strlen(text), "the key inside is not the file's name");
	bad = xasprintf("%s ", text);
	refused_bundle(name, bad, strlen(bad), "not as lockbench wrote it");
	free(bad);
	refused_bundle(name, "{}\n", 3, "the key inside");
	refused_bundle(name, "[]\n", 3, "not an object");
	bad = xstrdup(text);
	ck_assert_ptr_nonnull(strstr(bad, "\"tier\": \"short\""));
	memcpy(strstr(bad, "\"tier\": \"short\""), "\"tier\": \"smoke\"", 15);
	refused_bundle(name, bad, strlen(bad), "does not match its sha256");
	free(bad);
	refused_bundle(name, text, strlen(text), "holds no store.json");
	free(text);
	bundle_file_release(&b);
}
END_TEST

/* What we would not read we do not write: a report of nothing, as large as may be. */
START_TEST(nothing_that_we_refuse)
{
	const size_t n = (size_t)60 << 20;
	struct bundle_file b, back;
	struct store *st;
	char *zeros = xcalloc(n, 1);

	fill("s", 1, 1, 0);
	memset(zeros, ' ', n);
	memcpy(zeros, "a: b\n", 5);
	sandbox_write("r.html", zeros, n);
	sandbox_write("j.yaml", zeros, 16 << 20);
	st = store_open(sandbox("s"), false);
	ck_assert_msg(bundle_file_collect(&b, st, sandbox("j.yaml"), sandbox("r.html")) == 0, "%s", error_text());
	store_close(st);
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar.gz")), -1);
	ck_assert_int_eq(error_code(), EXIT_UNEVALUABLE);
	ck_assert_ptr_nonnull(strstr(error_text(), "write it as .tar"));
	error_clear();
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar")), 0);
	back = read_back("a.tar");
	ck_assert_str_eq(back.hash, b.hash);
	bundle_file_release(&back);
	bundle_file_release(&b);
	free(zeros);
}
END_TEST

START_TEST(files_that_are_too_much)
{
	struct archive t = { 0 };
	size_t len;
	char *text = many("{},", 500000, &len);

	put(&t, "MANIFEST.json", text, len);
	expect_bad(&t, EXIT_UNEVALUABLE, "holds more than 400000 values");
	free(text);
	text = many(" ", (size_t)41 << 20, &len);
	put(&t, "MANIFEST.json", text, len);
	expect_bad(&t, EXIT_UNEVALUABLE, "MANIFEST.json has");
	refused_bundle("timing/00/0000000000000000000000000000000000000000000000000000000000000000.json", text, 2 << 20,
		       "has 2097152 bytes");
	refused_bundle("store.json", text, 2 << 20, "has 2097152 bytes");
	free(text);
}
END_TEST

/* ---- the sample ---- */

START_TEST(how_many)
{
	static const struct { const char *text; int n, want; } good[] = {
		{ "10%", 20, 2 }, { "10%", 21, 3 }, { "10%", 1, 1 }, { "100%", 7, 7 }, { "3", 7, 3 }, { "30", 7, 7 }, { "0.1%", 7, 1 }
	};
	static const char *const bad[] = { "", "%", "0", "0%", "-1", "101%", "1.5", "x", "nan", "inf%" };
	int size;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		ck_assert_int_eq(sample_size(good[i].text, good[i].n, &size), 0);
		ck_assert_msg(size == good[i].want, "%s of %d: %d", good[i].text, good[i].n, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(sample_size(bad[i], 10, &size) == -1, "'%s' is taken", bad[i]);
		error_clear();
	}
}
END_TEST

/* Ascending, none twice, another one for another bundle; every cell is drawn about equally often. */
START_TEST(who_is_drawn)
{
	int count[20] = { 0 }, pick[5], other[5], same = 0;
	char hash[65];

	for (int t = 0; t < 400; t++) {
		snprintf(hash, sizeof(hash), "%08x%056d", 0x9e3779b9u * (unsigned)(t + 1), 0);
		sample_draw(hash, 20, 5, pick);
		sample_draw(hash, 20, 5, other);
		ck_assert(!memcmp(pick, other, sizeof(pick)));
		for (int i = 0; i < 5; i++) {
			ck_assert(pick[i] >= 0 && pick[i] < 20 && (!i || pick[i] > pick[i - 1]));
			count[pick[i]]++;
		}
		hash[0] = hash[0] == '0' ? '1' : '0';
		sample_draw(hash, 20, 5, other);
		same += !memcmp(pick, other, sizeof(pick));
	}
	ck_assert_int_lt(same, 5);
	for (int i = 0; i < 20; i++) /* mean 100, sd 8.7 */
		ck_assert_msg(count[i] > 60 && count[i] < 140, "cell %d is drawn %d times of 400", i, count[i]);
}
END_TEST

static void set_metric(json_t *cell, double value, double half)
{
	json_t *m = json_object_get(json_object_get(cell, "metrics"), "authorised_accuracy");

	jset_num(jset_num(jset_num(m, "value", value), "low", value - half), "high", value + half);
}

START_TEST(judgements)
{
	json_t *a = sample_cell("mnist", "none", 1), *b = json_deep_copy(a);
	char why[256];

	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_EQUAL);
	jset_str(b, "tier", "paper"); /* labels are no difference, nor is the kernel where the numbers are the same */
	jset_str(b, "kernel", "plain");
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_EQUAL);
	set_metric(a, 90, 0.1);
	set_metric(b, 90.9, 0.1); /* within a point */
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_WITHIN);
	ck_assert_str_eq(why, "kernel fma there, plain here");
	set_metric(b, 92, 0.5);   /* neither that, nor do the intervals meet */
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_OFF);
	ck_assert_ptr_nonnull(strstr(why, "authorised_accuracy 90 there, 92 here"));
	set_metric(b, 92, 2);     /* they meet */
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_WITHIN);
	json_object_del(json_object_get(b, "metrics"), "authorised_accuracy");
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_OFF);
	json_decref(b);
	b = json_deep_copy(a);
	jset_str(b, "verdict", "scheme-untrained");
	ck_assert_int_eq(rerun_judge(a, b, &no_margins, why), RERUN_OFF);
	json_decref(a);
	json_decref(b);
}
END_TEST

/* Cells whose keys do not follow from their settings, nor metrics from observations, were not made by lockbench: found before anything
 * is run. */
START_TEST(invented_numbers)
{
	struct rerun_options o = { .sample = "1", .run = { .workers = 1 } };
	struct bundle_file b;

	fill("s", 1, 2, 3);
	b = collect_dir("s");
	ck_assert_int_eq(bundle_file_write(&b, sandbox("a.tar")), 0);
	bundle_file_release(&b);
	o.bundle = sandbox("a.tar");
	o.store = sandbox("r");
	ck_assert_int_eq(reproduce_bundle(&o), -1);
	ck_assert_int_eq(error_code(), EXIT_NO);
	error_clear();
}
END_TEST

Suite *suite_bundlefile(void);
Suite *suite_bundlefile(void)
{
	Suite *s = suite_create("bundlefile");
	TCase *t = tcase_create("bundlefile");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, sandbox_open, sandbox_close);
	tcase_add_test(t, holds_the_store);
	tcase_add_test(t, same_bytes);
	tcase_add_test(t, a_directory_with_something_else);
	tcase_add_test(t, changed_bundles);
	tcase_add_test(t, labs_merge);
	tcase_add_test(t, nothing_private);
	tcase_add_test(t, jobs_that_cannot_be_read);
	tcase_add_test(t, older_bundles);
	tcase_add_test(t, cells_that_are_none);
	tcase_add_test(t, nothing_that_we_refuse);
	tcase_add_test(t, files_that_are_too_much);
	tcase_add_test(t, how_many);
	tcase_add_test(t, who_is_drawn);
	tcase_add_test(t, judgements);
	tcase_add_test(t, invented_numbers);
	suite_add_tcase(s, t);
	return s;
}
