/* Running a job: this process hands tasks to worker processes and keeps the books; it computes nothing itself, so a
 * task that crashes, hangs or runs out of memory costs itself (and what depends on it) and nothing else. */
#include "bench/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "bench/manifest.h"
#include "bench/plan.h"

#define LINE_LIMIT 65536
#define END_GRACE 1.0       /* seconds between asking a worker to end and killing it */
#define WORKERS_MAX 64
#define COMMAND_MAX 65536   /* bytes of the command that are noted */
#define SETTLE_STOPPED 0.5  /* seconds for the manifest of a run that was stopped */

extern char **environ;

struct worker {
	pid_t pid;       /* 0: not started */
	int to, from;    /* pipes */
	int task;        /* -1: idle */
	double started;
	bool ready;      /* it has begun: what ends it from now on is its task's doing */
	bool late;       /* killed for taking too long */
	long oom_kills;  /* of this system before it began */
	char line[LINE_LIMIT];
	size_t used;
};

struct runner {
	const struct job *job;
	const struct run_options *opt;
	struct store *st;
	struct plan plan;
	int first;              /* no task before this one is waiting */
	struct worker *w;
	int nw, threads;
	bool few;               /* the system does not give all the workers that were asked for */
	int ok, na, failed;     /* cells of this run */
	int done_tasks, memory_tasks, other_tasks; /* that succeeded, failed for want of memory, failed otherwise */
	struct progress bar;
	double done;            /* predicted seconds of finished tasks */
	json_t *failures;       /* [{key, what, verdict, why}] */
};

/* ---- workers ---- */

static int make_pipes(int task[2], int reply[2])
{
	if (pipe2(task, O_CLOEXEC) < 0)
		return -1;
	if (pipe2(reply, O_CLOEXEC) == 0)
		return 0;
	close(task[0]);
	close(task[1]);
	return -1;
}

static int cannot_start(int cause)
{
	if (cause == ENOMEM)
		return error(EXIT_MEMORY, "out of memory: cannot start a worker process");
	if (cause == EAGAIN)
		return error(EXIT_MEMORY, "cannot start a worker process: no more processes are allowed (ulimit -u)");
	return error(EXIT_IO, "cannot start a worker process: %s", strerror(cause));
}

static int spawn(struct runner *r, struct worker *w, int task, int reply)
{
	char threads[16], parent[16], memory[32];
	char *argv[] = { "lockbench", "worker", "--store", (char *)(uintptr_t)r->opt->store, "--threads", threads,
			 "--parent", parent, "--memory", memory, r->opt->data_dir ? "--data-dir" : NULL,
			 (char *)(uintptr_t)r->opt->data_dir, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	int ret;

	snprintf(threads, sizeof(threads), "%d", r->threads);
	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%.17g", r->job->memory);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, task, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, reply, REPLY_FD);
	posix_spawnattr_init(&at);
	/* A group of its own: Ctrl-C at the terminal reaches this process, which ends the workers in order. */
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&at, 0);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&at, &none);
	ret = posix_spawn(&w->pid, "/proc/self/exe", &fa, &at, argv, environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	if (!ret)
		return 0;
	w->pid = 0;
	return cannot_start(ret);
}

/* Descriptors that a child gets by dup2 must not be 0..3 themselves. */
static int out_of_the_way(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, REPLY_FD + 1);

	close(fd);
	return up;
}

/* How many processes this system has killed for want of memory; 0 where it does not tell. */
static long oom_kills(void)
{
	static const char name[] = "\noom_kill ";
	char *text = file_read("/proc/vmstat", 1 << 20, NULL), *at = text ? strstr(text, name) : NULL;
	long n = at ? strtol(at + sizeof(name) - 1, NULL, 10) : 0;

	if (!text)
		error_clear();
	free(text);
	return n;
}

static int worker_start(struct runner *r, struct worker *w)
{
	int task[2], reply[2], ret;

	if (make_pipes(task, reply) < 0)
		return cannot_start(errno);
	task[0] = out_of_the_way(task[0]);
	reply[1] = out_of_the_way(reply[1]);
	w->oom_kills = oom_kills();
	ret = task[0] < 0 || reply[1] < 0 ? cannot_start(EMFILE) : spawn(r, w, task[0], reply[1]);
	close(task[0]);
	close(reply[1]);
	w->to = task[1];
	w->from = reply[0];
	w->task = -1;
	w->used = 0;
	w->ready = w->late = false;
	if (ret < 0) {
		close(w->to);
		close(w->from);
	}
	return ret;
}

