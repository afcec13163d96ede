/* lockbench reproduce activeguard: the paper's Tables I-VI and Figures 5-6 on a data set, its numbers beside ours; breaks: what is known to break
 * the schemes (reports/breaks.def); a bundle: rerun.c.
 * Only builds a job (that of breaks: breaks_job.c) and hands its cells to reports/: what is measured is said here in one place, the YAML below. */
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "bench/breaks_job.h"
#include "bench/cli.h"
#include "bench/collect.h"
#include "bench/rerun.h"
#include "bench/run.h"
#include "bench/tier.h"
#include "datasets/dataset.h"
#include "reports/breaks.h"
#include "reports/report.h"

struct reproduce_conf {
	struct cli_common common;
	char dataset[OPT_STRING_MAX], model[OPT_STRING_MAX], store[OPT_STRING_MAX], sample[OPT_STRING_MAX];
	int tier, workers, protocol;
	bool breaks; /* which of the two; not an option */
};
#define ROW(m) offsetof(struct reproduce_conf, m)
static const struct opt reproduce_opts[] = {
	{ "dataset", OPT_STRING, ROW(dataset), "auto", 1, 63, "the paper's are mnist and cifar10; auto: mnist, of breaks fashion-mnist", NULL },
	{ "model", OPT_STRING, ROW(model), "auto", 1, 31, "auto: lenet5 for 28x28 images, wrn10-4 for 32x32; rows of breaks that name a network keep theirs", NULL },
	{ "tier", OPT_CHOICE, ROW(tier), "short", 0, 0, "size of everything", "smoke|short|paper" },
	{ "protocol", OPT_CHOICE, ROW(protocol), "pool", 0, 0,
	  "fine-tuning attack on the attack pool only, or also on the test images as the paper did", "pool|paper" },
	{ "store", OPT_STRING, ROW(store), "", 0, 255, "directory of the results; activeguard-store, reproduce-store for a bundle", NULL },
	{ "sample", OPT_STRING, ROW(sample), "10%", 1, 20, "of a bundle: share or number of cells that are run again", NULL },
	{ "workers", OPT_INT, ROW(workers), "1", 1, 64, "worker processes (-j); threads are shared out", NULL },
	CLI_COMMON(struct reproduce_conf),
	{ 0 }
};

static const char rates[] = "[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]";

/* One credential of one user is enough where only accuracy with a credential and the mark are asked for. */
static const char few[] = "users: 1\n  credentials_per_user: 1\n  controls: false";

/* The paper's experiments ran in Keras: LeNet-5 starts from its initial values (docs/schemes/activeguard.md says what that decides). */
static const char *recipe(const struct reproduce_conf *c, bool wide)
{
	if (wide)
		return "";
	return c->tier == TIER_SHORT ? "train: {init: keras, lr: 0.001, epochs: 30}\n" : "train: {init: keras, lr: 0.001}\n";
}

static char *job_text(const struct reproduce_conf *c, const char *model)
{
	bool wide = !strncmp(model, "wrn", 3);

	return xasprintf(
		"name: activeguard-%s\ntier: %s\ndataset: %s\nmodel: %s\n%sblocks:\n"
		/* Tables II, IV, V, VI and Figure 5: the marked model, every user, every attack */
		"- schemes: [activeguard: {watermark: scratch}]\n  controls: false\n  attacks:\n"
		"  - forge: {method: [clean, noise, fgsm], tries: 10000}\n"
		"  - forge: {method: cw, kappa: [5, 0], tries: 10000}\n"
		"  - finetune: {images: 7000, epochs: [30, 50], lr: [0.0001, 0.001], data: [%s]}\n"
		"  - prune: {rate: %s, scope: [layer, global]}\n"
		/* Table VI: the second mark */
		"- schemes: [activeguard: {watermark: scratch, digits: '3876876994865'}]\n  %s\n  attacks: [prune: {rate: %s, scope: [layer, global]}]\n"
		/* Table III: unmarked, and marked by fine-tuning; the controls beside them */
		"- schemes: [activeguard: {watermark: none}]\n  users: 1\n  credentials_per_user: 1\n"
		"- schemes: [activeguard: {watermark: finetune}]\n  %s\n"
		/* Figure 6: length and layer of the mark */
		"- schemes: [activeguard: {watermark: scratch, length: [25, 50, 100]}]\n  %s\n"
		"- schemes: [activeguard: {watermark: scratch, length: [0, 25%s], layer: %s}]\n  %s\n",
		c->dataset, tier_names[c->tier], c->dataset, model, recipe(c, wide), c->protocol ? "pool, paper-test" : "pool", rates, few, rates, few,
		few, wide ? ", 50, 100" : "", wide ? "block1.0.conv1.weight" : "conv1.weight", few);
}

