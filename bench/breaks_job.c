/* See breaks_job.h. */
#include "bench/breaks_job.h"

#include <string.h>

#include "base/error.h"
#include "bench/tier.h"
#include "datasets/dataset.h"
#include "reports/text.h"

/* "a=b c=d" as the options of a driver: "{a: b, c: d}". */
static void add_options(struct text *t, const char *options)
{
	text_add(t, "{");
	for (; *options; options++) {
		if (*options == '=')
			text_add(t, ": ");
		else if (*options == ' ')
			text_add(t, ", ");
		else
			text_char(t, *options);
	}
	text_add(t, "}");
}

/* The experiment of a row on a data set and network. */
static void add_block(struct text *t, const struct known_break *k, const char *dataset, const char *model)
{
	text_fmt(t, "- controls: false\n  dataset: %s\n  model: %s\n  schemes: [%s: ", dataset, model, k->scheme);
	add_options(t, k->scheme_options);
	text_fmt(t, "]\n  attacks: [%s: ", k->attack);
	add_options(t, k->attack_options);
	text_add(t, "]\n");
	if (*k->recipe) {
		text_add(t, "  train: ");
		add_options(t, k->recipe);
		text_add(t, "\n");
	}
}

const char **breaks_absent(const char *data_dir)
{
	const char **absent = xcalloc((size_t)known_breaks_count + 1, sizeof(*absent));
	char where[512];
	int n = 0, there = 0;

	for (int i = 0; i < known_breaks_count && there >= 0; i++) {
		there = *known_breaks[i].dataset ? dataset_where(known_breaks[i].dataset, data_dir, where) : 1;
		if (!there)
			absent[n++] = known_breaks[i].dataset;
	}
	if (there >= 0)
		return absent;
	free(absent);
	return NULL;
}

char *breaks_job_text(const struct breaks_job *job, int tier)
{
	struct text t = { 0 };

	text_fmt(&t, "name: breaks-%s\ntier: %s\nblocks:\n", job->dataset, tier_names[tier]);
	for (int i = 0; i < known_breaks_count; i++) {
		const struct known_break *k = &known_breaks[i];

		add_block(&t, k, job->dataset, job->model);
		if (breaks_elsewhere(k, job) && !breaks_is_absent(job, k->dataset))
			add_block(&t, k, k->dataset, k->model);
	}
	return t.s;
}