/* Forget a worker that has ended or is to end now; its wait status. */
static int worker_reap(struct worker *w)
{
	int status = 0;

	close(w->to);
	close(w->from);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		;
	w->pid = 0;
	w->task = -1;
	return status;
}

/* Ask all to end, then make them. */
static void end_workers(struct runner *r)
{
	double until = now_seconds() + END_GRACE;

	for (int i = 0; i < r->nw; i++) {
		if (r->w[i].pid && r->w[i].task >= 0)
			kill(r->w[i].pid, SIGTERM);
		else if (r->w[i].pid)
			close(r->w[i].to), r->w[i].to = open("/dev/null", O_RDONLY | O_CLOEXEC); /* end of input ends it */
	}
	for (int i = 0; i < r->nw; i++) {
		struct worker *w = &r->w[i];
		siginfo_t si = { 0 };

		while (w->pid && now_seconds() < until && waitid(P_PID, (id_t)w->pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && !si.si_pid)
			poll(NULL, 0, 10);
		if (w->pid && !si.si_pid)
			kill(w->pid, SIGKILL);
		if (w->pid)
			worker_reap(w);
	}
}

/* ---- outcomes ---- */

static const struct point *task_point(const struct runner *r, const struct task *t)
{
	return &r->job->cells[t->cell].p;
}

static const char *task_text(const struct runner *r, const struct task *t, char *buf)
{
	const struct point *p = task_point(r, t);
	char scheme[200];

	if (t->stage == STAGE_CELL)
		return point_text(p, buf);
	if (t->stage == STAGE_BASE)
		snprintf(buf, 512, "base model, seed %llu", (unsigned long long)p->seed);
	else
		snprintf(buf, 512, "%s %s, seed %llu", t->stage == STAGE_LOCKED ? "locking with" : "credentials of",
			 scheme_text(p, scheme), (unsigned long long)p->seed);
	return buf;
}

static double weight(const struct task *t)
{
	return t->seconds < 0.02 ? 0.02 : t->seconds;
}

static int attempts(struct store *st, const char *key)
{
	json_t *j = store_get_failure(st, key);
	int n = (int)jget_int(j, "attempt", 0);

	json_decref(j);
	return n;
}

/* A cell that will not be there: write down why. 0, or -1 after error(). */
static int cell_failed(struct runner *r, const struct task *t, const char *verdict, const char *why)
{
	json_t *f = json_object(), *line = json_object();
	char text[512];
	int n = attempts(r->st, t->key), ret;

	jset_str(f, "key", t->key);
	jset(f, "point", point_json(task_point(r, t)));
	jset_str(f, "verdict", verdict);
	jset_str(f, "why", why);
	jset_int(f, "attempt", n + 1);
	jset_str(line, "key", t->key);
	jset_str(line, "what", task_text(r, t, text));
	jset_str(line, "verdict", verdict);
	jset_str(line, "why", why);
	json_array_append_new(r->failures, line);
	ret = store_put_failure(r->st, t->key, f);
	json_decref(f);
	r->failed++;
	return ret;
}

/* A task failed, and with it everything that waits for it. */
static int task_failed(struct runner *r, int at, bool memory, const char *verdict, const char *why)
{
	char text[512];

	r->memory_tasks += memory;
	r->other_tasks += !memory;

	warning("%s: %s: %s", task_text(r, &r->plan.t[at], text), verdict, why);
	for (int i = at; i < r->plan.n; i++) {
		struct task *t = &r->plan.t[i];

		if (i != at && (t->after < 0 || r->plan.t[t->after].state != TASK_FAILED))
			continue;
		if (t->state == TASK_FAILED)
			continue;
		t->state = TASK_FAILED;
		r->done += weight(t);
		if (t->stage == STAGE_CELL && cell_failed(r, t, verdict, why) < 0)
			return -1;
	}
	return 0;
}

static void task_done(struct runner *r, int at)
{
	struct task *t = &r->plan.t[at];

	t->state = TASK_DONE;
	r->done_tasks++;
	r->done += weight(t);
	if (t->stage != STAGE_CELL)
		return;
	r->ok++;
	r->na += r->job->cells[t->cell].inapplicable != NULL;
}

/* A task that wanted more memory, or processor time, than there is. */
static int out_of_limits(struct runner *r, int at, const char *why)
{
	char text[1024];

	if (!(r->job->memory > 0))
		return task_failed(r, at, true, "failed", why);
	snprintf(text, sizeof(text), "%s; the job's memory for a worker is %.6g MiB", why, r->job->memory);
	return task_failed(r, at, true, "failed", text);
}

/* A task that its worker's end says nothing about: another worker gets it. */
static void put_back(struct runner *r, int at)
{
	if (at < 0)
		return;
	r->plan.t[at].state = TASK_WAITING;
	if (at < r->first)
		r->first = at;
}

static bool any_worker(const struct runner *r)
{
	for (int i = 0; i < r->nw; i++)
		if (r->w[i].pid)
			return true;
	return false;
}

/* After error(): a worker could not be started. With the others the run goes on, without any it ends. */
static int go_on_with_fewer(struct runner *r)
{
	if (!any_worker(r))
		return -1;
	if (!r->few)
		warning("%s; going on with fewer", error_text());
	r->few = true;
	error_clear();
	return 0;
}

static int could_not_begin(struct runner *r, int at, int code, const char *why)
{
	put_back(r, at);
	error(code, "a worker process could not begin: %s", why);
	return go_on_with_fewer(r);
}

/* 0, or -1 after error() when the run cannot go on. */
static int take_answer(struct runner *r, struct worker *w, const json_t *j)
{
	const int at = w->task, code = (int)jget_int(j, "code", EXIT_UNEVALUABLE);
	const bool last = jget_bool(j, "last", 0), began = w->ready;
	const char *why = jget_str(j, "why", "");

	if (jget_bool(j, "ready", 0)) {
		w->ready = true;
		return 0;
	}
	if (at < 0 || (!began && !last))
		return error(EXIT_IO, "a worker gave an answer that nobody had asked for");
	w->task = -1;
	if (last)
		worker_reap(w);
	if (!began)
		return could_not_begin(r, at, code, why);
	if (jget_bool(j, "ok", 0))
		task_done(r, at);
	else if (code == EXIT_IO)
		return error(EXIT_IO, "%s; nothing is lost: the same command goes on from here",
			     *why ? why : "disk trouble");
	else if (jget_bool(j, "again", 0))
		put_back(r, at);
	else if (code == EXIT_MEMORY)
		return out_of_limits(r, at, why);
	else
		return task_failed(r, at, false, code >= 128 ? "crashed" : "failed", why);
	return 0;
}

static int take_line(struct runner *r, struct worker *w, const char *line, size_t len)
{
	json_t *j = json_read_text(line, len, "a worker's answer");
	int ret = j ? take_answer(r, w, j) : -1;

	if (!j) { /* a worker's fault, not the job's */
		error_clear();
		error(EXIT_IO, "a worker gave an answer that cannot be read");
	}
	json_decref(j);
	return ret;
}

static void describe_end(int status, bool killed_for_memory, char why[160])
{
	const int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (killed_for_memory)
		snprintf(why, 160, "out of memory: the system killed the worker");
	else if (sig)
		snprintf(why, 160, "the worker was ended by signal %d (%s)%s", sig, strsignal(sig),
			 sig == SIGKILL ? ": by somebody, or by the system for want of memory or time" : "");
	else
		snprintf(why, 160, "%sthe worker ended with exit code %d",
			 WEXITSTATUS(status) == EXIT_MEMORY ? "out of memory: " : "", WEXITSTATUS(status));
}

/* A worker ended without an answer. */
static int worker_gone(struct runner *r, struct worker *w)
{
	const int at = w->task;
	const bool late = w->late, began = w->ready;
	const long kills = w->oom_kills;
	const int status = worker_reap(w), code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	bool memory = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && oom_kills() > kills;
	char why[160];

	if (at < 0)
		return 0;
	if (late) {
		snprintf(why, sizeof(why), "took longer than the job's timeout of %.0f s", r->job->timeout);
		return task_failed(r, at, false, "timeout", why);
	}
	describe_end(status, memory, why);
	if (!began && WIFEXITED(status))
		return could_not_begin(r, at, code == EXIT_MEMORY ? EXIT_MEMORY : EXIT_IO, why);
	return task_failed(r, at, memory || code == EXIT_MEMORY, "crashed", why);
}

/* What has arrived, a line an answer. */
static int read_answers(struct runner *r, struct worker *w)
{
	ssize_t n = read(w->from, w->line + w->used, sizeof(w->line) - 1 - w->used);
	const pid_t pid = w->pid;
	char *begin = w->line, *end;
	int ret = 0;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : worker_gone(r, w);
	if (n == 0 || w->used + (size_t)n >= sizeof(w->line) - 1) {
		if (n)
			kill(w->pid, SIGKILL);
		return worker_gone(r, w);
	}
	w->used += (size_t)n;
	while (!ret && w->pid == pid && (end = memchr(begin, '\n', w->used))) {
		const size_t len = (size_t)(end - begin);

		ret = take_line(r, w, begin, len);
		begin += len + 1;
		w->used -= len + 1;
	}
	memmove(w->line, begin, w->used);
	return ret;
}

/* ---- handing out ---- */

static int next_task(struct runner *r)
{
	while (r->first < r->plan.n && r->plan.t[r->first].state != TASK_WAITING)
		r->first++;
	for (int i = r->first; i < r->plan.n; i++) {
		const struct task *t = &r->plan.t[i];

		if (t->state == TASK_WAITING && (t->after < 0 || r->plan.t[t->after].state == TASK_DONE))
			return i;
	}
	return -1;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -1;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void hand_out(struct runner *r, struct worker *w, int at)
{
	struct task *t = &r->plan.t[at];
	json_t *j = json_object();
	char *text, *line;

	jset_str(j, "stage", stage_names[t->stage]);
	jset(j, "point", point_json(task_point(r, t)));
	jset_num(j, "seconds", task_point(r, t)->attacker.budget.seconds);
	text = json_compact(j);
	line = xasprintf("%s\n", text);
	t->state = TASK_RUNNING;
	w->task = at;
	w->started = now_seconds();
	write_all(w->to, line, strlen(line)); /* a worker that cannot read is gone: its pipe says so */
	free(line);
	free(text);
	json_decref(j);
}

static int give_work(struct runner *r)
{
	for (int i = 0; i < r->nw; i++) {
		struct worker *w = &r->w[i];
		int at = w->pid && w->task >= 0 ? -1 : next_task(r);

		if (at < 0 || (!w->pid && r->few && any_worker(r)))
			continue;
		if (!w->pid && worker_start(r, w) < 0) {
			if (go_on_with_fewer(r) < 0)
				return -1;
			continue;
		}
		hand_out(r, w, at);
	}
	return 0;
}

static bool any_running(const struct runner *r)
{
	for (int i = 0; i < r->nw; i++)
		if (r->w[i].pid && r->w[i].task >= 0)
			return true;
	return false;
}

static void kill_late(struct runner *r)
{
	for (int i = 0; i < r->nw; i++) {
		struct worker *w = &r->w[i];

		if (w->pid && w->task >= 0 && !w->late && r->job->timeout > 0 && now_seconds() - w->started > r->job->timeout) {
			w->late = true;
			kill(w->pid, SIGKILL);
		}
	}
}

/* Milliseconds until something must be looked at even if nobody answers. */
static int patience(const struct runner *r)
{
	double wait = 0.5;

	for (int i = 0; i < r->nw; i++) {
		const struct worker *w = &r->w[i];
		double left = w->started + r->job->timeout - now_seconds();

		if (w->pid && w->task >= 0 && !w->late && r->job->timeout > 0 && left < wait)
			wait = left;
	}
	return wait > 0 ? (int)(wait * 1000) + 1 : 0;
}

static void show(struct runner *r)
{
	double done = r->done;
	char note[640] = "", text[512];

	for (int i = 0; i < r->nw; i++) {
		const struct worker *w = &r->w[i];
		const struct task *t;
		double spent, all;

		if (!w->pid || w->task < 0)
			continue;
		t = &r->plan.t[w->task];
		all = weight(t);
		spent = now_seconds() - w->started;
		done += spent < 0.95 * all ? spent : 0.95 * all;
		if (!*note)
			snprintf(note, sizeof(note), "%d of %d cells%s; %s", r->ok + r->failed, r->plan.todo,
				 r->failed ? " (some failed)" : "", task_text(r, t, text));
	}
	progress_step(&r->bar, done, *note ? note : NULL);
}

static int wait_for_answers(struct runner *r)
{
	struct pollfd fd[WORKERS_MAX];
	int n = 0, who[WORKERS_MAX], ret = 0;

	for (int i = 0; i < r->nw; i++)
		if (r->w[i].pid) {
			who[n] = i;
			fd[n++] = (struct pollfd){ .fd = r->w[i].from, .events = POLLIN };
		}
	if (poll(fd, (nfds_t)n, patience(r)) < 0 && errno != EINTR)
		return error(errno == ENOMEM ? EXIT_MEMORY : EXIT_IO, "cannot wait for workers: %s", strerror(errno));
	for (int i = 0; i < n && !ret; i++)
		if (fd[i].revents & (POLLIN | POLLHUP | POLLERR))
			ret = read_answers(r, &r->w[who[i]]);
	return ret;
}

static int run_tasks(struct runner *r)
{
	int ret = 0;

	while (!ret) {
		ret = interrupt_check();
		if (!ret)
			ret = give_work(r);
		if (!ret && !any_running(r))
			break;
		if (!ret)
			ret = wait_for_answers(r);
		kill_late(r);
		show(r);
	}
	end_workers(r);
	return ret;
}

/* ---- the whole run ---- */

static json_t *run_note(const struct runner *r)
{
	json_t *j = json_object();
	char *command = xasprintf("%.*s", COMMAND_MAX, r->job->command ? r->job->command : "");

	jset_str(j, "name", r->job->name);
	jset_str(j, "tier", tier_names[r->job->tier]);
	jset_str(j, "command", command);
	jset_str(j, "lockbench", LOCKBENCH_VERSION);
	free(command);
	return j;
}

/* What the tasks of a cell may write, or find damaged and write again. */
static void forget_cell(struct manifest *m, const struct keys *k, bool *any)
{
	static const char *const parts[] = { "pub", "secret", "images" };
	const char *const keys[] = { k->base, k->locked, k->creds, k->cell };
	char part[HASH_HEX];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		manifest_drop_kind(m, "artefacts", keys[i], any);
		manifest_drop_kind(m, "timing", keys[i], any);
		for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
			part_key(keys[i], parts[p], part);
			manifest_drop_kind(m, "artefacts", part, any);
		}
	}
	manifest_drop_kind(m, "cells", k->cell, any);
	manifest_drop_kind(m, "failures", k->cell, any);
}

