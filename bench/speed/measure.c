/* A job at several numbers of threads, in turn. See speed.h. */
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "bench/speed/spawn.h"
#include "bench/speed/speed.h"
#include "metrics/stat/effect.h"
#include <math.h>
#include <string.h>
#include <sys/wait.h>

#define SLICES 7
#define LEAST 3 /* slices, however slow a job is */
#define KINDS 3 /* one thread, two threads, a second process of one thread */

/* The processes of a job and what they said so far. */
struct field {
	const struct job *j;
	struct child child[KINDS];
	int threads[KINDS], n;        /* processes */
	double rate[KINDS][SLICES];   /* alone; the twin: both together */
	double rss[KINDS], macs;
	int slices;
};

static int start(struct field *f, int threads, double slice)
{
	char number[16], length[32];
	char *const argv[] = { SELF, "child", (char *)(uintptr_t)f->j->name, number, length, NULL };

	snprintf(number, sizeof(number), "%d", threads);
	snprintf(length, sizeof(length), "%.6f", slice);
	f->threads[f->n] = threads;
	if (child_start(&f->child[f->n], argv, NULL, false))
		return -1;
	f->n++;
	return 0;
}

/* Ends all; error() about the first that did not end well, unless there is one already. */
static int stop(struct field *f)
{
	int failed = 0, status;

	for (int i = 0; i < f->n; i++) {
		json_decref(child_read(&f->child[i], &status));
		if (status && !failed++)
			error(EXIT_FAILED_CELLS, "%s on %d: the measuring process ended with status %d", f->j->name, f->threads[i],
			      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	return failed ? -1 : 0;
}

/* The answer of process i: images a second, NAN when it is no more. */
static double answer(struct field *f, int i)
{
	json_t *said = child_answer(&f->child[i]);
	const double rate = said ? jget_num(said, "per_s", 0) : NAN;

	if (said) {
		f->rss[i] = jget_num(said, "peak_rss_mib", 0);
		f->macs = jget_num(said, "macs", 0);
	}
	json_decref(said);
	return rate;
}

static double ask(struct field *f, int i)
{
	child_ask(&f->child[i]);
	return answer(f, i);
}

/* One slice of each number of threads, and where there are two one of the first and its twin together. False when one is no more. */
static bool take_turns(struct field *f, int twin)
{
	const int at = f->slices++, alone = twin ? twin : f->n;
	bool well = true;

	for (int i = 0; i < alone; i++)
		well = well && !isnan(f->rate[i][at] = ask(f, i));
	if (!well || !twin)
		return well;
	child_ask(&f->child[0]);
	child_ask(&f->child[twin]);
	f->rate[twin][at] = answer(f, 0) + answer(f, twin);
	return !isnan(f->rate[twin][at]);
}

static double best_of(const double *x, int n)
{
	double best = 0;

	for (int i = 0; i < n; i++)
		best = fmax(best, x[i]);
	return best;
}

/* Median over the slices of kind b's rate by kind a's of the same turn. */
static double median_ratio(const struct field *f, int a, int b)
{
	double ratio[SLICES];

	for (int i = 0; i < f->slices; i++)
		ratio[i] = f->rate[b][i] / f->rate[a][i];
	return median(ratio, f->slices);
}

static void conclude(struct field *f, int n, int twin, struct measured *out)
{
	out->work = 2 * f->macs * f->j->passes;
	for (int t = 0; t < n; t++) {
		struct row *row = &out->row[t];

		*row = (struct row){ .job = f->j->name, .unit = f->j->unit, .threads = f->threads[t], .best = best_of(f->rate[t], f->slices),
				     .rss = f->rss[t], .scaling = NAN, .ceiling = NAN, .change = NAN };
		if (t) {
			row->scaling = median_ratio(f, 0, t);
			row->ceiling = median_ratio(f, 0, twin);
		}
		row->per_s = median(f->rate[t], f->slices);
	}
}

int measure(const struct job *j, const int *threads, int n, double seconds, struct measured *out)
{
	struct field f = { .j = j };
	const int twin = n > 1 ? n : 0;
	const double began = now_seconds(), slice = seconds / SLICES;
	bool well = true;

	BUG_ON(n < 1 || n + 1 > KINDS);
	for (int t = 0; t < n && well; t++)
		well = !start(&f, threads[t], slice);
	if (well && twin)
		well = !start(&f, threads[0], slice) && !isnan(ask(&f, twin)); /* warm before it is wanted beside the other */
	while (well && f.slices < SLICES && (f.slices < LEAST || now_seconds() - began < seconds * f.n))
		well = take_turns(&f, twin);
	if (stop(&f) || !well)
		return error(EXIT_FAILED_CELLS, "%s cannot be measured", j->name);
	conclude(&f, n, twin, out);
	return 0;
}
