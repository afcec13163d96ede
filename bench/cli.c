/* Command lines. See cli.h. */
#include "bench/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "base/tile.h"

/* Short forms of long names; a command that lacks the long one lacks the short one. */
static const struct { char letter; const char *name; } shorts[] = {
	{ 'j', "workers" }, { 'o', "output" }, { 'q', "quiet" }, { 'h', "help" }
};

void cli_help(const struct cli_command *c, FILE *out)
{
	fprintf(out, "lockbench %s%s%s%s: %s\n", c->name, *c->arguments ? " " : "", c->arguments,
		c->opts ? " [OPTION]..." : "", c->summary);
	if (c->more)
		fprintf(out, "\n%s\n", c->more);
	if (c->opts || c->sets || c->outputs)
		fprintf(out, "\nOptions (--name value or --name=value): name, default, allowed, meaning\n");
	opt_help(c->opts, out, 2);
	if (c->sets)
		fprintf(out, "  --set a.b=c    change one value of the job, e.g. train.epochs=3, schemes.activeguard.tolerance=0.02\n");
	if (c->outputs)
		fprintf(out, "  -o, --output FILE    write there; may be given again\n");
}

/* ---- names ---- */

static int unknown(const struct cli_command *c, const char *typed)
{
	const char *names[80];
	size_t n = 0;

	for (const struct opt *o = c->opts; o && o->name && n < 70; o++)
		names[n++] = o->name;
	names[n++] = "help";
	if (c->sets)
		names[n++] = "set";
	if (c->outputs)
		names[n++] = "output";
	unknown_name("option", typed, names, n);
	return error_prefix("%s", c->name);
}

static const char *long_name(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(shorts); i++)
		if (shorts[i].letter == letter)
			return shorts[i].name;
	return NULL;
}

/* ---- parsing ---- */

static int keep(const struct cli_command *c, const char *what, const char *list[CLI_MANY], int *n, const char *value)
{
	if (*n == CLI_MANY)
		return error(EXIT_UNEVALUABLE, "%s: more than %d %s", c->name, CLI_MANY, what);
	list[(*n)++] = value;
	return 0;
}

/* value NULL: none was attached; then the next argument is taken where one is needed. */
static int option(const struct cli_command *c, const char *name, const char *value, int argc, char **argv, int *i, void *conf,
		  struct cli_args *args)
{
	const struct opt *o = opt_find(c->opts, name);
	bool multi = (c->sets && !strcmp(name, "set")) || (c->outputs && !strcmp(name, "output"));

	if (!strcmp(name, "help")) {
		cli_help(c, stdout);
		return 1;
	}
	if (!o && !multi)
		return unknown(c, name);
	if (!value && o && o->type == OPT_BOOL)
		value = "true";
	if (!value && *i + 1 >= argc)
		return error(EXIT_UNEVALUABLE, "%s: option '%s' wants a value", c->name, name);
	if (!value)
		value = argv[++*i];
	if (!strcmp(name, "set") && multi)
		return keep(c, "--set", args->set, &args->nset, value);
	if (multi)
		return keep(c, "outputs", args->out, &args->nout, value);
	return opt_set(c->opts, conf, name, value) < 0 ? error_prefix("%s", c->name) : 0;
}

/* --name or --name=value */
static int long_option(const struct cli_command *c, int argc, char **argv, int *i, void *conf, struct cli_args *args)
{
	const char *text = argv[*i] + 2, *eq = strchr(text, '=');
	char name[64];
	size_t n = eq ? (size_t)(eq - text) : strlen(text);

	if (n >= sizeof(name))
		return error(EXIT_UNEVALUABLE, "%s: unknown option '%.60s...'", c->name, text);
	memcpy(name, text, n);
	name[n] = '\0';
	return option(c, name, eq ? eq + 1 : NULL, argc, argv, i, conf, args);
}

