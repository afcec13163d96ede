/* lockbench train, predict, eval, craft: the engine for scripts, beside the harness. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "bench/cli.h"
#include "bench/tier.h"
#include "datasets/dataset.h"
#include "metrics/stat/stats.h"
#include "nn/craft.h"
#include "nn/npy.h"

/* What all four need. */
struct tool_conf {
	struct cli_common common;
	char dataset[OPT_STRING_MAX], model[OPT_STRING_MAX], arch[OPT_STRING_MAX];
	int split, limit, seed;
	/* train */
	int epochs;
	/* craft */
	int method, target, steps, search, round8;
	double eps, step, lr, alpha, kappa, confidence, tolerance;
};
#define ROW(m) offsetof(struct tool_conf, m)
#define SPLIT_ROWS(n) \
	{ "split", OPT_CHOICE, ROW(split), "test", 0, 0, "which images", "test|train" }, \
	{ "limit", OPT_INT, ROW(limit), n, 0, 1e9, "only the first so many; 0: all", NULL }

enum { SPLIT_TEST, SPLIT_TRAIN };

/* ---- common steps ---- */

static int begin(const struct cli_command *self, int argc, char **argv, struct tool_conf *c, struct cli_args *args, bool file)
{
	static const char *const required[] = { "dataset", "model" };
	int ret;

	*c = (struct tool_conf){ .split = SPLIT_TEST };
	ret = cli_parse(self, argc, argv, c, args);
	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (!*(i ? c->model : c->dataset))
			return error(EXIT_UNEVALUABLE, "%s: --%s is missing; see `lockbench %s --help`", self->name, required[i], self->name);
	if (file && args->nout != 1)
		return error(EXIT_UNEVALUABLE, "%s: say where to write with one -o FILE", self->name);
	cli_apply(&c->common);
	if (c->common.json)
		progress_quiet = 1;
	return 0;
}

static struct images view(const struct tool_conf *c, const struct dataset *d)
{
	struct images v = c->split == SPLIT_TRAIN ? dataset_train(d) : dataset_test(d);

	return c->limit ? images_first(v, c->limit) : v;
}

static void shape_from(struct model_spec *s, const struct dataset *d)
{
	s->c = d->c;
	s->h = d->h;
	s->w = d->w;
	s->classes = d->classes;
}

/* The model of --model, --arch; NULL after error(). */
static struct model *load_model(const struct tool_conf *c, const struct dataset *d)
{
	struct model_spec s = { 0 };
	struct model *m;

	if (!*c->arch)
		m = model_load(c->model, NULL);
	else if (model_spec_parse(&s, c->arch) < 0)
		return NULL;
	else
		shape_from(&s, d), m = model_load(c->model, &s);
	if (m && (m->spec.c != d->c || m->spec.h != d->h || m->spec.w != d->w)) {
		error(EXIT_UNEVALUABLE, "%s takes %dx%dx%d images, %s has %dx%dx%d", c->model, m->spec.c, m->spec.h, m->spec.w,
		      d->name, d->c, d->h, d->w);
		model_free(m);
		return NULL;
	}
	return m;
}

static json_t *accuracy_json(long k, long n)
{
	json_t *j = json_object();
	double low, high;

	clopper_pearson(k, n, 0.95, &low, &high);
	jset_num(j, "value", 100.0 * (double)k / (double)n);
	jset_num(j, "low", 100 * low);
	jset_num(j, "high", 100 * high);
	jset_int(j, "k", k);
	jset_int(j, "n", n);
	return j;
}

static int measure(struct model *m, const struct images *v, json_t **accuracy)
{
	unsigned char *correct = xmalloc(v->n, 1);
	int k = model_correct(m, v, correct);

	free(correct);
	if (k < 0)
		return -1;
	*accuracy = accuracy_json(k, v->n);
	return 0;
}

static json_t *begin_json(const struct tool_conf *c, const struct dataset *d, const struct model *m)
{
	json_t *j = json_object();
	char text[65];

	jset_str(j, "dataset", c->dataset);
	jset_str(j, "dataset_hash", d->hash);
	jset_str(j, "arch", model_spec_name(&m->spec, text));
	model_hash(m, text);
	jset_str(j, "model_hash", text);
	return j;
}