/* Before anything changes, the manifest stops to vouch for what may; then this run's note is written. 0, or -1 after
 * error(). */
static int begin(struct runner *r)
{
	json_t *note = run_note(r), *was = store_get_run(r->st);
	struct manifest *m = error_code() == EXIT_YES ? store_manifest(r->st) : NULL;
	const bool same = was && json_equal(note, was);
	bool any = false;
	int ret = m ? 0 : -1;

	for (int i = 0; m && i < r->plan.n; i++)
		if (r->plan.t[i].stage == STAGE_CELL)
			forget_cell(m, &r->job->cells[r->plan.t[i].cell].key, &any);
	if (m && !same)
		any |= manifest_drop(m, "last-run.json");
	if (any)
		ret = store_publish_manifest(r->st);
	if (ret == 0 && !same)
		ret = store_put_run(r->st, note);
	json_decref(note);
	json_decref(was);
	return ret;
}

/* What is there now is listed, however the run ended; who was stopped is not kept waiting for it. A manifest that
 * cannot be written ends a run that went well, and is no worse trouble than what ended another. */
static int settle(struct runner *r, int ret)
{
	const enum lb_exit code = error_code();
	char *why = xstrdup(error_text());

	error_clear();
	if (store_settle(r->st, ret < 0 ? SETTLE_STOPPED : 0) < 0 && ret >= 0)
		ret = -1;
	else if (code != EXIT_YES) {
		error_clear();
		error(code, "%s", why);
	}
	free(why);
	return ret;
}

