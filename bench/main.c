/* lockbench: finds the command and runs it. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/terminal.h"
#include "bench/cell.h"
#include "bench/cli.h"
#include "bench/run.h"
#include "nn/kernels.h"

static void usage(FILE *out)
{
	fputs("lockbench: how good is this lock on a neural network, and what does it cost to pick it?\n\n"
	      "usage: lockbench COMMAND [ARGUMENT]... [OPTION]...\n\n", out);
	for (const struct cli_command *const *c = commands; *c; c++)
		if ((*c)->summary)
			fprintf(out, "  %-10s %-14s %s\n", (*c)->name, (*c)->arguments, (*c)->summary);
	fputs("\n`lockbench COMMAND --help` lists a command's options. Begin with `lockbench run jobs/smoke.yaml`.\n", out);
}

static const struct cli_command *find(const char *name)
{
	const char *names[32];
	size_t n = 0;

	for (const struct cli_command *const *c = commands; *c; c++) {
		if (!strcmp((*c)->name, name))
			return *c;
		if ((*c)->summary)
			names[n++] = (*c)->name;
	}
	unknown_name("command", name, names, n);
	return NULL;
}

static int finish(int code)
{
	if (code < 0) {
		int recorded = error_code();

		BUG_ON(recorded == EXIT_YES);
		fflush(stdout);
		die(recorded, NULL);
	}
	if (cli_flush() < 0)
		die(EXIT_IO, NULL);
	return code;
}

int main(int argc, char **argv)
{
	const bool worker = argc > 1 && !strcmp(argv[1], "worker");
	const struct cli_command *c;

	if (worker)
		worker_words();
	process_begin();
	setlocale(LC_ALL, "C");
	arena_keep_freed();
	interrupt_install();
	if (kernels_note() && !worker) /* once: who starts workers has said it */
		warning("%s", kernels_note());
	if (argc < 2) {
		usage(stderr);
		return EXIT_UNEVALUABLE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		if (argc == 2) {
			usage(stdout);
			return finish(EXIT_YES);
		}
		c = find(argv[2]);
		if (c)
			cli_help(c, stdout);
		return finish(c ? EXIT_YES : -1);
	}
	if (!strcmp(argv[1], "--version")) {
		tell("lockbench %s (engine %d, kernels %s/%s)\n", LOCKBENCH_VERSION, ENGINE_VERSION, kernels_name(), kernels_isa());
		return finish(EXIT_YES);
	}
	c = find(argv[1]);
	return finish(c ? c->main(c, argc - 1, argv + 1) : -1);
}
