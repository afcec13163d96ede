/* `make bench`: sgemm's peak, then every row at 1 and 2 threads. See speed.h. */
#include "base/error.h"
#include "base/json.h"
#include "bench/speed/speed.h"
#include "nn/kernels.h"
#include <regex.h>
#include <string.h>

#define PEAK_SHARE 0.2    /* of a row's time, for every core type that is tried */
#define HISTORY_SECONDS 1 /* shorter rows are too noisy to be remembered */

const struct job *job_find(const char *name)
{
	for (const struct job *j = speed_jobs; j->name; j++)
		if (!strcmp(j->name, name))
			return j;
	return NULL;
}

int ask_wants(const struct ask *a, const char *name)
{
	int wanted = !a->npatterns;

	for (int i = 0; i < a->npatterns; i++) {
		regex_t re;

		if (regcomp(&re, a->patterns[i], REG_EXTENDED | REG_NOSUB))
			return error(EXIT_UNEVALUABLE, "'%s' is no regular expression", a->patterns[i]);
		wanted |= !regexec(&re, name, 0, NULL, 0);
		regfree(&re);
	}
	return wanted;
}

/* One job at every number of threads. A job that fails is named and its rows are missing. */
static int measure_job(const struct ask *a, const struct job *j, const struct machine *m, const struct peak *p, const char *history,
		       struct rows *r)
{
	struct measured got;

	if (measure(j, a->threads, a->n, a->seconds, &got)) {
		fprintf(stderr, "%s\n", error_text());
		error_clear();
		return 1;
	}
	for (int t = 0; t < a->n; t++) {
		struct row *row = &r->at[r->n];

		BUG_ON(r->n++ == ROWS_MAX);
		*row = got.row[t];
		row_derive(row, got.work, p);
		if (a->seconds >= HISTORY_SECONDS)
			history_compare(history, m, row);
		table_row(stdout, row);
	}
	return 0;
}

static int record(const struct ask *a, const char *history, const struct machine *m, const struct peak *p, const struct rows *r)
{
	int ret = 0;

	if (a->json) {
		json_t *all = rows_json(r);

		ret = json_publish(a->json, all);
		json_decref(all);
	}
	if (!ret && r->n && a->seconds >= HISTORY_SECONDS)
		ret = history_add(history, m, p, r);
	return ret;
}

int speed_table(const struct ask *a)
{
	static struct rows rows;
	struct machine m;
	struct peak p;
	char *history;
	int failed = 0, wanted = 0, any = 0;

	for (const struct job *j = speed_jobs; j->name; j++) {
		wanted = ask_wants(a, j->name);
		if (wanted < 0)
			return -1;
		any |= wanted;
	}
	if (!any)
		return error(EXIT_UNEVALUABLE, "no row has a name that matches; `build/speed list` prints them");
	machine_read(&m);
	if (peak_measure(&p, PEAK_SHARE * a->seconds, a->n))
		return -1;
	history = history_path();
	table_head(stdout, &m, &p, a->seconds);
	for (const struct job *j = speed_jobs; j->name; j++)
		if (ask_wants(a, j->name) > 0)
			failed |= measure_job(a, j, &m, &p, history, &rows);
	table_foot(stdout, &rows);
	if (a->seconds >= HISTORY_SECONDS)
		printf("history: %s\n", history);
	if (record(a, history, &m, &p, &rows)) {
		free(history);
		return -1;
	}
	free(history);
	return failed ? EXIT_FAILED_CELLS : EXIT_YES;
}