static int summary(struct runner *r, double seconds)
{
	char took[32];
	json_t *j;

	if (r->opt->silent)
		return 0;
	if (!r->opt->json) {
		tell("%d cells ok, %d n/a, %d cached, %d failed in %s; store %s\n", r->ok - r->na, r->na,
		       r->plan.ncached, r->failed, duration_text(seconds, took), r->opt->store);
		return 0;
	}
	j = json_object();
	jset_int(j, "ok", r->ok - r->na);
	jset_int(j, "n/a", r->na);
	jset_int(j, "cached", r->plan.ncached);
	jset_int(j, "failed", r->failed);
	jset_num(j, "seconds", seconds);
	jset_str(j, "store", r->opt->store);
	jset(j, "failures", json_incref(r->failures));
	return cli_print_json(j);
}

static int run_on(struct runner *r)
{
	double start = now_seconds(), total = 0;
	char label[96];
	int ret;

	if (plan_make(&r->plan, r->st, r->job, r->threads) < 0 || begin(r) < 0)
		return -1;
	tile_stop(); /* from here on only workers compute */
	for (int i = 0; i < r->plan.n; i++)
		total += weight(&r->plan.t[i]);
	snprintf(label, sizeof(label), "%s", r->job->name);
	progress_start(&r->bar, label, total);
	ret = run_tasks(r);
	if (r->plan.n)
		progress_end(&r->bar, ret < 0 ? "stopped" : NULL);
	ret = settle(r, ret);
	if (ret < 0)
		return -1;
	if (summary(r, now_seconds() - start) < 0)
		return -1;
	if (r->memory_tasks && !r->done_tasks && !r->other_tasks)
		return EXIT_MEMORY; /* nothing at all could be done; why has been said of each task */
	return r->failed ? EXIT_FAILED_CELLS : EXIT_YES;
}