static void say_accuracy(const char *what, const json_t *a)
{
	tell("%s: %.2f %% (%lld of %lld, 95 %% interval %.2f to %.2f)\n", what, jget_num(a, "value", 0), jget_int(a, "k", 0),
	       jget_int(a, "n", 0), jget_num(a, "low", 0), jget_num(a, "high", 0));
}

/* ---- train ---- */

static const struct opt train_tool_opts[] = {
	{ "dataset", OPT_STRING, ROW(dataset), "", 0, 63, "see `lockbench data list`", NULL },
	{ "model", OPT_STRING, ROW(model), "lenet5", 1, 31, "see `lockbench list models`", NULL },
	{ "epochs", OPT_INT, ROW(epochs), "0", 0, 100000, "passes over the training images; 0: those of the short tier", NULL },
	{ "seed", OPT_INT, ROW(seed), "1", 0, 2147483647, "of initial weights, order and augmentation", NULL },
	{ "limit", OPT_INT, ROW(limit), "0", 0, 1e9, "only the first so many training images; 0: all", NULL },
	CLI_COMMON(struct tool_conf),
	{ 0 }
};

static int recipe_of(const struct tool_conf *c, const struct model_spec *s, const struct cli_args *args, struct train_conf *r)
{
	const struct tier_defaults *t = &tier_table[TIER_SHORT];

	train_recipe(r, s);
	r->epochs = strncmp(s->arch, "wrn", 3) ? t->epochs : t->epochs_wrn;
	for (int i = 0; i < args->nset; i++) {
		char name[64];
		size_t n = strcspn(args->set[i], "=");

		if (!args->set[i][n] || n >= sizeof(name))
			return error(EXIT_UNEVALUABLE, "--set %s: want name=value, e.g. lr=0.01", args->set[i]);
		memcpy(name, args->set[i], n);
		name[n] = '\0';
		if (opt_set(train_opts, r, name, args->set[i] + n + 1) < 0)
			return -1;
	}
	if (c->epochs)
		r->epochs = c->epochs;
	return 0;
}

static int train_and_save(const struct tool_conf *c, const struct cli_args *args, const struct dataset *d, struct model *m,
			  const struct train_conf *r)
{
	struct images v = dataset_train(d), test = dataset_test(d);
	struct train_stats stats = { 0 };
	double start = now_seconds(), seconds;
	json_t *accuracy, *j;

	v = c->limit ? images_first(v, c->limit) : v;
	if (train(m, &v, r, (uint64_t)c->seed, "training", NULL, &stats) < 0)
		return -1;
	seconds = now_seconds() - start;
	if (measure(m, &test, &accuracy) < 0)
		return -1;
	if (model_save(m, args->out[0], NULL) < 0) {
		json_decref(accuracy);
		return -1;
	}
	if (!c->common.json) {
		say_accuracy("test accuracy", accuracy);
		json_decref(accuracy);
		tell("%s\n", args->out[0]);
		return 0;
	}
	j = begin_json(c, d, m);
	jset(j, "recipe", opt_json(train_opts, r));
	jset_int(j, "seed", c->seed);
	jset_int(j, "train_images", v.n);
	jset_num(j, "train_loss", stats.loss);
	jset_num(j, "train_accuracy", 100 * stats.accuracy);
	jset(j, "test_accuracy", accuracy);
	jset_num(j, "seconds", seconds);
	jset_int(j, "parameters", (long long)model_params(m));
	jset_num(j, "macs", model_macs(m));
	jset_str(j, "file", args->out[0]);
	return cli_print_json(j);
}