/* The network for the data set's images, unless --model says which. */
static int choose_model(const struct reproduce_conf *c, char model[64])
{
	const struct dataset_driver *drv = dataset_driver_of(c->dataset);
	struct dataset d = { .name = "" };
	char where[512];
	int there;

	snprintf(model, 64, "%.63s", c->model);
	if (!drv)
		return -1;
	if (strcmp(c->model, "auto") != 0)
		return 0;
	there = dataset_where(c->dataset, cli_data_dir(&c->common), where);
	if (there < 0)
		return -1;
	if (!there) {
		dataset_free(dataset_load(c->dataset, cli_data_dir(&c->common))); /* says what is missing and how to get it */
		return error(EXIT_UNEVALUABLE, "data set %s is not found", c->dataset);
	}
	snprintf(d.name, sizeof(d.name), "%.63s", c->dataset);
	if (drv->peek(&d, where) < 0)
		return -1;
	if (d.h != 28 && d.h != 32)
		return error(EXIT_UNEVALUABLE, "%s has %dx%d images: say which network with --model", c->dataset, d.h, d.w);
	strcpy(model, d.h == 28 ? "lenet5" : "wrn10-4");
	return 0;
}

/* Only what this job asks for: the store may hold other tiers and recipes, and cells of older drivers, all of which fit the tables. */
static void keep_own(json_t *list, const struct job *j)
{
	json_t *own = json_object();

	for (int i = 0; i < j->n; i++)
		jset_bool(own, j->cells[i].key.cell, 1);
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!json_object_get(own, jget_str(json_array_get(list, i), "key", "")))
			json_array_remove(list, i);
	json_decref(own);
}

/* EXIT_NO when cells of the job are damaged or gone and left out; -1 after error(). */
static int write_values(const struct reproduce_conf *c, const struct cli_args *args, const struct job *j, const struct breaks_job *known)
{
	struct store *st = store_open(c->store, false);
	struct collection col;
	json_t *values = NULL;
	int ret = -1, damaged = 0;

	if (!st)
		return -1;
	if (collect(st, NULL, &col) == 0) {
		keep_own(col.cells, j);
		keep_own(col.failures, j);
		keep_own(col.left_out, j);
		damaged = json_array_size(col.left_out) > 0;
		collection_label(&col);
		col.input.command = j->command;
		values = c->breaks ? breaks_values(&col.input, known) : activeguard_values(&col.input, c->dataset);
		ret = values ? 0 : -1;
	}
	for (int i = 0; i < args->nout && !ret; i++)
		ret = c->breaks ? breaks_write(values, c->dataset, args->out[i]) :
				  activeguard_write(values, &col.input, c->dataset, args->out[i]);
	if (!ret && c->common.json)
		ret = cli_print_json(json_incref(values));
	else if (!ret && c->breaks)
		breaks_print(values, c->dataset);
	else if (!ret)
		activeguard_print(values, c->dataset);
	json_decref(values);
	collection_release(&col);
	store_close(st);
	return ret < 0 ? -1 : damaged ? EXIT_NO : EXIT_YES;
}

