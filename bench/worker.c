/* A worker process: reads a task a line from stdin (JSON: {"stage", "point"}), does it against the store and answers a line on
 * descriptor 3 ({"ok"} or {"ok": false, "code", "why"}). Ends when stdin does, and with its parent however that ends. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "bench/keys.h"
#include "bench/store.h"

#define REPLY_FD 3

struct worker_conf {
	char store[OPT_STRING_MAX], data_dir[OPT_STRING_MAX];
	int threads, parent;
};
static const struct opt worker_opts[] = {
	{ "store", OPT_STRING, offsetof(struct worker_conf, store), "store", 1, 255, "directory of the results", NULL },
	{ "data-dir", OPT_STRING, offsetof(struct worker_conf, data_dir), "", 0, 0, "look for data sets here first", NULL },
	{ "threads", OPT_INT, offsetof(struct worker_conf, threads), "0", 0, 64, "threads", NULL },
	{ "parent", OPT_INT, offsetof(struct worker_conf, parent), "0", 0, 0, "process to end with", NULL },
	{ 0 }
};

static int do_task(struct store *st, const json_t *task, const char *data_dir)
{
	const char *stage = jget_str(task, "stage", "");
	struct point p;
	int ret;

	if (point_from_json(&p, json_object_get(task, "point")) < 0)
		return -1;
	p.attacker.budget.seconds = jget_num(task, "seconds", 0);
	for (int s = STAGE_BASE; s <= STAGE_CELL; s++) {
		if (strcmp(stage, stage_names[s]) != 0)
			continue;
		ret = stage_run(st, &p, data_dir, (enum stage)s);
		point_release(&p);
		return ret;
	}
	point_release(&p);
	return error(EXIT_UNEVALUABLE, "unknown stage '%s'", stage);
}

static int answer(FILE *out, int ret)
{
	json_t *j = json_object();
	char *text;

	jset_bool(j, "ok", ret == 0);
	if (ret < 0) {
		jset_int(j, "code", error_code());
		jset_str(j, "why", error_text());
	}
	error_clear();
	text = json_compact(j);
	ret = fprintf(out, "%s\n", text) < 0 || fflush(out) != 0 ? -1 : 0;
	free(text);
	json_decref(j);
	return ret;
}

static int serve(struct store *st, const char *data_dir, FILE *out)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int ret = 0;

	while (!ret && !interrupt_signal() && (n = getline(&line, &room, stdin)) > 0) {
		json_t *task = json_read_text(line, (size_t)n, "task");

		ret = answer(out, task ? do_task(st, task, data_dir) : -1);
		json_decref(task);
	}
	free(line);
	cell_cache_release();
	return ret;
}

static int worker_main(const struct cli_command *self, int argc, char **argv)
{
	struct worker_conf c;
	struct cli_args args;
	struct store *st;
	FILE *out;

	if (cli_parse(self, argc, argv, &c, &args))
		return -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c.parent && getppid() != c.parent)
		return EXIT_TEMPORARY; /* it ended before we could ask to be told */
	/* Whatever a library prints must not look like an answer. */
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return error(EXIT_IO, "worker: no standard error");
	out = fdopen(REPLY_FD, "w");
	if (!out)
		return error(EXIT_UNEVALUABLE, "worker: started by `lockbench run` only");
	tile_threads(c.threads);
	progress_quiet = 1;
	st = store_open(c.store, false);
	if (!st)
		return -1;
	store_work_for_run(st);
	serve(st, *c.data_dir ? c.data_dir : NULL, out);
	store_close(st);
	fclose(out);
	return EXIT_YES;
}

const struct cli_command command_worker = {
	.name = "worker", .main = worker_main, .summary = NULL /* not for people */, .arguments = "", .opts = worker_opts,
	.conf_size = sizeof(struct worker_conf)
};