static int train_main(const struct cli_command *self, int argc, char **argv)
{
	struct tool_conf c;
	struct cli_args args;
	struct train_conf r;
	struct model_spec s = { 0 };
	struct dataset *d;
	struct model *m;
	int ret = begin(self, argc, argv, &c, &args, true);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	if (model_spec_parse(&s, c.model) < 0 || recipe_of(&c, &s, &args, &r) < 0)
		return -1;
	d = dataset_load(c.dataset, cli_data_dir(&c.common));
	if (!d)
		return -1;
	shape_from(&s, d);
	m = model_new_init(&s, (enum init_kind)r.init, (uint64_t)c.seed);
	ret = m ? train_and_save(&c, &args, d, m, &r) : -1;
	model_free(m);
	dataset_free(d);
	return ret < 0 ? -1 : EXIT_YES;
}

const struct cli_command command_train = {
	.name = "train", .main = train_main, .summary = "train a network, write its weights as safetensors", .arguments = "",
	.opts = train_tool_opts, .conf_size = sizeof(struct tool_conf), .sets = true, .outputs = true,
	.more = "--set NAME=VALUE changes the recipe (lr, batch, optimizer, ...: `lockbench show model:lenet5`)."
};

/* ---- predict, eval ---- */

static const struct opt predict_opts[] = {
	{ "dataset", OPT_STRING, ROW(dataset), "", 0, 63, "see `lockbench data list`", NULL },
	{ "model", OPT_STRING, ROW(model), "", 0, 255, "safetensors file of the weights", NULL },
	{ "arch", OPT_STRING, ROW(arch), "", 0, 31, "which network, where the file does not say (lenet5, wrn10-4, ...)", NULL },
	SPLIT_ROWS("0"),
	CLI_COMMON(struct tool_conf),
	{ 0 }
};

/* Load what predict, eval and craft stand on, call fn. */
static int with_model(const struct cli_command *self, int argc, char **argv, bool file,
		      int (*fn)(const struct tool_conf *, const struct cli_args *, const struct dataset *, struct model *))
{
	struct tool_conf c;
	struct cli_args args;
	struct dataset *d;
	struct model *m;
	int ret = begin(self, argc, argv, &c, &args, file);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	d = dataset_load(c.dataset, cli_data_dir(&c.common));
	m = d ? load_model(&c, d) : NULL;
	ret = m ? fn(&c, &args, d, m) : -1;
	model_free(m);
	dataset_free(d);
	return ret < 0 ? -1 : EXIT_YES;
}

static int predict(const struct tool_conf *c, const struct cli_args *args, const struct dataset *d, struct model *m)
{
	struct images v = view(c, d);
	int64_t shape[2] = { v.n, model_outputs(m) };
	float *out = xmalloc((size_t)shape[0] * (size_t)shape[1], sizeof(*out));
	int ret = model_predict(m, &v, out);
	json_t *j;

	if (ret == 0)
		ret = npy_save(args->out[0], 'f', 2, shape, out);
	free(out);
	if (ret < 0)
		return -1;
	if (!c->common.json) {
		tell("%s: float32 (%d,%d)\n", args->out[0], v.n, (int)shape[1]);
		return 0;
	}
	j = begin_json(c, d, m);
	jset_int(j, "images", v.n);
	jset_int(j, "outputs", shape[1]);
	jset_str(j, "file", args->out[0]);
	return cli_print_json(j);
}

static int predict_main(const struct cli_command *self, int argc, char **argv)
{
	return with_model(self, argc, argv, true, predict);
}

const struct cli_command command_predict = {
	.name = "predict", .main = predict_main, .summary = "logits of a network on a data set, as .npy (float32, N x K)",
	.arguments = "", .opts = predict_opts, .conf_size = sizeof(struct tool_conf), .outputs = true
};

static int evaluate_model(const struct tool_conf *c, const struct cli_args *args, const struct dataset *d, struct model *m)
{
	struct images v = view(c, d);
	json_t *accuracy, *j;

	(void)args;
	if (model_outputs(m) != d->classes)
		return error(EXIT_UNEVALUABLE, "%s has %d outputs, %s has %d classes", c->model, model_outputs(m), d->name, d->classes);
	if (measure(m, &v, &accuracy) < 0)
		return -1;
	if (!c->common.json) {
		say_accuracy(c->split == SPLIT_TEST ? "test accuracy" : "training accuracy", accuracy);
		json_decref(accuracy);
		return 0;
	}
	j = begin_json(c, d, m);
	jset_str(j, "split", c->split == SPLIT_TEST ? "test" : "train");
	jset(j, "accuracy", accuracy);
	return cli_print_json(j);
}

