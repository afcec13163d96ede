/* Which metrics a group has, and the order in which people read them. See rows.h. */
#include "reports/rows.h"

#include <string.h>

#include "base/error.h"

const struct metric *metric_named(const char *name)
{
	for (int i = 0; metrics[i]; i++)
		if (!strcmp(metrics[i]->name, name))
			return (const struct metric *)metrics[i];
	return NULL;
}

const char *metric_title(const char *name)
{
	const struct metric *m = metric_named(name);

	return m ? m->title : name;
}

const char *metric_unit(const char *name)
{
	const struct metric *m = metric_named(name);

	return m && m->unit ? m->unit : "";
}

const char *const surveyed_metrics[] = {
	"reference_accuracy", "authorised_accuracy", "authorised_accuracy_min", "fidelity_loss", "prediction_agreement", "unauthorised_accuracy",
	"decoded_accuracy", "unlock_gap", "leakage", "wrong_key_accuracy_max", "answers_indistinguishable", "authentication_mean",
	"authentication_min", "false_acceptance", "equal_error_rate", "revoked_acceptance", "identification", "misattribution",
	"cross_acceptance_max", "identity_distance_min", "traced_queries", "users_analytic", "users_measured", "identity_capacity",
	"mark_capacity", "ownership_verified", "null_verification", "wrong_key_verification", "functions_working", "rule_replay",
	"black_box", "deployment_convenience", "parameter_ratio", "mac_ratio", "memory_ratio", "credential_bytes", "lock_training_ratio",
	"enrol_cost", "wire_psnr", "wire_ssim", "wire_visible", "concealment", NULL,
};

static int metric_place(const char *name)
{
	int i = 0;

	for (size_t k = 0; surveyed_metrics[k]; k++)
		if (!strcmp(surveyed_metrics[k], name))
			return (int)k;
	while (metrics[i] && strcmp(metrics[i]->name, name))
		i++;
	return i + (int)ARRAY_LEN(surveyed_metrics);
}

static int by_metric(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	int p = metric_place(x), q = metric_place(y);

	return p != q ? p - q : strcmp(x, y);
}

const char **rows_metrics(struct rows *r, int context, int series)
{
	json_t *names = json_object(), *none = json_object();
	const char *name, **list;
	json_t *value;
	size_t n = 0;

	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];

		if (g->context != context || (series == -2 ? g->series < 0 : g->series != series))
			continue;
		for (int k = 0; k < g->ncells; k++)
			json_object_foreach(json_object_get(g->cell[k], "metrics"), name, value)
				json_object_set(names, name, none);
	}
	list = arena_new(&r->mem, json_object_size(names) + 1, const char *);
	for (int i = 0; r->picked && r->picked[i]; i++)
		if (json_object_get(names, r->picked[i])) {
			list[n++] = r->picked[i];
			json_object_del(names, r->picked[i]); /* asked for twice, shown once */
		}
	if (!r->picked)
		json_object_foreach(names, name, value)
			list[n++] = arena_printf(&r->mem, "%s", name);
	list[n] = NULL;
	if (n && !r->picked)
		qsort(list, n, sizeof(*list), by_metric);
	json_decref(names);
	json_decref(none);
	return list;
}