static int short_option(const struct cli_command *c, int argc, char **argv, int *i, void *conf, struct cli_args *args)
{
	const char *text = argv[*i] + 1, *name = long_name(*text);

	if (!name)
		return error(EXIT_UNEVALUABLE, "%s: unknown option '-%s'; known: -j, -o, -q, -h", c->name, text);
	return option(c, name, text[1] ? text + 1 : NULL, argc, argv, i, conf, args);
}

static int check_count(const struct cli_command *c, int n)
{
	if (n < c->min_args)
		return error(EXIT_UNEVALUABLE, "%s wants %s; see `lockbench %s --help`", c->name, c->arguments, c->name);
	if (n > c->max_args)
		return error(EXIT_UNEVALUABLE, "%s: too many arguments; see `lockbench %s --help`", c->name, c->name);
	return 0;
}

/* store/name, where there is no store yet */
static bool in_new_store(const char *path, const char *store)
{
	size_t n = store ? strlen(store) : 0;

	while (n > 1 && store[n - 1] == '/')
		n--;
	if (!n || strncmp(path, store, n) != 0 || path[n] != '/' || !path[n + 1] || strchr(path + n + 1, '/'))
		return false;
	return file_there(store) == 0;
}

int cli_check_outputs(const struct cli_command *c, const struct cli_args *args, const char *store)
{
	for (int i = 0; i < args->nout; i++) {
		if (c->output_name && c->output_name(args->out[i]) < 0)
			return -1;
		if (!in_new_store(args->out[i], store) && file_can_publish(args->out[i]) < 0)
			return -1;
	}
	return 0;
}

int cli_parse(const struct cli_command *c, int argc, char **argv, void *conf, struct cli_args *args)
{
	bool only_args = false;

	*args = (struct cli_args){ .n = 0 };
	opt_defaults(c->opts, conf);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];
		int ret;

		if (only_args || a[0] != '-' || !a[1])
			ret = keep(c, "arguments", args->arg, &args->n, a);
		else if (!strcmp(a, "--"))
			ret = 0, only_args = true;
		else if (a[1] == '-')
			ret = long_option(c, argc, argv, &i, conf, args);
		else
			ret = short_option(c, argc, argv, &i, conf, args);
		if (ret)
			return ret;
	}
	if (check_count(c, args->n) < 0)
		return -1;
	return c->makes_store ? 0 : cli_check_outputs(c, args, NULL);
}

/* ---- common options ---- */

const char *cli_data_dir(const struct cli_common *c)
{
	return *c->data_dir ? c->data_dir : NULL;
}

void cli_apply(const struct cli_common *c)
{
	tile_threads(c->threads);
	progress_quiet = c->quiet;
}

static bool reader_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* From now on nobody hears it. */
static void print_nowhere(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		close(null);
	}
	fflush(stdout); /* what is left */
	clearerr(stdout);
}

int cli_flush(void)
{
	int cause = fflush(stdout) != 0 ? errno : 0;

	if (!cause && !ferror(stdout))
		return 0;
	if (cause != EPIPE && !reader_gone())
		return error(EXIT_IO, "cannot write to standard output%s%s", cause ? ": " : "",
			     cause ? strerror(cause) : "");
	print_nowhere();
	return 0;
}

int cli_print_json(json_t *j)
{
	char *text = json_pretty(j);

	tell_json(text);
	free(text);
	json_decref(j);
	return cli_flush();
}

static bool plain_word(const char *s)
{
	return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=,:@%+")] == '\0';
}

char *cli_command_text(const struct cli_command *c, int argc, char **argv)
{
	char *text = xasprintf("lockbench %s", c->name);

	for (int i = 1; i < argc; i++) {
		size_t n = strlen(text);

		text = xrealloc(text, n + 4 * strlen(argv[i]) + 4, 1);
		if (plain_word(argv[i])) {
			sprintf(text + n, " %s", argv[i]);
			continue;
		}
		n += (size_t)sprintf(text + n, " '");
		for (const char *p = argv[i]; *p; p++)
			n += (size_t)sprintf(text + n, *p == '\'' ? "'\\''" : "%c", *p);
		strcpy(text + n, "'");
	}
	return text;
}
