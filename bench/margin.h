/* Tolerances of a comparison: how much a metric may differ and count as the same.
 *
 * As text "authorised_accuracy=1,credential_bytes=10%", or as a map in a YAML file (a job, or a file of its own):
 *   margins: {default: 1, attacked: 5, authorised_accuracy: 0.5, credential_bytes: 10%}
 * A number is in the metric's unit (points, for shares); a number with % is a share of the baseline's mean. `default` and
 * `attacked` (cells with an attack) are for every metric in percent or points that is not named itself; they are 1 and 5 where nothing
 * is said (metrics.md 8.4). Metrics in other units (bytes, ratios) have a margin of
 * 1 % of the baseline until one is given. */
#ifndef LB_BENCH_MARGIN_H
#define LB_BENCH_MARGIN_H

#include "bench/yaml.h"
#include "metrics/metric.h"

#define MARGINS_MAX 64

struct margins {
	struct { char metric[64]; double value; bool relative; } m[MARGINS_MAX];
	int n;
};

/* Later ones replace earlier ones of the same name. 0, or -1 after error(EXIT_UNEVALUABLE). */
int margins_text(struct margins *m, const char *text);
int margins_yaml(struct margins *m, const struct yaml *map);
int margins_file(struct margins *m, const char *path);

/* NULL when this program does not know the metric. */
const struct metric *metric_find(const char *name);
/* In the metric's unit. */
double margin_of(const struct margins *m, const char *metric, bool attacked, double baseline);

#endif
