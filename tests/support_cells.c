/* Cells made by hand. See support_cells.h. */
#include "tests/support_cells.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "datasets/dataset.h"
#include "metrics/metric.h"
#include "metrics/observe.h"

#define TEST_IMAGES 10000
#define USERS 30
#define EACH 100

const char *const hostile[] = {
	"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "&lt;&amp;&#60;", "</style></svg><script>",
	"\\input{/etc/passwd}", "\\write18{id}", "100% of $x_1^2$ & #3 {a}~b", "[x] \\\\ [2em]", "a|b|c\n|---|", "![x](http://e.example/p.png)",
	"[link](javascript:alert(1))", "www.example.com", "=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "say \"hi\", then", "line\r\nbreak",
	"'; system('id'); '", "`id`", "a'b\nset output '/tmp/x'", "\x1b[31mred\x1b[0m", "\x07\x08", "\xc2\x9b" "31m", "\xff\xfe", "\xe2\x80\xae" "evil",
	"\xed\xa0\x80", "\xf4\x90\x80\x80", "{}^_@&~", "*bold* _it_ ~~s~~", "# heading", "1. list", "", " ", "\xc3\xa9t\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", NULL
};

/* ---- pieces ---- */

static void random_bits(struct observations *o, const char *name, const char *purpose, long long seed, size_t n, double share)
{
	unsigned char *bits = xmalloc(n, 1);
	struct rng r;

	rng_open(&r, (uint64_t)seed, purpose, 0, 0);
	for (size_t i = 0; i < n; i++)
		bits[i] = rng_uniform(&r) < share;
	obs_bits(o, name, bits, n);
	free(bits);
}

static void confidences(struct observations *o, const char *name, double low_share, double n)
{
	double bin[50];

	for (int i = 0; i < 50; i++) /* nearly all sure, a thin tail below */
		bin[i] = i < 10 ? 0 : floor(n * (low_share * pow(1.09, i - 30) / 10 + (i == 49 ? 0.94 : i > 44 ? 0.01 : 0)));
	obs_series(o, name, bin, 50);
}

static json_t *options_of(const char *scheme, const char *watermark, const char *digits, int length, const char *layer)
{
	json_t *o = json_object();
	static const double confidence[] = { 0.2, 0.3, 0.4 };

	if (strcmp(scheme, "activeguard"))
		return o;
	jset(o, "confidences", json_array());
	for (int i = 0; i < 3; i++)
		json_array_append_new(json_object_get(o, "confidences"), json_real(confidence[i]));
	jset(o, "classes", json_array());
	jset_num(o, "tolerance", 0.01);
	jset_str(o, "confidence", "softmax");
	jset_str(o, "watermark", watermark);
	jset_str(o, "digits", digits);
	jset_int(o, "length", length);
	jset_str(o, "layer", layer);
	return o;
}

/* The published payload of a set that has one. */
static void payload_of(const char *dataset, char hash[HASH_HEX])
{
	sha256_hex(dataset, strlen(dataset), hash);
	for (int i = 0; datasets[i]; i++) {
		const struct dataset_driver *d = (const struct dataset_driver *)datasets[i];

		if (!strcmp(d->drv.name, dataset) && d->hash)
			snprintf(hash, HASH_HEX, "%s", d->hash);
	}
}

/* What no report shows; hash: any. */
static void add_harness(json_t *c, const char *hash)
{
	static const char *const hashes[] = { "base_key", "locked_key", "creds_key", "metrics_version" };
	static const char *const texts[] = { "base_hash", "locked_hash", "level", "needs", "goal", "strength_option" };
	json_t *ledger = json_object();

	for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
		jset_str(c, hashes[i], hash);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		jset_str(c, texts[i], "");
	jset_int(jset_int(jset_int(ledger, "queries", 0), "labels", 0), "submissions", 0);
	jset(c, "ledger", jset_num(ledger, "forward_equivalents", 0));
	jset(c, "notes", json_object());
	jset_int(c, "model_version", 1);
}

