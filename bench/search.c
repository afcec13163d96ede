/* See search.h. */
#include "bench/search.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"

#define CHUNK 256
#define DRAWS 20 /* attempts at a setting that was not tried yet */

unsigned search_needs(const struct attack *at)
{
	return at->goal == GOAL_IMPERSONATE ? CAP_DECISION : CAP_LABELLED;
}

/* ---- settings ---- */

/* The next "name=a,b,c" of text: copied to name and values; NULL at the end. */
static const char *next_option(const char *text, char name[64], char values[256])
{
	const size_t n = strcspn(text, " "), eq = strcspn(text, "=");

	if (!n)
		return NULL;
	BUG_ON(eq >= n || eq >= 64 || n - eq > 256);
	snprintf(name, 64, "%.*s", (int)eq, text);
	snprintf(values, 256, "%.*s", (int)(n - eq - 1), text + eq + 1);
	return text + n + strspn(text + n, " ");
}

static int count_values(const char *values)
{
	int n = 1;

	for (; *values; values++)
		n += *values == ',';
	return n;
}

/* The value number k, in place. */
static const char *value_at(char *values, int k)
{
	char *at = values;

	for (; k; k--)
		at = strchr(at, ',') + 1;
	at[strcspn(at, ",")] = '\0';
	return at;
}

int search_space(const struct attack *at)
{
	char name[64], values[256];
	double n = 1;

	for (const char *s = at->search ? at->search : ""; (s = next_option(s, name, values));)
		n *= count_values(values);
	return n + 1 < SEARCH_MAX ? (int)n + 1 : SEARCH_MAX; /* the one given is none of them, perhaps */
}

void *search_setting(const struct attack *at, const void *given, uint64_t seed, int k)
{
	const size_t size = at->drv.conf_size ? at->drv.conf_size : 1;
	void *conf = memcpy(xmalloc(size, 1), given, size);
	char name[64], values[256];
	struct rng r;

	rng_open(&r, seed, "search", (uint32_t)k, 0);
	for (const char *s = k && at->search ? at->search : ""; (s = next_option(s, name, values));) {
		const int choice = (int)rng_below(&r, (uint32_t)count_values(values));

		BUG_ON(opt_set(at->drv.opts, conf, name, value_at(values, choice)) < 0); /* the contract test tries them all */
	}
	return conf;
}

/* ---- scores: what the attacker can measure ---- */

static int ask_service(struct asked *k, const struct images *v, float *probs)
{
	return access_query((struct access *)(uintptr_t)k->ctx, v, -1, probs);
}

/* Share of validation images that the product gets right. */
static int score_predictor(struct access *a, const struct product *p, double *score)
{
	const size_t len = (size_t)images_size(&a->val), classes = (size_t)a->classes;
	struct asked k = { ask_service, a, 0, a->caps };
	float *x = xmalloc(CHUNK * len, sizeof(*x)), *probs = xmalloc(CHUNK * classes, sizeof(*probs));
	int right = 0, ret = 0, top;

	for (int first = 0; first < a->val.n && !ret; first += CHUNK) {
		const int n = a->val.n - first < CHUNK ? a->val.n - first : CHUNK;
		const struct images v = { .n = n, .c = a->c, .h = a->h, .w = a->w, .classes = a->classes, .fx = x };

		for (int i = 0; i < n; i++)
			images_get(&a->val, first + i, x + len * (size_t)i);
		ret = p->answer(p, &k, &v, probs);
		for (int i = 0; i < n && !ret; i++) {
			argmax_rows(probs + classes * (size_t)i, 1, (int)classes, &top);
			right += top == images_label(&a->val, first + i);
		}
	}
	*score = (double)right / a->val.n;
	free(x);
	free(probs);
	return ret;
}

static int score_model(struct access *a, const struct product *p, double *score)
{
	unsigned char *bits = xmalloc((size_t)a->val.n, 1);
	const int right = model_correct(p->model, &a->val, bits);

	free(bits);
	*score = (double)right / a->val.n;
	return right < 0 ? -1 : access_spend(a, 0, a->val.n);
}

static int score_forged(struct access *a, const struct product *p, double *score)
{
	const float *x = bundle_f32(p->creds, "image", NULL);
	unsigned char *accepted = xcalloc((size_t)p->ncreds + 1, 1);
	int ret = 0, n = 0;

	if (x)
		ret = access_submit(a, x, p->ncreds, accepted);
	for (int i = 0; i < p->ncreds; i++)
		n += accepted[i];
	free(accepted);
	*score = (double)n / p->ncreds;
	return ret;
}