static int eval_main(const struct cli_command *self, int argc, char **argv)
{
	return with_model(self, argc, argv, false, evaluate_model);
}

const struct cli_command command_eval = {
	.name = "eval", .main = eval_main, .summary = "accuracy of a network with its exact 95 % interval", .arguments = "",
	.opts = predict_opts, .conf_size = sizeof(struct tool_conf)
};

/* ---- craft ---- */

enum { METHOD_FGSM, METHOD_PGD, METHOD_CW };
static const struct opt craft_opts[] = {
	{ "dataset", OPT_STRING, ROW(dataset), "", 0, 63, "see `lockbench data list`", NULL },
	{ "model", OPT_STRING, ROW(model), "", 0, 255, "safetensors file of the weights", NULL },
	{ "arch", OPT_STRING, ROW(arch), "", 0, 31, "which network, where the file does not say (lenet5, wrn10-4, ...)", NULL },
	SPLIT_ROWS("100"),
	{ "method", OPT_CHOICE, ROW(method), "fgsm", 0, 0, "how", "fgsm|pgd|cw" },
	{ "target", OPT_INT, ROW(target), "-1", -1, 65535, "class to be taken for; -1: fgsm, pgd any other, cw the next class", NULL },
	{ "eps", OPT_FLOAT, ROW(eps), "0.3", 0, 1, "fgsm, pgd: largest change of a pixel (pixels are 0 to 1)", NULL },
	{ "step", OPT_FLOAT, ROW(step), "0.01", 0, 1, "pgd: length of a step", NULL },
	{ "steps", OPT_INT, ROW(steps), "100", 1, 100000, "pgd: steps; cw: Adam iterations for each search step", NULL },
	{ "search", OPT_INT, ROW(search), "5", 1, 30, "cw: binary-search steps on the constant", NULL },
	{ "lr", OPT_FLOAT, ROW(lr), "0.01", 1e-6, 10, "cw: learning rate", NULL },
	{ "alpha", OPT_FLOAT, ROW(alpha), "1", 1e-9, 1e9, "cw: first constant", NULL },
	{ "kappa", OPT_FLOAT, ROW(kappa), "0", 0, 1000, "cw: margin in logits", NULL },
	{ "confidence", OPT_FLOAT, ROW(confidence), "0", 0, 0.999, "cw: confidence of the target to reach; 0: any", NULL },
	{ "tolerance", OPT_FLOAT, ROW(tolerance), "0.01", 1e-6, 0.5, "cw: error of that confidence that counts as success", NULL },
	{ "round8", OPT_BOOL, ROW(round8), "false", 0, 0, "cw: 8-bit images", NULL },
	{ "seed", OPT_INT, ROW(seed), "1", 0, 2147483647, "pgd: of the random start", NULL },
	CLI_COMMON(struct tool_conf),
	{ 0 }
};

static int run_cw(const struct tool_conf *c, struct model *m, float *x, const int *t, int n)
{
	const struct cw_conf cw = { .steps = c->steps, .search = c->search, .lr = c->lr, .lr_decay = 1, .alpha = c->alpha,
				    .kappa = c->kappa, .confidence = c->confidence > 0 ? CW_SOFTMAX : CW_NONE,
				    .tolerance = c->tolerance, .round8 = c->round8 };
	size_t len = (size_t)n * (size_t)(m->spec.c * m->spec.h * m->spec.w);
	float *out = xmalloc(len, sizeof(*out)), *conf = xmalloc(n, sizeof(*conf));
	unsigned char *ok = xmalloc(n, 1);
	int ret;

	for (int i = 0; i < n; i++)
		conf[i] = (float)c->confidence;
	ret = craft_cw(m, x, t, c->confidence > 0 ? conf : NULL, n, &cw, out, ok, NULL, "crafting", NULL);
	if (ret == 0)
		memcpy(x, out, len * sizeof(*x));
	free(out);
	free(conf);
	free(ok);
	return ret;
}

