/* What all commands share: one table of options each, from which --help, "did you mean" and range checks follow.
 *   --name value   --name=value   --flag   -j 4   -j4   -o FILE   -q   -h   --set a.b=c   --   positional arguments */
#ifndef LB_BENCH_CLI_H
#define LB_BENCH_CLI_H

#include "base/opt.h"
#include "base/error.h"
#include <stdbool.h>

#define CLI_MANY 64

struct cli_command {
	const char *name;     /* "run" */
	int (*main)(const struct cli_command *self, int argc, char **argv); /* argv[0] is the command's name; an exit code, or -1 after error() */
	const char *summary;  /* one line */
	const char *arguments; /* "JOB", "[STORE]", "" */
	int min_args, max_args;
	const struct opt *opts; /* of the command's conf; may be NULL */
	size_t conf_size;
	bool sets, outputs;   /* --set a.b=c and -o FILE, each as often as wanted */
	/* May a FILE be called so? 0, or -1 after error(); NULL: any name will do. */
	int (*output_name)(const char *path);
	bool makes_store;     /* which a FILE may lie in: the command calls cli_check_outputs() itself */
	const char *more;     /* paragraph for --help, or NULL */
};

/* Every command's conf begins with these, through CLI_COMMON in its table. */
struct cli_common {
	char data_dir[OPT_STRING_MAX];
	int threads, json, quiet;
};
#define CLI_COMMON(type) \
	{ "data-dir", OPT_STRING, offsetof(type, common.data_dir), "", 0, 0, "look for data sets here first", NULL }, \
	{ "threads", OPT_INT, offsetof(type, common.threads), "0", 0, 64, "threads; 0: one for each processor", NULL }, \
	{ "json", OPT_BOOL, offsetof(type, common.json), "false", 0, 0, "print one JSON value on stdout and nothing else there", NULL }, \
	{ "quiet", OPT_BOOL, offsetof(type, common.quiet), "false", 0, 0, "no progress", NULL }

struct cli_args {
	const char *arg[CLI_MANY];
	int n;
	const char *set[CLI_MANY];
	int nset;
	const char *out[CLI_MANY];
	int nout;
};

/* Fill conf (defaults first) and args, and look whether each FILE can be written, before anything is computed. 0; 1
 * when help was asked for and printed; -1 after error(EXIT_UNEVALUABLE, of a FILE EXIT_IO). */
int cli_parse(const struct cli_command *c, int argc, char **argv, void *conf, struct cli_args *args);
/* Can each FILE be written? What would lie in the folder `store` (NULL: none), which is not there yet, can. 0, or -1
 * after error(). */
int cli_check_outputs(const struct cli_command *c, const struct cli_args *args, const char *store);
void cli_help(const struct cli_command *c, FILE *out);
/* NULL for "". */
const char *cli_data_dir(const struct cli_common *c);
/* Threads and progress as asked for. */
void cli_apply(const struct cli_common *c);
/* Send what was printed on stdout, and check that it got there. A reader that has gone (`lockbench list | head -1`)
 * wanted no more: that is no error, and the command's answer stays what it is. 0, or -1 after error(EXIT_IO). */
int cli_flush(void);
/* Print canonical JSON on stdout and check that it got there; takes j. 0, or -1 after error(EXIT_IO). */
int cli_print_json(json_t *j);
/* "lockbench run jobs/x.yaml --set a=b", quoted for a shell; caller frees. */
char *cli_command_text(const struct cli_command *c, int argc, char **argv);

extern const struct cli_command *const commands[]; /* sorted by name, NULL-terminated */

#endif
