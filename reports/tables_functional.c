/* Tables of protected models as they are: their metrics, and their users one by one. See tables.h. */
#include "reports/tables.h"

#include "base/error.h"
#include "base/json.h"
#include "metrics/stat/stats.h"

#define CONFIDENCE 0.95

/* ---- metrics ---- */

struct table table_functional(struct rows *r, int context)
{
	const struct context *c = &r->context[context];
	const char **metric = rows_metrics(r, context, -1);
	struct table t = table_new(&r->mem, "Protected models", interval_caption(r, context), names_count(metric) + 3, c->nschemes + 1);

	table_put(&t, 0, 0, "Metric");
	table_put(&t, 1, 0, "Verdict");
	table_put(&t, 2, 0, "Seeds");
	for (int i = 0; metric[i]; i++) {
		table_put(&t, i + 3, 0, metric_heading(&r->mem, metric[i]));
		if (metric_named(metric[i]))
			table_at(&t, i + 3, 0)->note = metric_named(metric[i])->drv.summary;
	}
	for (int s = 0; s < c->nschemes; s++) {
		const struct group *g = rows_group(r, context, s, -1, 0);

		table_put(&t, 0, s + 1, scheme_heading(r, &c->scheme[s]));
		table_at(&t, 0, s + 1)->number = true;
		if (!g)
			continue;
		*table_at(&t, 1, s + 1) = (struct tcell){ .tag = group_verdicts(r, g), .number = true };
		*table_at(&t, 2, s + 1) = (struct tcell){ .text = arena_printf(&r->mem, "%d", g->ncells), .number = true };
		if (g->nfailures)
			table_put(&t, 2, s + 1, arena_printf(&r->mem, "%d/%d", g->ncells, g->ncells + g->nfailures));
		for (int i = 0; metric[i]; i++)
			*table_at(&t, i + 3, s + 1) = metric_cell(r, g, metric[i]);
	}
	return t;
}

/* ---- users ---- */

struct user_count *count_users(const struct group *g, int *users)
{
	struct user_count *u = NULL;

	*users = 0;
	for (int i = 0; g && i < g->ncells; i++) {
		int have = (int)cell_number(g->cell[i], "users", (double)jget_int(g->cell[i], "users", 0));
		size_t n = 0, each;
		unsigned char *bits = cell_bits(g->cell[i], "genuine_accepted", &n);

		if (bits && have > 0 && n % (size_t)have == 0 && (!u || have == *users)) {
			each = n / (size_t)have;
			*users = have;
			u = u ? u : xcalloc((size_t)have, sizeof(*u));
			for (size_t k = 0; k < n; k++) {
				u[k / each].k += bits[k];
				u[k / each].n++;
			}
		}
		free(bits);
	}
	return u;
}

struct table table_users(struct rows *r, const struct group *g, const char **worst)
{
	const struct scheme_row *s = &r->context[g->context].scheme[g->scheme];
	int users, cols, rows, least = 0;
	struct user_count *u = count_users(g, &users);
	const json_t *level, *class;
	struct table t = { 0 };
	double low, high;

	if (!u)
		return t;
	/* A scheme whose users are class x confidence says so with the list option `confidences` (and `classes`, when not all). */
	level = json_object_get(s->options, "confidences");
	if (!json_array_size(level) || users % (int)json_array_size(level))
		level = NULL;
	rows = level ? (int)json_array_size(level) : (users + 9) / 10;
	cols = level ? users / rows : users < 10 ? users : 10;
	class = json_object_get(s->options, "classes");
	if ((int)json_array_size(class) != cols)
		class = NULL;
	t = table_new(&r->mem, s->label, NULL, rows + 1, cols + 1);
	table_put(&t, 0, 0, level ? "confidence \\ class" : "user");
	for (int c = 0; c < cols; c++) {
		const char *name = arena_printf(&r->mem, level ? "%d" : "+%d", c);

		*table_at(&t, 0, c + 1) = (struct tcell){ .text = class ? option_text(&r->mem, json_array_get(class, (size_t)c)) : name,
							  .number = true };
	}
	for (int i = 0; i < rows; i++)
		table_put(&t, i + 1, 0, level ? option_text(&r->mem, json_array_get(level, (size_t)i)) : arena_printf(&r->mem, "%d", i * cols));
	for (int i = 0; i < users; i++) {
		/* ActiveGuard numbers user = class * T + j; others just count. */
		int row = level ? i % rows : i / cols, col = level ? i / rows : i % cols;
		struct tcell *c = table_at(&t, row + 1, col + 1);

		clopper_pearson(u[i].k, u[i].n, CONFIDENCE, &low, &high);
		c->number = true;
		c->text = arena_printf(&r->mem, "%.4g", 100.0 * (double)u[i].k / (double)u[i].n);
		c->note = arena_printf(&r->mem, "user %d: %ld of %ld, exact 95 %% interval %.2f to %.2f", i, u[i].k, u[i].n, 100 * low,
				       100 * high);
		if (u[i].k * u[least].n < u[least].k * u[i].n)
			least = i;
	}
	clopper_pearson(u[least].k, u[least].n, CONFIDENCE, &low, &high);
	*worst = arena_printf(&r->mem, "Worst user: %d, with %ld of %ld credentials accepted (%.2f\u00a0%%, exact 95\u00a0%% interval %.2f to %.2f).",
			      least, u[least].k, u[least].n, 100.0 * (double)u[least].k / (double)u[least].n, 100 * low, 100 * high);
	t.caption = arena_printf(&r->mem, "%% of %ld credentials accepted, for each of %d users%s. %s", u[0].n, users,
				 g->ncells > 1 ? arena_printf(&r->mem, ", over %d seeds", g->ncells) : "", *worst);
	free(u);
	return t;
}