static json_t *cell_frame(const char *dataset, const char *scheme, long long seed, json_t *scheme_options)
{
	json_t *c = json_object(), *limits = json_object(), *shape = json_object(), *recipe = json_object();
	char hash[HASH_HEX];
	bool users = strcmp(scheme, "none") != 0;

	payload_of(dataset, hash);
	jset_int(limits, "train", 0);
	jset_int(limits, "test", 0);
	jset_int(shape, "c", 1);
	jset_int(shape, "h", 28);
	jset_int(shape, "w", 28);
	jset_int(shape, "classes", 10);
	jset_int(recipe, "epochs", 15);
	jset_str(recipe, "optimizer", "adam");
	jset_num(recipe, "lr", 0.001);
	jset_int(c, "schema", 1);
	jset_str(c, "dataset", dataset);
	jset_str(c, "dataset_hash", hash);
	jset_str(c, "model", "lenet5");
	jset(c, "shape", shape);
	jset(c, "recipe", recipe);
	jset(c, "limits", limits);
	jset_int(c, "seed", seed);
	jset_str(c, "tier", "short");
	jset_str(c, "scheme", scheme);
	jset_int(c, "scheme_version", 1);
	jset(c, "scheme_options", scheme_options);
	jset_int(c, "users", users ? USERS : 0);
	jset_int(c, "credentials_per_user", users ? EACH : 0);
	jset_str(c, "attack", "none");
	jset_int(c, "attack_version", 0);
	jset(c, "attack_options", json_object());
	jset_int(c, "engine", 1);
	jset_str(c, "kernel", "fma");
	jset_str(c, "lockbench", "0.1.0");
	jset_str(c, "verdict", "ok");
	jset_str(c, "why", "");
	add_harness(c, hash);
	return c;
}

static void finish(json_t *c, struct observations *o)
{
	char key[HASH_HEX];

	jset(c, "observations", obs_json(o));
	jset(c, "metrics", metrics_json(o));
	obs_release(o);
	json_hash(c, key);
	jset_str(c, "key", key);
}

static double sure(const char *dataset)
{
	return !strcmp(dataset, "mnist") ? 0.9914 : 0.905;
}

static json_t *functional_cell(const char *dataset, const char *scheme, long long seed, json_t *options)
{
	json_t *c = cell_frame(dataset, scheme, seed, options);
	struct observations o = { 0 };
	bool none = !strcmp(scheme, "none"), guard = !strcmp(scheme, "activeguard");
	const char *mark = jget_str(options, "watermark", "none");
	double p = sure(dataset);

	random_bits(&o, "reference_correct", "reference", seed, TEST_IMAGES, p);
	random_bits(&o, "authorised_correct", strcmp(mark, "none") ? mark : "reference", seed, TEST_IMAGES, p);
	random_bits(&o, "unauthorised_correct", none ? "reference" : "locked", seed, TEST_IMAGES, none ? p : 0.1);
	obs_num(&o, "classes", 10);
	obs_num(&o, "parameters", 61706);
	obs_num(&o, "reference_parameters", 61706);
	obs_num(&o, "macs", 416520);
	obs_num(&o, "reference_macs", 416520);
	if (!none) {
		random_bits(&o, "genuine_accepted", "genuine", seed, (size_t)USERS * EACH, guard ? 0.992 : 1);
		random_bits(&o, "genuine_identified", "genuine", seed, (size_t)USERS * EACH, guard ? 0.992 : 1);
		random_bits(&o, "zero_effort_accepted", "zero", seed, TEST_IMAGES, guard ? 0.0002 : 0);
		random_bits(&o, "revoked_accepted", "revoked", seed, EACH, 0);
		obs_num(&o, "users", USERS);
		obs_num(&o, "credentials_per_user", EACH);
		obs_num(&o, "users_analytic", guard ? 200 : 1e9);
		obs_num(&o, "users_measured", USERS);
		obs_num(&o, "credential_bytes", guard ? 3136 : 16);
	}
	if (strcmp(mark, "none")) {
		random_bits(&o, "mark_matched", "mark", seed, 13, 1);
		random_bits(&o, "null_verified", "null", seed, 20, 0);
		obs_num(&o, "ownership_verified", 1);
	}
	confidences(&o, "confidence_histogram_clean", 0.002, TEST_IMAGES);
	finish(c, &o);
	return c;
}

