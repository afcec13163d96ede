/* lockbench survey: jobs/survey.yaml and its report, in one command. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/cli.h"
#include "bench/tier.h"
#include "reports/report.h"

struct survey_conf {
	struct cli_common common;
	char store[OPT_STRING_MAX];
	int workers;
};
#define SURVEY(m) offsetof(struct survey_conf, m)
static const struct opt survey_opts[] = {
	{ "store", OPT_STRING, SURVEY(store), "survey", 1, 255, "directory of the results", NULL },
	{ "workers", OPT_INT, SURVEY(workers), "2", 1, 64, "worker processes (-j); threads are shared out", NULL },
	CLI_COMMON(struct survey_conf),
	{ 0 }
};

/* What the smoke tier leaves out, and how often. */
static const char *const full[][5] = {
	[TIER_SHORT] = { "tier=short", "users=30", "limit.train=0", "limit.test=0", "seeds=3" },
	[TIER_PAPER] = { "tier=paper", "users=30", "limit.train=0", "limit.test=0", "seeds=6" },
};

#define JOB "jobs/survey.yaml"

/* Below the working directory, else beside the program (build/lockbench, bin/lockbench). */
static int find_job(char *path, size_t size)
{
	char self[4096];
	ssize_t n;
	char *slash;
	int there;

	snprintf(path, size, "%s", JOB);
	there = file_there(path);
	if (there)
		return there < 0 ? -1 : 0;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	for (int up = 0; up < 2 && (slash = strrchr(self, '/')); up++)
		*slash = '\0';
	there = n > 0 && (size_t)snprintf(path, size, "%s/" JOB, self) < size ? file_there(path) : 0;
	if (there)
		return there < 0 ? -1 : 0;
	return error(EXIT_UNEVALUABLE, "no " JOB " here nor beside the program: change to lockbench's directory, or `lockbench run` a copy of it");
}

/* Another command as if it had been typed. */
struct typed { char *arg[4 * CLI_MANY]; int n; };

static void type(struct typed *t, const char *word)
{
	BUG_ON(t->n + 1 >= (int)ARRAY_LEN(t->arg));
	t->arg[t->n] = xmalloc(strlen(word) + 1, 1);
	strcpy(t->arg[t->n++], word);
	t->arg[t->n] = NULL;
}

static int enter(struct typed *t)
{
	int ret = -1;

	for (const struct cli_command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, t->arg[0]))
			ret = (*c)->main(*c, t->n, t->arg);
	for (int i = 0; i < t->n; i++)
		free(t->arg[i]);
	return ret;
}

static int run(const struct survey_conf *c, const struct cli_args *args, int tier)
{
	char job[4096 + 64], number[32];
	struct typed t = { .n = 0 };

	if (find_job(job, sizeof(job)) < 0)
		return -1;
	type(&t, "run");
	type(&t, job);
	type(&t, "--store");
	type(&t, c->store);
	snprintf(number, sizeof(number), "--workers=%d", c->workers);
	type(&t, number);
	snprintf(number, sizeof(number), "--threads=%d", c->common.threads);
	type(&t, number);
	if (c->common.data_dir[0]) {
		type(&t, "--data-dir");
		type(&t, c->common.data_dir);
	}
	if (c->common.quiet)
		type(&t, "--quiet");
	for (size_t i = 0; tier != TIER_SMOKE && i < ARRAY_LEN(full[0]); i++) {
		type(&t, "--set");
		type(&t, full[tier][i]);
	}
	for (int i = 0; i < args->nset; i++) {
		type(&t, "--set");
		type(&t, args->set[i]);
	}
	return enter(&t);
}

static int report(const struct survey_conf *c, const struct cli_args *args)
{
	char *page = path_join(c->store, "survey.html");
	struct typed t = { .n = 0 };

	type(&t, "report");
	type(&t, c->store);
	for (int i = 0; i < args->nout || !i; i++) {
		type(&t, "-o");
		type(&t, args->nout ? args->out[i] : page);
	}
	free(page);
	return enter(&t);
}

static int survey_main(const struct cli_command *self, int argc, char **argv)
{
	struct survey_conf c;
	struct cli_args args;
	int ret = cli_parse(self, argc, argv, &c, &args), tier = TIER_SMOKE, code;

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	if (cli_check_outputs(self, &args, c.store) < 0)
		return -1;
	if (args.n && (tier = tier_parse(args.arg[0])) < 0)
		return -1;
	code = run(&c, &args, tier);
	if (code != EXIT_YES && code != EXIT_FAILED_CELLS) /* stopped, or nothing to report on */
		return code;
	ret = report(&c, &args);
	return ret == EXIT_YES ? code : ret;
}

const struct cli_command command_survey = {
	.name = "survey", .main = survey_main, .summary = "all schemes against all attacks on Fashion-MNIST, and the report", .arguments = "[TIER]",
	.max_args = 1, .opts = survey_opts, .conf_size = sizeof(struct survey_conf), .sets = true, .outputs = true,
	.output_name = report_output_name, .makes_store = true,
	.more = "TIER is smoke (a first look: few users, few images), short or paper. It runs jobs/survey.yaml on --store, which goes on where it "
		"stopped, and writes STORE/survey.html, or what -o names."
};