static int measure(struct access *a, const struct product *p, double *score)
{
	*score = 0;
	if (p->inapplicable)
		return 0;
	if (p->goal == GOAL_IMPERSONATE)
		return p->creds && p->ncreds ? score_forged(a, p, score) : 0;
	if (!a->val.n || !a->val.labels)
		return error(EXIT_UNEVALUABLE, "searching an attack's settings needs labelled validation images, which were not granted");
	if (p->answer)
		return score_predictor(a, p, score);
	return p->model ? score_model(a, p, score) : 0;
}

/* ---- the search ---- */

struct trials {
	const struct attack *at;
	const void *given;
	json_t *seen;   /* settings that were tried */
	int tried, chosen;
	double best, first;
	long labels;    /* most of any setting: they are the same images */
	char *options;  /* of the best, as text */
};

/* Setting k, drawn again while it was tried before; NULL: there seems to be none left. */
static void *fresh_setting(struct trials *t, uint64_t seed, int k)
{
	for (int draw = 0; draw < DRAWS; draw++) {
		void *conf = search_setting(t->at, t->given, seed, k ? k * DRAWS + draw : 0);
		json_t *j = opt_json(t->at->drv.opts, conf);
		char *text = json_compact(j);
		const bool old = json_object_get(t->seen, text);

		json_decref(j);
		jset_int(t->seen, text, k);
		free(text);
		if (!old)
			return conf;
		free(conf);
	}
	return NULL;
}

/* "lr=0.01 mode=rtal": the searched options of conf. */
static char *setting_text(const struct attack *at, const void *conf)
{
	char name[64], values[256], value[OPT_TEXT_MAX], *text = xstrdup(""), *longer;

	for (const char *s = at->search; (s = next_option(s, name, values));) {
		longer = xasprintf("%s%s%s=%s", text, *text ? " " : "", name, opt_text(opt_find(at->drv.opts, name), conf, value));
		free(text);
		text = longer;
	}
	return text;
}

/* Try one setting; the better product stays in best. 1: the budget is spent, what was found so far counts. */
static int try_setting(struct trials *t, struct access *a, struct ledger *l, const void *conf, int k, struct product *best)
{
	struct product p = { .goal = t->at->goal };
	double score = 0;
	int ret;

	l->labels = 0;
	ret = t->at->run(a, conf, &p);
	if (!ret)
		ret = measure(a, &p, &score);
	t->labels = l->labels > t->labels ? l->labels : t->labels;
	if (ret < 0) {
		product_release(&p);
		if (!k || !l->exhausted)
			return -1;
		error_clear();
		l->exhausted = false;
		if (l->max_forward_equivalents > 0) /* it stopped there */
			l->forward_equivalents = fmin(l->forward_equivalents, l->max_forward_equivalents);
		return 1;
	}
	t->tried++;
	if (!k)
		t->first = score;
	if (k && score <= t->best) {
		product_release(&p);
		return 0;
	}
	product_release(best);
	*best = p;
	t->best = score;
	t->chosen = k;
	free(t->options);
	t->options = setting_text(t->at, conf);
	return 0;
}

static void note_search(const struct trials *t, struct product *p)
{
	if (!p->notes)
		p->notes = json_object();
	jset_int(p->notes, "search_tried", t->tried);
	jset_int(p->notes, "search_chosen", t->chosen);
	jset_num(p->notes, "search_score", t->best);
	jset_num(p->notes, "search_given", t->first);
	jset_str(p->notes, "search_options", t->options ? t->options : "");
}

int search_run(const struct attack *at, struct access *a, struct ledger *l, const void *given, int n, struct product *p)
{
	struct trials t = { .at = at, .given = given };
	const bool labelled = at->goal != GOAL_IMPERSONATE;
	int ret = 0;

	if (n < 2 || !at->search)
		return at->run(a, given, p);
	t.seen = json_object();
	for (int k = 0; k < n && !ret; k++) {
		void *conf = fresh_setting(&t, a->seed, k);

		if (!conf)
			break;
		ret = try_setting(&t, a, l, conf, k, p);
		free(conf);
	}
	l->labels = t.labels;
	if (ret >= 0 && labelled && access_spend(a, a->val.n, 0) < 0) /* the labels it was measured with */
		ret = -1;
	if (ret >= 0)
		note_search(&t, p);
	json_decref(t.seen);
	free(t.options);
	return ret < 0 ? -1 : 0;
}