static int run_method(const struct tool_conf *c, struct model *m, float *x, const int *t, int n)
{
	struct pgd_conf pgd = { .eps = c->eps, .step = c->step, .steps = c->steps, .random_start = 1, .targeted = c->target >= 0 };

	if (c->method == METHOD_FGSM)
		return craft_fgsm(m, x, t, n, c->target >= 0, c->eps);
	if (c->method == METHOD_PGD)
		return craft_pgd(m, x, t, n, &pgd, (uint64_t)c->seed);
	return run_cw(c, m, x, t, n);
}

/* Share of images now taken for the target (without one: for another class than their label), and mean distance. */
static int judge(const struct tool_conf *c, struct model *m, const struct images *v, const float *x, const int *t, int *hits,
		 double *l2)
{
	struct images now = { .n = v->n, .c = v->c, .h = v->h, .w = v->w, .classes = v->classes, .fx = x };
	const int k = model_outputs(m), len = images_size(v);
	float *out = xmalloc((size_t)v->n * (size_t)k, sizeof(*out)), *was = xmalloc(len, sizeof(*was));
	int *top = xmalloc(v->n, sizeof(*top)), ret = model_predict(m, &now, out);
	bool toward = c->target >= 0 || c->method == METHOD_CW;

	*hits = 0;
	*l2 = 0;
	if (ret == 0)
		argmax_rows(out, v->n, k, top);
	for (int i = 0; i < v->n && !ret; i++) {
		double d = 0;

		images_get(v, i, was);
		for (int p = 0; p < len; p++)
			d += ((double)x[(long)i * len + p] - (double)was[p]) * ((double)x[(long)i * len + p] - (double)was[p]);
		*l2 += sqrt(d) / v->n;
		*hits += toward ? top[i] == t[i] : top[i] != t[i];
	}
	free(out);
	free(was);
	free(top);
	return ret;
}

static int craft(const struct tool_conf *c, const struct cli_args *args, const struct dataset *d, struct model *m)
{
	struct images v = view(c, d);
	const int len = images_size(&v);
	int64_t shape[4] = { v.n, v.c, v.h, v.w };
	int *t = xmalloc(v.n, sizeof(*t)), hits = 0, ret = 0;
	float *x = xmalloc((size_t)v.n * (size_t)len, sizeof(*x));
	double l2 = 0;
	json_t *j;

	if (c->target >= d->classes || model_outputs(m) != d->classes)
		ret = error(EXIT_UNEVALUABLE, "target %d, model with %d outputs, %d classes: they do not fit", c->target, model_outputs(m),
			    d->classes);
	for (int i = 0; i < v.n; i++) {
		images_get(&v, i, x + (long)i * len);
		t[i] = c->target >= 0 ? c->target : c->method == METHOD_CW ? (images_label(&v, i) + 1) % d->classes : images_label(&v, i);
	}
	if (!ret && (run_method(c, m, x, t, v.n) < 0 || judge(c, m, &v, x, t, &hits, &l2) < 0 ||
		     npy_save(args->out[0], 'f', 4, shape, x) < 0))
		ret = -1;
	free(x);
	free(t);
	if (ret < 0)
		return -1;
	if (!c->common.json) {
		tell("%d of %d succeed, mean distance %.3f; %s: float32 (%d,%d,%d,%d)\n", hits, v.n, l2, args->out[0], v.n, v.c, v.h, v.w);
		return 0;
	}
	j = begin_json(c, d, m);
	jset(j, "success", accuracy_json(hits, v.n));
	jset_num(j, "mean_l2", l2);
	jset_str(j, "file", args->out[0]);
	return cli_print_json(j);
}

static int craft_main(const struct cli_command *self, int argc, char **argv)
{
	return with_model(self, argc, argv, true, craft);
}

const struct cli_command command_craft = {
	.name = "craft", .main = craft_main, .summary = "adversarial images against a network, as .npy (float32, N x C x H x W)",
	.arguments = "", .opts = craft_opts, .conf_size = sizeof(struct tool_conf), .outputs = true
};
