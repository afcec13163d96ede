/* A worker process: reads a task a line from stdin (JSON: {"stage", "point"}), does it against the store and answers
 * a line on descriptor 3 ({"ok"} or {"ok": false, "code", "why"}). It says {"ready"} there when it can begin, and
 * "last" in the answer after which it ends; with "again" the task itself is not to blame and wants another worker.
 * What ends it is told there, too, and printed by who started it. Ends when stdin does, and with its parent however
 * that ends. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "bench/keys.h"
#include "bench/run.h"
#include "bench/store.h"

struct worker_conf {
	char store[OPT_STRING_MAX], data_dir[OPT_STRING_MAX];
	double memory;
	int threads, parent;
};
static const struct opt worker_opts[] = {
	{ "store", OPT_STRING, offsetof(struct worker_conf, store), "store", 1, 255, "directory of the results", NULL },
	{ "data-dir", OPT_STRING, offsetof(struct worker_conf, data_dir), "", 0, 0, "look for data sets here first", NULL },
	{ "threads", OPT_INT, offsetof(struct worker_conf, threads), "0", 0, 64, "threads", NULL },
	{ "memory", OPT_FLOAT, offsetof(struct worker_conf, memory), "0", 0, 1e9, "MiB; 0: no limit", NULL },
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

/* What die() would print, as an answer. Memory may have run out, so there is no JSON library here: the text is
 * written by hand, and what would need an escape becomes a question mark. */
static void tell_parent(enum lb_exit code, const char *text)
{
	char line[4096 + 128];
	size_t n = (size_t)snprintf(line, 64, "{\"ok\":false,\"last\":true,\"code\":%d,\"why\":\"", (int)code);
	ssize_t unheard;

	for (; *text && n + 4 < sizeof(line); text++)
		line[n++] = *text < ' ' || *text > '~' || *text == '"' || *text == '\\' ? '?' : *text;
	memcpy(line + n, "\"}\n", 3);
	unheard = write(REPLY_FD, line, n + 3);
	(void)unheard; /* then its exit code must do */
}

void worker_words(void)
{
	if (fcntl(REPLY_FD, F_GETFD) >= 0)
		die_words = tell_parent;
}

static int say(FILE *out, json_t *j)
{
	char *text = json_compact(j);
	int ret = fprintf(out, "%s\n", text) < 0 || fflush(out) != 0 ? -1 : 0;

	free(text);
	json_decref(j);
	return ret;
}

/* done: tasks of this worker so far, which took their share of the processor time that a process may have. */
static int answer(FILE *out, int ret, int done)
{
	json_t *j = json_object();

	jset_bool(j, "ok", ret == 0);
	if (ret < 0) {
		jset_int(j, "code", error_code());
		jset_str(j, "why", error_text());
		jset_bool(j, "again", interrupt_signal() == SIGXCPU && done > 0);
	}
	jset_bool(j, "last", interrupt_signal() != 0);
	error_clear();
	return say(out, j);
}

static int serve(struct store *st, const char *data_dir, FILE *out)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int ret = say(out, jset_bool(json_object(), "ready", true));

	for (int done = 0; !ret && !interrupt_signal() && (n = getline(&line, &room, stdin)) > 0; done++) {
		json_t *task = json_read_text(line, (size_t)n, "task");

		ret = answer(out, task ? do_task(st, task, data_dir) : -1, done);
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

	if (!die_words)
		return error(EXIT_UNEVALUABLE, "worker: started by `lockbench run` only");
	if (cli_parse(self, argc, argv, &c, &args))
		return -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (c.parent && getppid() != c.parent)
		return EXIT_IO; /* it ended before we could ask to be told, so nobody sees this */
	if (c.memory > 0)
		process_limit_memory(c.memory * 1048576);
	/* Whatever a library prints must not look like an answer. */
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return error(EXIT_IO, "worker: no standard error");
	out = fdopen(REPLY_FD, "w");
	if (!out)
		return error(EXIT_IO, "worker: cannot answer: %s", strerror(errno));
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