/* name=value of the attack's options; strength: which of them. */
static json_t *attack_cell(const char *dataset, const char *scheme, long long seed, json_t *scheme_options, const char *attack,
			   const char *goal, json_t *attack_options, const char *strength)
{
	json_t *c = cell_frame(dataset, scheme, seed, scheme_options);

	jset_str(c, "attack", attack);
	jset_int(c, "attack_version", 1);
	jset(c, "attack_options", attack_options);
	jset_str(c, "goal", goal);
	jset_str(c, "strength_option", strength);
	return c;
}

static json_t *one_option(const char *name, double value)
{
	return value == floor(value) && value >= 1 ? jset_int(json_object(), name, (long long)value) : jset_num(json_object(), name, value);
}

static json_t *prune_cell(const char *dataset, const char *scheme, long long seed, json_t *options, double rate)
{
	const char *mark = jget_str(options, "watermark", "none"), *digits = jget_str(options, "digits", "");
	json_t *c = attack_cell(dataset, scheme, seed, options, "prune", "remove",
				jset_str(one_option("rate", rate), "scope", "global"), "rate");
	struct observations o = { 0 };
	bool lost = rate >= 0.5 && !strncmp(digits, "123", 3);

	random_bits(&o, "attacked_correct", "reference", seed, TEST_IMAGES, sure(dataset) - 0.3 * pow(rate, 6));
	obs_num(&o, "changed", rate);
	if (strcmp(mark, "none")) {
		random_bits(&o, "mark_matched", "pruned", seed, 13, lost ? 0.8 : 1);
		obs_num(&o, "ownership_verified", !lost);
	}
	if (rate == 0)
		jset_str(jset_str(c, "verdict", "noop"), "why", "no weight differs from the deployed model");
	finish(c, &o);
	return c;
}

static json_t *finetune_cell(const char *dataset, const char *scheme, long long seed, json_t *options, int epochs)
{
	json_t *ao = one_option("epochs", epochs), *c;
	struct observations o = { 0 };

	jset_str(ao, "data", "pool");
	jset_int(ao, "images", 7000);
	jset_num(ao, "lr", 0.0001);
	c = attack_cell(dataset, scheme, seed, options, "finetune", "remove", ao, "epochs");
	random_bits(&o, "attacked_correct", "tuned", seed + epochs, TEST_IMAGES, sure(dataset) - 0.001);
	obs_num(&o, "changed", 1);
	if (strcmp(jget_str(options, "watermark", "none"), "none")) {
		random_bits(&o, "mark_matched", "pruned", seed, 13, 1);
		obs_num(&o, "ownership_verified", 1);
	}
	finish(c, &o);
	return c;
}

static json_t *forge_cell(const char *dataset, const char *scheme, long long seed, json_t *options, const char *method, double share)
{
	json_t *c = attack_cell(dataset, scheme, seed, options, "forge", "impersonate",
				jset_str(one_option("tries", 10000), "method", method), "tries");
	struct observations o = { 0 };

	if (!strcmp(scheme, "none")) {
		jset_str(jset_str(c, "verdict", "n/a"), "why", "the scheme has no credentials to forge");
	} else {
		random_bits(&o, "forged_accepted", method, seed, 10000, !strcmp(scheme, "keycheck") ? 0 : share);
		confidences(&o, "confidence_histogram", 20 * share, 10000);
	}
	finish(c, &o);
	return c;
}

static json_t *jpeg_cell(const char *dataset, const char *scheme, long long seed, json_t *options, int quality)
{
	json_t *c = attack_cell(dataset, scheme, seed, options, "jpeg", "degrade",
				jset_str(one_option("quality", quality), "subsampling", "420"), "quality");
	struct observations o = { 0 };
	double q = quality / 100.0;

	random_bits(&o, "channel_authorised_correct", "jpeg", seed, TEST_IMAGES, sure(dataset) - 0.1 * pow(1 - q, 3));
	if (strcmp(scheme, "none")) {
		random_bits(&o, "channel_genuine_accepted", "jpeg", seed, (size_t)USERS * EACH, !strcmp(scheme, "keycheck") ? 1 : 0.3 * q * q);
		obs_num(&o, "users", USERS);
		obs_num(&o, "credentials_per_user", EACH);
	}
	finish(c, &o);
	return c;
}