int run_job(const struct job *j, const struct run_options *o)
{
	struct runner r = { .job = j, .opt = o, .nw = o->workers, .threads = o->threads, .failures = json_array() };
	int ret = -1;

	BUG_ON(o->workers < 1 || o->workers > WORKERS_MAX);
	if (!r.threads) {
		int cores = tile_threads(0);

		r.threads = cores / r.nw > 0 ? cores / r.nw : 1;
	}
	r.w = xcalloc(r.nw, sizeof(*r.w));
	r.st = store_open(o->store, true);
	if (r.st && store_lock(r.st) == 0)
		ret = run_on(&r);
	plan_release(&r.plan);
	store_close(r.st);
	free(r.w);
	json_decref(r.failures);
	return ret;
}

/* ---- the command ---- */

struct run_conf {
	struct cli_common common;
	char store[OPT_STRING_MAX];
	int workers;
};
static const struct opt run_opts[] = {
	{ "store", OPT_STRING, offsetof(struct run_conf, store), "store", 1, 255, "directory of the results", NULL },
	{ "workers", OPT_INT, offsetof(struct run_conf, workers), "1", 1, WORKERS_MAX, "worker processes (-j); threads are shared out", NULL },
	CLI_COMMON(struct run_conf),
	{ 0 }
};

static int run_main(const struct cli_command *self, int argc, char **argv)
{
	struct run_conf c;
	struct cli_args args;
	struct job j = { 0 };
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&c.common);
	ret = job_load(&j, args.arg[0], args.set, args.nset, cli_data_dir(&c.common));
	if (ret == 0) {
		struct run_options o = { .store = c.store, .data_dir = cli_data_dir(&c.common), .workers = c.workers,
					 .threads = c.common.threads, .json = c.common.json };

		j.command = cli_command_text(self, argc, argv);
		ret = run_job(&j, &o);
	}
	job_release(&j);
	return ret;
}

const struct cli_command command_run = {
	.name = "run", .main = run_main, .summary = "run a job; goes on where an earlier run on the store stopped",
	.arguments = "JOB", .min_args = 1, .max_args = 1, .opts = run_opts, .conf_size = sizeof(struct run_conf), .sets = true
};
