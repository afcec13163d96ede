/* Runs every suite whose file is in tests/ (the lists are made by the Makefile from the file names), several at a time: one
 * process a processor takes the next suite, and prints what it said when it is done.
 * CK_RUN_SUITE=name runs one; a name that only the other runner knows (single and double precision) is no failure here.
 * TEST_JOBS=n processes instead; TEST_TIMES=file writes the seconds of each suite. Exit status 1 when a test failed or none ran. */
#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SUITE(x) Suite *suite_##x(void);
#include SUITES
#undef SUITE

static const struct suite {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE(x) { #x, suite_##x },
#include SUITES
#undef SUITE
};
#define SUITES_N (sizeof(suites) / sizeof(*suites))

static const char *const elsewhere[] = {
#define SUITE(x) #x,
#include OTHER_SUITES
#undef SUITE
};

/* What the processes share. A suite that ended its process counts as one error. */
struct shared {
	atomic_uint next;
	struct result {
		int ran, failed, errors;
		bool done;
		double seconds;
	} result[SUITES_N];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_suite(const struct suite *s, struct result *r)
{
	const double start = now();
	SRunner *sr = srunner_create(s->make());
	TestResult **all;

	srunner_run_all(sr, CK_SILENT);
	r->ran = srunner_ntests_run(sr);
	all = srunner_results(sr);
	for (int i = 0; i < r->ran; i++) {
		r->failed += tr_rtype(all[i]) == CK_FAILURE;
		r->errors += tr_rtype(all[i]) == CK_ERROR;
	}
	free(all);
	r->seconds = now() - start;
	printf("%s: %d checks in %.1f s\n", s->name, r->ran, r->seconds);
	if (r->failed + r->errors)
		srunner_print(sr, CK_NORMAL);
	fflush(stdout);
	srunner_free(sr);
	r->done = true;
}

/* Everything that a suite prints goes to a file of its own, and from there to the terminal in one piece. */
static void run_quietly(const struct suite *s, struct result *r, int out)
{
	char text[65536];
	FILE *f = tmpfile();
	ssize_t n;

	if (!f || dup2(fileno(f), STDOUT_FILENO) < 0 || dup2(fileno(f), STDERR_FILENO) < 0)
		exit(2);
	run_suite(s, r);
	rewind(f);
	while ((n = read(fileno(f), text, sizeof(text))) > 0)
		if (write(out, text, (size_t)n) < 0)
			exit(2);
	fclose(f);
}

static int work(struct shared *sh, const char *only)
{
	int out = dup(STDOUT_FILENO);
	unsigned i;

	while ((i = atomic_fetch_add(&sh->next, 1)) < SUITES_N)
		if (!only || !strcmp(only, suites[i].name))
			run_quietly(&suites[i], &sh->result[i], out);
	return 0;
}

static int count_jobs(const char *only)
{
	const char *set = getenv("TEST_JOBS");
	long n = only ? 1 : set ? strtol(set, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > (long)SUITES_N ? (int)SUITES_N : (int)n;
}

static void write_times(const struct shared *sh)
{
	const char *path = getenv("TEST_TIMES");
	FILE *f = path ? fopen(path, "w") : NULL;

	for (size_t i = 0; f && i < SUITES_N; i++)
		fprintf(f, "%8.2f %s\n", sh->result[i].seconds, suites[i].name);
	if (f)
		fclose(f);
}

static bool known_elsewhere(const char *name)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (!strcmp(elsewhere[i], name))
			return true;
	return false;
}

/* Check's own last line, over all suites. */
static int summary(const struct shared *sh, const char *only)
{
	int ran = 0, failed = 0, errors = 0;

	for (size_t i = 0; i < SUITES_N; i++) {
		const struct result *r = &sh->result[i];

		if (only && strcmp(only, suites[i].name) != 0)
			continue;
		if (!r->done)
			printf("%s: ended its process\n", suites[i].name);
		ran += r->ran;
		failed += r->failed;
		errors += r->errors + !r->done;
	}
	if (only && !ran && !errors && known_elsewhere(only)) {
		printf("%s: not a suite of this runner\n", only);
		return EXIT_SUCCESS;
	}
	printf("%d%%: Checks: %d, Failures: %d, Errors: %d\n", ran ? 100 * (ran - failed - errors) / ran : 0, ran, failed, errors);
	return failed || errors || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
	const char *only = getenv("CK_RUN_SUITE");
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int jobs = count_jobs(only && *only ? only : NULL);

	only = only && *only ? only : NULL;
	unsetenv("CK_RUN_SUITE"); /* suites are called otherwise by Check than by their files */
	if (sh == MAP_FAILED)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < jobs; i++)
		if (fork() == 0)
			exit(work(sh, only));
	while (wait(NULL) > 0)
		;
	write_times(sh);
	return summary(sh, only);
}
