/* Study bundles of several labs as one. See bundlefile.h. */
#include "bench/bundlefile_parts.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

/* Members that may differ between two makings of one cell: labels, and the hash over them. */
static const char *const labels[] = { "tier", "lockbench", "sha256", "withheld" };

static bool is_label(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		if (!strcmp(name, labels[i]))
			return true;
	return false;
}

static void differing(const json_t *a, const json_t *b, json_t *what)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)a, name, v)
		if (!is_label(name) && !json_equal(v, json_object_get(b, name)))
			json_array_append_new(what, json_string(name));
	json_object_foreach((json_t *)(uintptr_t)b, name, v)
		if (!is_label(name) && !json_object_get(a, name))
			json_array_append_new(what, json_string(name));
}

struct merging { struct bundle_file *out; const struct bundle_file *in; json_t *taken, *conflicts; };

/* taken: {name: which bundle it came from}. */
static int merge_cell(struct merging *m, const struct bundle_entry *e, int from)
{
	const int first = (int)jget_int(m->taken, e->name, 0);
	const struct bundle_entry *kept = bundle_file_named(&m->in[first], e->name);
	json_t *a, *b, *what, *c;

	if (!strcmp(kept->hash, e->hash))
		return 0;
	a = bundle_entry_json(kept);
	b = bundle_entry_json(e);
	what = json_array();
	if (a && b)
		differing(a, b, what);
	json_decref(a);
	json_decref(b);
	if (!a || !b || !json_array_size(what)) {
		json_decref(what);
		return a && b ? 0 : -1;
	}
	c = json_object();
	json_object_set_new(c, "key", json_stringn(e->name + 9, BUNDLE_KEY_LEN));
	jset(c, "what", what);
	jset_str(c, "kept", m->in[first].hash);
	jset_str(c, "other", m->in[from].hash);
	json_array_append_new(m->conflicts, c);
	return 0;
}

static bool taken(const struct merging *m, const char *name)
{
	return json_object_get(m->taken, name) != NULL;
}

static void take(struct merging *m, const struct bundle_entry *e, const char *name, int from)
{
	char *text = bundle_file_text(e);

	jset_int(m->taken, name, from);
	bundle_file_add(m->out, name, text, e->len);
	free(text);
}

/* Another job or report of the same name: NAME becomes 2-NAME. */
static int take_renamed(struct merging *m, const struct bundle_entry *e, int from)
{
	const char *slash = strchr(e->name, '/');
	char name[TAR_NAME_MAX + 32];

	for (int i = from; i <= from + 1000; i++) {
		snprintf(name, sizeof(name), "%.*s/%d-%s", (int)(slash - e->name), e->name, i + 1, slash + 1);
		if (taken(m, name))
			continue;
		if (!bundle_file_path_ok(name))
			break;
		take(m, e, name, from);
		return 0;
	}
	return error(EXIT_UNEVALUABLE, "%s: no room for a second file of that name", e->name);
}

static int merge_entry(struct merging *m, const struct bundle_entry *e, int from)
{
	const bool given = bundle_file_in(e->name, "job/") || bundle_file_in(e->name, "report/");

	if (!taken(m, e->name))
		take(m, e, e->name, from);
	else if (bundle_file_in(e->name, "cells/"))
		return merge_cell(m, e, from);
	else if (given) {
		const struct bundle_entry *kept = bundle_file_named(&m->in[jget_int(m->taken, e->name, 0)], e->name);

		if (!kept || strcmp(kept->hash, e->hash) != 0)
			return take_renamed(m, e, from);
	}
	return 0;
}

/* A failure of one lab that another lab's cell answers is none. */
static void drop_failures(struct merging *m)
{
	int n = 0;

	for (int i = 0; i < m->out->n; i++) {
		struct bundle_entry e = m->out->e[i];
		char cell[TAR_NAME_MAX + 32];

		if (bundle_file_in(e.name, "failures/")) {
			snprintf(cell, sizeof(cell), "cells/%.2s/%s", e.name + 9, e.name + 9);
			if (taken(m, cell)) {
				free(e.name);
				free(e.packed);
				continue;
			}
		}
		m->out->e[n++] = e;
	}
	m->out->n = n;
}

/* An older bundle may hold a secret that stands in another one's report. */
static int make_private(struct bundle_file *in, int n)
{
	struct scrub words = { 0 };
	int ret = 0;

	for (int i = 0; i < n && !ret; i++)
		ret = bundle_file_words(&words, &in[i]);
	for (int i = 0; i < n && !ret; i++)
		ret = bundle_file_make_private(&in[i], &words, false);
	scrub_release(&words);
	return ret;
}

int bundle_file_merge(struct bundle_file *out, struct bundle_file *in, int n)
{
	struct merging m = { out, in, json_object(), json_array() };
	json_t *sources = json_array();
	int ret = make_private(in, n);

	*out = (struct bundle_file){ 0 };
	for (int i = 0; i < n; i++) {
		json_array_append_new(sources, json_string(in[i].hash));
		for (int k = 0; k < in[i].n && !ret; k++)
			ret = merge_entry(&m, &in[i].e[k], i);
	}
	if (ret == 0) {
		drop_failures(&m);
		ret = bundle_file_check_size(out);
	}
	if (ret == 0)
		ret = bundle_file_make_manifest(out, sources, m.conflicts);
	else {
		json_decref(sources);
		json_decref(m.conflicts);
	}
	json_decref(m.taken);
	if (ret < 0)
		bundle_file_release(out);
	return ret;
}
