/* The history of `make bench`: one JSON line a run, never committed. See result.h. */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/speed/result.h"
#include "metrics/stat/effect.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_BYTES ((size_t)64 << 20)

/* The folder this program is in. Caller frees. */
static char *own_folder(void)
{
	char path[4096];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return xstrdup("build");
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	return xstrdup(path);
}

char *history_path(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	char *folder, *path;

	if (state && *state == '/')
		return xasprintf("%s/lockbench/bench.jsonl", state);
	folder = own_folder();
	path = path_join(folder, "bench-history.jsonl");
	free(folder);
	return path;
}

/* What one run (a line) measured for this row; 0 when nothing, or elsewhere. */
static double measured(const json_t *run, const struct machine *m, const struct row *r)
{
	const json_t *rows = json_object_get(run, "rows");

	if (strcmp(jget_str(run, "cpu", ""), m->cpu) != 0 || strcmp(jget_str(run, "isa", ""), m->isa) != 0)
		return 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *o = json_array_get(rows, i);

		if (!strcmp(jget_str(o, "job", ""), r->job) && jget_int(o, "threads", 0) == r->threads)
			return jget_num(o, "images_per_s", 0);
	}
	return 0;
}

void history_compare(const char *path, const struct machine *m, struct row *r)
{
	double last[HISTORY_RUNS];
	size_t len;
	char *text, *next;
	int seen = 0;

	r->change = NAN;
	text = file_there(path) == 1 ? file_read(path, HISTORY_BYTES, &len) : NULL;
	if (error_code() != EXIT_YES)
		warning("%s; no comparison with earlier runs", error_text());
	for (char *line = text; line && *line; line = next) {
		const size_t n = strcspn(line, "\n");
		json_t *run = json_read_text(line, n, path); /* a line that a crash cut short counts as none */
		const double v = run ? measured(run, m, r) : 0;

		next = line[n] ? line + n + 1 : line + n;
		if (v > 0)
			last[seen++ % HISTORY_RUNS] = v;
		json_decref(run);
	}
	free(text);
	error_clear();
	if (seen)
		r->change = r->per_s / median(last, seen < HISTORY_RUNS ? seen : HISTORY_RUNS) - 1;
}

static json_t *run_json(const struct machine *m, const struct peak *p, const struct rows *r)
{
	json_t *run = json_object(), *rows = json_array();

	jset_str(run, "date", m->date);
	jset_str(run, "commit", m->commit);
	jset_str(run, "cpu", m->cpu);
	jset_str(run, "isa", m->isa);
	jset_num(run, "peak", p->gflops[0]);
	for (int i = 0; i < r->n; i++) {
		json_t *o = json_object();

		jset_str(o, "job", r->at[i].job);
		jset_int(o, "threads", r->at[i].threads);
		jset_num(o, "images_per_s", r->at[i].per_s);
		json_array_append_new(rows, o);
	}
	return jset(run, "rows", rows);
}

int history_add(const char *path, const struct machine *m, const struct peak *p, const struct rows *r)
{
	char *folder = xstrdup(path), *text;
	json_t *run = run_json(m, p, r);
	FILE *f;
	int ret;

	*strrchr(folder, '/') = '\0';
	ret = file_mkdirs(folder);
	free(folder);
	f = ret ? NULL : fopen(path, "a");
	text = json_compact(run);
	if (!ret && (!f || fprintf(f, "%s\n", text) < 0 || fflush(f)))
		ret = error(EXIT_IO, "cannot write the history %s: %s", path, strerror(errno));
	if (f)
		fclose(f);
	free(text);
	json_decref(run);
	return ret;
}
