/* A metric across the seeds of a group. See rows.h. */
#include "reports/rows.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/stats.h"

#define CONFIDENCE 0.95

/* n values, with the one interval when n is 1. */
static void summarise(struct summary *s, const double *v, const char *metric)
{
	const struct metric *m = metric_named(metric);
	double sum = 0, squares = 0, half;

	s->min = s->max = v[0];
	for (int i = 0; i < s->n; i++) {
		sum += v[i];
		s->min = fmin(s->min, v[i]);
		s->max = fmax(s->max, v[i]);
	}
	s->mean = sum / s->n;
	if (s->n < 2)
		return;
	for (int i = 0; i < s->n; i++)
		squares += (v[i] - s->mean) * (v[i] - s->mean);
	half = student_t(s->n - 1, CONFIDENCE) * sqrt(squares / (s->n - 1) / s->n);
	s->low = s->mean - half;
	s->high = s->mean + half;
	if (m && m->min < m->max) {
		s->low = fmax(s->low, m->min);
		s->high = fmin(s->high, m->max);
	}
}

#define TRIALS_MAX (1LL << 40)

/* Successes of trials, where they can be. */
static void count_trials(const json_t *metric, struct summary *s)
{
	const long long k = jget_int(metric, "k", 0), n = jget_int(metric, "n", 0);

	if (k < 0 || k > n || n > TRIALS_MAX)
		return;
	s->k += (long)k;
	s->trials += (long)n;
}

int group_summary(const struct group *g, const char *metric, struct summary *s)
{
	double *v = xcalloc((size_t)g->ncells + 1, sizeof(*v));
	double low, high;
	bool interval;

	*s = (struct summary){ .of = g->ncells + g->nfailures };
	for (int i = 0; i < g->ncells; i++) {
		const json_t *m = json_object_get(json_object_get(g->cell[i], "metrics"), metric);
		const json_t *value = json_is_object(m) ? json_object_get(m, "value") : m;

		if (!json_is_number(value))
			continue;
		v[s->n++] = json_number_value(value);
		s->low = jget_num(m, "low", v[s->n - 1]);
		s->high = jget_num(m, "high", v[s->n - 1]);
		count_trials(m, s);
	}
	interval = s->low < s->high;
	if (s->n)
		summarise(s, v, metric);
	/* Seeds that happen to agree, all or nearly, make a proportion no more certain than its trials do. */
	if (s->n > 1 && interval && s->trials > 0 && !strcmp(metric_unit(metric), "%")) {
		const struct metric *m = metric_named(metric);
		const long times = m && m->same_images ? s->n : 1; /* each image once, however many seeds were judged on it */

		clopper_pearson((s->k + times / 2) / times, s->trials / times, CONFIDENCE, &low, &high);
		s->pooled = 100 * low < s->low || 100 * high > s->high;
		s->low = fmin(s->low, 100 * low);
		s->high = fmax(s->high, 100 * high);
	}
	free(v);
	return s->n > 0;
}

int group_timing(const struct group *g, const json_t *timings, const char *metric, struct summary *s)
{
	double *v = xcalloc((size_t)g->ncells + 1, sizeof(*v));

	*s = (struct summary){ .of = g->ncells + g->nfailures };
	for (int i = 0; i < g->ncells; i++) {
		const json_t *t = json_object_get(timings, jget_str(g->cell[i], "key", ""));
		const json_t *value = json_object_get(json_object_get(t, "metrics"), metric);

		if (!value)
			value = json_object_get(t, metric);
		if (json_is_object(value))
			value = json_object_get(value, "value");
		if (json_is_number(value)) {
			v[s->n++] = json_number_value(value);
			s->low = s->high = v[s->n - 1];
		}
	}
	if (s->n)
		summarise(s, v, metric);
	free(v);
	return s->n > 0;
}
