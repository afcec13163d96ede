/* build/speed: how fast the engine is on this machine. `make bench`, `make bench-peer`, `make bench-layers`; docs/speed.md.
 * Not a part of lockbench: it measures with the same objects. */
#include "base/arena.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/tile.h"
#include "bench/speed/speed.h"
#include <locale.h>
#include <signal.h>
#include <string.h>

#define SECONDS 3

static int usage(void)
{
	fputs("usage: speed [PATTERN]...          time every row whose name matches one of the regular expressions, at 1 and 2 threads\n"
	      "       speed peer [PATTERN]...     PyTorch's scripts beside them ($PEER_DIR or ../shared/peer)\n"
	      "       speed layers [MODEL]...     time each operation of a training step (lenet5, wrn10-4)\n"
	      "       speed list                  the rows\n"
	      "BENCH_SECONDS: a row's time (3). BENCH_JOBS: a pattern. BENCH_JSON: a file for an array of rows.\n"
	      "BENCH_ROUNDS: how often peer and ours are measured in turn (1).\n", stderr);
	return EXIT_UNEVALUABLE;
}

static int list(void)
{
	for (const struct job *j = speed_jobs; j->name; j++)
		printf("%-20s %s\n", j->name, j->unit);
	return EXIT_YES;
}

static int child(const char *name, const char *threads, const char *seconds)
{
	const struct job *j = job_find(name);
	struct meter m;

	BUG_ON(!j);
	progress_quiet = 1;
	tile_threads(atoi(threads));
	meter_open(&m, strtod(seconds, NULL));
	return j->run(j, &m);
}

static int read_ask(struct ask *a, char **argv)
{
	const char *seconds = getenv("BENCH_SECONDS"), *jobs = getenv("BENCH_JOBS"), *json = getenv("BENCH_JSON"),
		   *rounds = getenv("BENCH_ROUNDS");
	char *end = NULL;

	*a = (struct ask){ .seconds = SECONDS, .json = json && *json ? json : NULL, .threads = { 1, 2 }, .rounds = 1 };
	a->n = tile_threads(0) > 1 ? 2 : 1;
	tile_threads(1);
	if (seconds && *seconds) {
		a->seconds = strtod(seconds, &end);
		if (*end || !(a->seconds > 0 && a->seconds <= 600))
			return error(EXIT_UNEVALUABLE, "BENCH_SECONDS=%s: seconds a row, more than 0 and at most 600", seconds);
	}
	if (rounds && *rounds) {
		a->rounds = (int)strtol(rounds, &end, 10);
		if (*end || a->rounds < 1 || a->rounds > ROUNDS_MAX)
			return error(EXIT_UNEVALUABLE, "BENCH_ROUNDS=%s: how often peer and ours are measured in turn, 1 to %d", rounds,
				     ROUNDS_MAX);
	}
	if (jobs && *jobs)
		a->patterns[a->npatterns++] = jobs;
	for (; *argv && a->npatterns < (int)ARRAY_LEN(a->patterns); argv++)
		a->patterns[a->npatterns++] = *argv;
	return 0;
}

static int command(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const int peer = !strcmp(what, "peer"), layers = !strcmp(what, "layers");
	struct ask a;

	if (argc == 5 && !strcmp(what, "child"))
		return child(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(what, "peak"))
		return peak_child(strtod(argv[2], NULL), strtod(argv[3], NULL));
	if (!strcmp(what, "list"))
		return list();
	if (*what == '-')
		return usage();
	if (read_ask(&a, argv + 1 + (peer || layers)))
		return -1;
	return peer ? speed_peer(&a) : layers ? speed_layers(&a) : speed_table(&a);
}

int main(int argc, char **argv)
{
	int code;

	setlocale(LC_ALL, "C");
	arena_keep_freed();
	signal(SIGPIPE, SIG_IGN); /* a child that is no more says so by its silence */
	code = command(argc, argv);
	if (code >= 0)
		return code;
	BUG_ON(error_code() == EXIT_YES);
	die(error_code(), NULL);
}
