/* `make bench-peer`: PyTorch's scripts and our rows in turn, so that both see the same minute of a shared machine. See speed.h. */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/speed/spawn.h"
#include "bench/speed/speed.h"
#include "metrics/stat/effect.h"
#include <math.h>
#include <string.h>

/* A script's run answers for one or two of our rows. */
static const struct pair {
	const char *args[10]; /* the script, and what it is told besides --threads */
	struct { const char *job, *member; } row[2];
} pairs[] = {
	{ { "train_torch.py", "lenet5", "--images", "6400" }, /* half a second an epoch */
	  { { "lenet5-train", "train_images_per_s" }, { "lenet5-infer", "infer_images_per_s" } } },
	{ { "cw_torch.py" }, { { "lenet5-cw", "image_iterations_per_s" } } },
	{ { "train_torch.py", "wrn10", "--width", "1", "--epochs", "2" },
	  { { "wrn10-1-train", "train_images_per_s" }, { "wrn10-1-infer", "infer_images_per_s" } } },
	{ { "train_torch.py", "wrn10", "--width", "4", "--images", "512", "--epochs", "2" }, /* 25 s instead of 80 */
	  { { "wrn10-4-train", "train_images_per_s" }, { "wrn10-4-infer", "infer_images_per_s" } } },
};

/* Images a second: the peer's and ours, by number of threads and round. */
struct rates { double peer[2][ROUNDS_MAX], ours[2][ROUNDS_MAX]; };

static const char *find_python(void)
{
	const char *const names[] = { getenv("PYTHON"), "python3", "/usr/bin/python3" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *const argv[] = { (char *)(uintptr_t)(names[i] ? names[i] : ""), "-c", "import torch; print('{}')", NULL };
		json_t *said;
		int status;

		if (!*argv[0])
			continue;
		said = child_run(argv, NULL, true, &status);
		json_decref(said);
		if (said)
			return names[i];
	}
	return NULL;
}

static const char *find_scripts(void)
{
	const char *const folders[] = { getenv("PEER_DIR"), "../shared/peer" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		char *path = folders[i] && *folders[i] ? path_join(folders[i], "train_torch.py") : NULL;
		const bool there = path && file_there(path) == 1;

		error_clear(); /* a folder that cannot be looked into is passed over: there may be another */
		free(path);
		if (there)
			return folders[i];
	}
	return NULL;
}

/* The peer's answer for these threads, or NULL after a line on stderr. */
static json_t *run_peer(const char *python, const char *folder, const struct pair *p, int threads)
{
	char *script = path_join(folder, p->args[0]), number[16];
	char *argv[16] = { (char *)(uintptr_t)python, script };
	json_t *said;
	int n = 2, status;

	for (int i = 1; p->args[i]; i++)
		argv[n++] = (char *)(uintptr_t)p->args[i];
	argv[n++] = "--threads";
	argv[n++] = number;
	snprintf(number, sizeof(number), "%d", threads);
	said = child_run(argv, NULL, false, &status);
	if (!said)
		fprintf(stderr, "%s on %d threads failed\n", script, threads);
	free(script);
	return said;
}

/* Ours by the peer's in round i, each with its best number of threads. */
static double ratio(const struct rates *r, int i)
{
	return fmax(r->ours[0][i], r->ours[1][i]) / fmax(r->peer[0][i], r->peer[1][i]);
}

static void print_row(const char *job, const struct rates *r, const struct ask *a)
{
	double ratios[ROUNDS_MAX], least = INFINITY, most = 0;

	for (int i = 0; i < a->rounds; i++) {
		ratios[i] = ratio(r, i);
		least = fmin(least, ratios[i]);
		most = fmax(most, ratios[i]);
	}
	printf("%-16s", job);
	for (int t = 0; t < 2; t++) {
		if (t < a->n)
			printf(" %10.0f %10.0f", median(r->peer[t], a->rounds), median(r->ours[t], a->rounds));
		else
			printf(" %10s %10s", "-", "-");
	}
	if (!isfinite(most) || !(least > 0))
		printf(" %10s\n", "failed");
	else if (a->rounds == 1)
		printf(" %9.2fx\n", ratios[0]);
	else
		printf(" %9.2fx  %.2f to %.2f\n", median(ratios, a->rounds), least, most);
	fflush(stdout);
}

/* Peer, ours, peer, ours. Returns whether something failed. */
static int run_round(const struct ask *a, const char *python, const char *folder, const struct pair *p, int round, struct rates r[2])
{
	int failed = 0;

	for (int t = 0; t < a->n; t++) {
		json_t *said = run_peer(python, folder, p, a->threads[t]);

		for (int k = 0; k < 2 && p->row[k].job; k++) {
			struct measured got = { 0 };

			r[k].peer[t][round] = jget_num(said, p->row[k].member, 0);
			if (measure(job_find(p->row[k].job), &a->threads[t], 1, a->seconds, &got)) {
				fprintf(stderr, "%s\n", error_text());
				error_clear();
			}
			r[k].ours[t][round] = got.row[0].per_s;
			failed |= !(got.row[0].per_s > 0) || !(r[k].peer[t][round] > 0);
		}
		json_decref(said);
	}
	return failed;
}

static int run_pair(const struct ask *a, const char *python, const char *folder, const struct pair *p)
{
	struct rates r[2] = { 0 };
	int failed = 0;

	for (int i = 0; i < a->rounds; i++)
		failed |= run_round(a, python, folder, p, i, r);
	for (int k = 0; k < 2 && p->row[k].job; k++)
		print_row(p->row[k].job, &r[k], a);
	return failed;
}

int speed_peer(const struct ask *a)
{
	const char *python = find_python(), *folder = find_scripts();
	struct machine m;
	int failed = 0, wanted = 0;

	if (!python) {
		puts("bench-peer: no Python with PyTorch here; install it with: apt-get install python3-torch");
		return EXIT_YES;
	}
	if (!folder) {
		puts("bench-peer: no scripts of the peer here; say where they are: make bench-peer PEER_DIR=/path/to/peer");
		return EXIT_YES;
	}
	machine_read(&m);
	printf("%s, kernels %s, commit %s; median images (image-iterations) per second\n\n", m.cpu, m.isa, m.commit);
	printf("%-16s %21s %21s %10s\n", "", "1 thread", "2 threads", "ours, best");
	printf("%-16s %10s %10s %10s %10s %10s%s\n", "job", "peer", "ours", "peer", "ours", "peer, best", a->rounds > 1 ? "  in rounds" : "");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		for (int k = wanted = 0; k < 2 && pairs[i].row[k].job && wanted >= 0; k++) {
			const int this = ask_wants(a, pairs[i].row[k].job);

			wanted = this < 0 ? this : wanted | this;
		}
		if (wanted < 0)
			return -1;
		if (wanted)
			failed |= run_pair(a, python, folder, &pairs[i]);
	}
	return failed ? EXIT_FAILED_CELLS : EXIT_YES;
}