/* ---- for single tests ---- */

json_t *sample_cell(const char *dataset, const char *scheme, long long seed)
{
	return functional_cell(dataset, scheme, seed, options_of(scheme, "scratch", "1234567890210", 0, "auto"));
}

json_t *sample_attacked(const char *dataset, const char *scheme, const char *attack, const char *option, double strength, long long seed)
{
	json_t *c = attack_cell(dataset, scheme, seed, options_of(scheme, "scratch", "1234567890210", 0, "auto"), attack, "remove",
				one_option(option, strength), option);
	struct observations o = { 0 };

	random_bits(&o, "attacked_correct", "reference", seed, 1000, 0.9 - 0.5 * strength);
	finish(c, &o);
	return c;
}

struct image { double difficulty; int at; };

static int by_difficulty(const void *a, const void *b)
{
	const struct image *x = a, *y = b;

	return (x->difficulty > y->difficulty) - (x->difficulty < y->difficulty);
}

json_t *sample_measured(const char *scheme, long long seed, const char *run, int images, double accuracy)
{
	json_t *c = cell_frame("mnist", scheme, seed, options_of(scheme, "scratch", "1234567890210", 0, "auto"));
	unsigned char *bits = xcalloc((size_t)images, 1);
	struct image *order = xmalloc((size_t)images, sizeof(*order));
	struct observations o = { 0 };
	struct rng all, one;

	rng_open(&all, 1, "difficulty", 0, 0);
	rng_open(&one, (uint64_t)seed, run, 0, 0);
	for (int i = 0; i < images; i++)
		order[i] = (struct image){ rng_normal(&all) + 0.3 * rng_normal(&one), i };
	qsort(order, (size_t)images, sizeof(*order), by_difficulty);
	for (int i = 0; i < (int)lround(accuracy * images); i++)
		bits[order[i].at] = 1;
	obs_bits(&o, "authorised_correct", bits, (size_t)images);
	free(bits);
	free(order);
	finish(c, &o);
	return c;
}

void sample_metric(json_t *cell, const char *name, double value, double low, double high, long k, long n)
{
	json_t *m = json_object();

	jset_num(m, "value", value);
	jset_num(m, "low", low);
	jset_num(m, "high", high);
	jset_int(m, "k", k);
	jset_int(m, "n", n);
	jset(json_object_get(cell, "metrics"), name, m);
}

char *sample_report(const struct report_input *in, const char *path)
{
	return report_write(in, path) < 0 ? NULL : file_read(path, (size_t)64 << 20, NULL);
}

/* ---- a whole store ---- */

struct variant { const char *scheme, *watermark, *digits; int length; const char *layer; };

static void add_cells(struct sample *s, const char *dataset, long long seed, const struct variant *v, bool attacks)
{
	static const struct { const char *method; double share; } forge[] = { { "clean", 0.0002 }, { "fgsm", 0.0021 }, { "cw", 0.0008 } };
	static const int quality[] = { 10, 30, 50, 70, 90, 100 }, epochs[] = { 10, 30, 50 };

#define OPTIONS options_of(v->scheme, v->watermark, v->digits, v->length, v->layer)
	json_array_append_new(s->cells, functional_cell(dataset, v->scheme, seed, OPTIONS));
	for (int i = 0; attacks && i < 10; i++)
		json_array_append_new(s->cells, prune_cell(dataset, v->scheme, seed, OPTIONS, i / 10.0));
	if (!attacks || !strncmp(v->digits, "387", 3))
		return;
	for (int i = 0; i < 3; i++) {
		json_array_append_new(s->cells, finetune_cell(dataset, v->scheme, seed, OPTIONS, epochs[i]));
		json_array_append_new(s->cells, forge_cell(dataset, v->scheme, seed, OPTIONS, forge[i].method, forge[i].share));
	}
	for (int i = 0; i < 6; i++)
		json_array_append_new(s->cells, jpeg_cell(dataset, v->scheme, seed, OPTIONS, quality[i]));
#undef OPTIONS
}