static int reproduce(const struct cli_command *self, int argc, char **argv, const struct reproduce_conf *c,
		     const struct cli_args *args)
{
	struct run_options o = { .store = c->store, .data_dir = cli_data_dir(&c->common), .workers = c->workers,
				 .threads = c->common.threads, .silent = true };
	struct breaks_job known = { .dataset = c->dataset };
	struct job j = { 0 };
	struct model_spec spec;
	const char **absent = NULL;
	char model[64], *text;
	int ret;

	if (choose_model(c, model) < 0 || model_spec_parse(&spec, model) < 0)
		return -1;
	known.model = model_spec_name(&spec, model); /* "mlp" and "mlp-256" are one: cells have the whole name */
	if (c->breaks) {
		known.absent = absent = breaks_absent(cli_data_dir(&c->common));
		if (!absent)
			return -1;
	}
	text = c->breaks ? breaks_job_text(&known, c->tier) : job_text(c, model);
	ret = job_parse(&j, text, strlen(text), c->breaks ? "reproduce breaks" : "reproduce activeguard", args->set, args->nset);
	free(text);
	if (ret == 0)
		ret = job_resolve(&j, cli_data_dir(&c->common));
	if (ret == 0) {
		j.command = cli_command_text(self, argc, argv);
		ret = run_job(&j, &o);
	}
	if (ret >= 0) {
		const int written = write_values(c, args, &j, &known);

		ret = written != EXIT_YES ? written : ret; /* what was made a moment ago is damaged: no table stands on it */
	}
	free(absent);
	job_release(&j);
	return ret;
}

/* What exists as a file, or is written like one, is a bundle. */
static bool is_file_name(const char *s)
{
	const char *end = strrchr(s, '.');
	bool is = strchr(s, '/') || (end && (!strcmp(end, ".tar") || !strcmp(end, ".gz"))) || file_there(s) != 0;

	error_clear(); /* where nobody can look, opening it says why */
	return is;
}

static int rerun_bundle(const struct reproduce_conf *c, const char *path, const struct cli_args *args)
{
	const struct rerun_options o = { .bundle = path, .store = c->store, .sample = c->sample, .json = c->common.json,
					 .set = args->set, .nset = args->nset,
					 .run = { .data_dir = cli_data_dir(&c->common), .workers = c->workers, .threads = c->common.threads } };

	return reproduce_bundle(&o);
}

static int reproduce_main(const struct cli_command *self, int argc, char **argv)
{
	static const char *const known[] = { "activeguard", "breaks" };
	struct reproduce_conf c;
	struct cli_args args;
	int ret = cli_parse(self, argc, argv, &c, &args);
	bool paper;

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	c.breaks = !strcmp(args.arg[0], known[1]);
	paper = c.breaks || !strcmp(args.arg[0], known[0]);
	if (!paper && !is_file_name(args.arg[0]))
		return unknown_name("paper", args.arg[0], known, ARRAY_LEN(known));
	if (!strcmp(c.dataset, "auto"))
		strcpy(c.dataset, c.breaks ? "fashion-mnist" : "mnist");
	if (!*c.store)
		strcpy(c.store, c.breaks ? "breaks-store" : paper ? "activeguard-store" : "reproduce-store");
	cli_apply(&c.common);
	if (!paper && args.nout)
		return error(EXIT_UNEVALUABLE, "reproduce: -o is for a paper's page; of a bundle --json prints all");
	if (cli_check_outputs(self, &args, c.store) < 0)
		return -1;
	if (!paper)
		return rerun_bundle(&c, args.arg[0], &args);
	return reproduce(self, argc, argv, &c, &args);
}

const struct cli_command command_reproduce = {
	.name = "reproduce", .main = reproduce_main, .summary = "a paper's tables, its numbers beside ours; or a bundle, in part",
	.arguments = "PAPER|BUNDLE", .min_args = 1, .max_args = 1, .opts = reproduce_opts, .conf_size = sizeof(struct reproduce_conf),
	.sets = true, .outputs = true, .output_name = report_output_name, .makes_store = true,
	.more = "PAPER is activeguard; or breaks: what the literature knows to break each scheme. A BUNDLE (`lockbench bundle`) "
		"is verified, and a sample of its cells is run again: bit-equal, within tolerance, or off (exit 1). Of cells whose "
		"owner withheld a secret option, --set schemes.passport.signature=TEXT gives it back."
};
