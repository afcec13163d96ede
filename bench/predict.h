/* How long tasks will take on this machine when nothing else runs on it: what forecast.h says they have to compute, at the rate at which the
 * store's earlier tasks of that kind (data set, network, scheme, attack) computed it; where there are none, at the rate just measured. */
#ifndef LB_BENCH_PREDICT_H
#define LB_BENCH_PREDICT_H

#include "bench/forecast.h"
#include "bench/job.h"
#include "bench/store.h"

struct predictor;
/* st NULL: an empty store. threads: of a worker. While it lives, so must the job whose cells it is asked about. */
struct predictor *predictor_open(struct store *st, int threads);
void predictor_close(struct predictor *p);
/* Seconds; *guess: by the rate just measured. */
double predict_seconds(struct predictor *p, const struct job_cell *c, enum stage s, bool *guess);
/* Borrowed. */
const struct facts *predict_facts(struct predictor *p, const struct job_cell *c);

#endif