static void add_timings(struct sample *s)
{
	const json_t *c;
	size_t i;

	json_array_foreach(s->cells, i, c) {
		json_t *t = json_object(), *m = json_object();
		double slow = !strcmp(jget_str(c, "scheme", ""), "none") ? 1 : 1.07;

		jset_str(t, "key", jget_str(c, "key", ""));
		jset_num(t, "seconds", 2.5 + 0.01 * (double)i);
		jset_int(t, "threads", 2);
		jset_num(t, "peak_rss_mib", 212.5);
		jset_num(m, "reference_latency_ms_1", 0.213);
		jset_num(m, "authorised_latency_ms_1", 0.213 * slow);
		jset_num(m, "latency_ratio_1", slow);
		if (strcmp(jget_str(c, "attack", "none"), "none"))
			json_decref(m);
		else
			jset(t, "metrics", m);
		jset(s->timings, jget_str(c, "key", ""), t);
	}
}

static void add_failure(struct sample *s, const char *dataset, long long seed)
{
	json_t *f = json_object(), *point = prune_cell(dataset, "keycheck", seed, options_of("keycheck", "", "", 0, ""), 0.95);

	json_object_del(point, "observations");
	json_object_del(point, "metrics");
	json_object_del(point, "strength_option");
	json_object_del(point, "goal");
	jset_str(f, "key", jget_str(point, "key", ""));
	jset(f, "point", point);
	jset_str(f, "verdict", "timeout");
	jset_str(f, "why", "stopped after 600 s");
	jset_int(f, "attempt", 1);
	json_array_append_new(s->failures, f);
}

static void set_limits(struct sample *s, int limit)
{
	json_t *c;
	size_t i;

	json_array_foreach(s->cells, i, c) {
		jset_int(json_object_get(c, "limits"), "train", limit);
		jset_int(json_object_get(c, "limits"), "test", limit);
	}
	json_array_foreach(s->failures, i, c) {
		json_t *point = json_object_get(c, "point");

		jset_int(json_object_get(point, "limits"), "train", limit);
		jset_int(json_object_get(point, "limits"), "test", limit);
	}
}

void sample_make(struct sample *s, const char *dataset, int seeds, int limit)
{
	static const struct variant mnist[] = {
		{ "none", "", "", 0, "" }, { "activeguard", "none", "1234567890210", 0, "auto" },
		{ "activeguard", "scratch", "1234567890210", 0, "auto" }, { "activeguard", "scratch", "3876876994865", 0, "auto" },
		{ "activeguard", "finetune", "1234567890210", 0, "auto" }, { "activeguard", "scratch", "random", 25, "conv1.weight" },
		{ "activeguard", "scratch", "random", 50, "auto" },
	}, other[] = {
		{ "none", "", "", 0, "" }, { "keycheck", "", "", 0, "" }, { "activeguard", "scratch", "1234567890210", 0, "auto" },
	};
	bool full = !strcmp(dataset, "mnist");

	*s = (struct sample){ .cells = json_array(), .timings = json_object(), .failures = json_array() };
	for (long long seed = 1; seed <= seeds; seed++)
		for (size_t i = 0; i < (full ? ARRAY_LEN(mnist) : ARRAY_LEN(other)); i++) {
			const struct variant *v = full ? &mnist[i] : &other[i];

			add_cells(s, dataset, seed, v, !full || i == 0 || i == 2 || i == 3);
		}
	add_timings(s);
	if (!full)
		add_failure(s, dataset, seeds);
	if (limit)
		set_limits(s, limit);
	s->in = (struct report_input){ .cells = s->cells, .timings = s->timings, .failures = s->failures,
				       .title = full ? "ActiveGuard on MNIST" : "Locks on Fashion-MNIST, and how to pick them",
				       .store_hash = "5f0c2c1b7e9d4a3f8b6e1d2c3a4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3",
				       .command = "lockbench run jobs/demo.yaml --tier short --store results" };
}

void sample_release(struct sample *s)
{
	json_decref(s->cells);
	json_decref(s->timings);
	json_decref(s->failures);
	*s = (struct sample){ 0 };
}
