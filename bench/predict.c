/* See predict.h. */
#include "bench/predict.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

#define HISTORY_MAX 4000   /* timing files read */
#define SLOWEST 1e-6       /* seconds a forward equivalent, where nothing could be measured */
#define EXTRA_THREAD 0.85  /* what a further thread of a worker adds */

struct known { char name[192]; struct facts facts; double rate; /* < 0: not measured yet */ };

struct predictor {
	int threads;
	json_t *history; /* "kind dataset model scheme attack" -> {cpu, forecast} */
	json_t *memo;    /* settings -> [seconds, guess] */
	struct known *known;
	int n;
};

/* ---- earlier runs ---- */

static void history_name(char buf[400], const char *kind, const char *dataset, const char *model, const char *scheme, const char *attack)
{
	snprintf(buf, 400, "%s %s %s %s %s", kind, dataset, model, scheme, attack);
}

/* A timing without a forecast is of an earlier version, and its rate unknown. */
static void history_add(json_t *history, const json_t *t)
{
	const double all = jget_num(t, "forecast", 0), cpu = jget_num(t, "cpu_seconds", 0);
	char name[400];
	json_t *h;

	if (!(all > 0) || !(cpu > 0))
		return;
	history_name(name, jget_str(t, "kind", ""), jget_str(t, "dataset", ""), jget_str(t, "model", ""), jget_str(t, "scheme", ""),
		     jget_str(t, "attack", ""));
	h = json_object_get(history, name);
	if (!h) {
		h = json_object();
		jset(history, name, h);
	}
	jset_num(h, "cpu", jget_num(h, "cpu", 0) + cpu);
	jset_num(h, "forecast", jget_num(h, "forecast", 0) + all);
}

static json_t *read_history(struct store *st)
{
	json_t *history = json_object();
	size_t n = 0;
	char **keys = st ? store_keys(st, "timing", &n) : NULL;

	for (size_t i = 0; keys && i < n && i < HISTORY_MAX; i++) {
		json_t *t = store_get_timing(st, keys[i]);

		if (t)
			history_add(history, t);
		json_decref(t);
	}
	dir_list_free(keys, n);
	return history;
}

struct predictor *predictor_open(struct store *st, int threads)
{
	struct predictor *p = xcalloc(1, sizeof(*p));

	*p = (struct predictor){ .threads = threads, .history = read_history(st), .memo = json_object() };
	return p;
}

void predictor_close(struct predictor *p)
{
	json_decref(p->history);
	json_decref(p->memo);
	free(p->known);
	free(p);
}

/* ---- networks ---- */

static struct known *known(struct predictor *p, const struct job_cell *c)
{
	char name[192], model[64];
	struct known *k;
	struct model *m;

	snprintf(name, sizeof(name), "%s %s", model_spec_name(&c->p.spec, model), c->p.dataset);
	for (int i = 0; i < p->n; i++)
		if (!strcmp(p->known[i].name, name))
			return &p->known[i];
	p->known = xrealloc(p->known, (size_t)p->n + 1, sizeof(*p->known));
	k = &p->known[p->n++];
	*k = (struct known){ .rate = -1, .facts = { .ntrain = c->ntrain, .ntest = c->ntest } };
	memcpy(k->name, name, sizeof(name));
	m = model_new(&c->p.spec, 0);
	if (m) {
		k->facts.macs = model_macs(m);
		k->facts.parameters = (double)model_params(m);
		model_free(m);
	}
	error_clear();
	return k;
}

const struct facts *predict_facts(struct predictor *p, const struct job_cell *c)
{
	return &known(p, c)->facts;
}

static double measured_rate(struct known *k, const struct model_spec *spec)
{
	if (k->rate < 0) {
		k->rate = calibrate(spec);
		error_clear();
		if (k->rate < 0)
			k->rate = SLOWEST;
	}
	return k->rate;
}

/* ---- seconds ---- */

static double seconds_of(struct predictor *p, const struct job_cell *c, enum stage s, bool *guess)
{
	struct known *k = known(p, c);
	const double all = forecast(&c->p, s, &k->facts), speed = 1 + EXTRA_THREAD * (p->threads - 1);
	char name[400], model[64];
	const json_t *h;

	history_name(name, stage_names[s], c->p.dataset, model_spec_name(&c->p.spec, model), s >= STAGE_LOCKED ? c->p.scheme->drv.name : "",
		     s == STAGE_CELL ? c->p.attack ? c->p.attack->drv.name : "none" : "");
	h = json_object_get(p->history, name);
	*guess = !h;
	return all / speed * (h ? jget_num(h, "cpu", 0) / jget_num(h, "forecast", 1) : measured_rate(k, &c->p.spec));
}

double predict_seconds(struct predictor *p, const struct job_cell *c, enum stage s, bool *guess)
{
	const struct point *q = &c->p;
	char at[256], model[64];
	json_t *v;

	snprintf(at, sizeof(at), "%d %p %p %s %s %d %d %d %d %d %d %d %d", (int)s, (void *)q->scheme_options,
		 q->attack ? (void *)q->attack_options : NULL, model_spec_name(&q->spec, model), q->dataset, q->recipe.epochs, q->limit_train,
		 q->limit_test, q->users, q->per_user, q->attacker.search, q->attacker.level, c->inapplicable != NULL);
	v = json_object_get(p->memo, at);
	if (!v) {
		double seconds = seconds_of(p, c, s, guess);

		v = json_pack("[f,b]", seconds, (int)*guess);
		jset(p->memo, at, v);
	}
	*guess = json_is_true(json_array_get(v, 1));
	return json_number_value(json_array_get(v, 0));
}
