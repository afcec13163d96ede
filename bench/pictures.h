/* What reports show beside numbers: images of credentials and of what attacks made, and what drivers say of themselves. */
#ifndef LB_BENCH_PICTURES_H
#define LB_BENCH_PICTURES_H

#include "attacks/attack.h"
#include "bench/evaluate.h"
#include "bench/store.h"

/* The first few images that left the attack's hands, as an artefact of the cell (part "images" of its key; nothing depends on it):
 * forged credentials ("after"), or what a channel is given and what it makes of it ("before", "after"); f32 (n,c,h,w). NULL
 * when there is nothing to see, or that went wrong (no error: it is a picture). Caller frees. */
struct bundle *attack_images(const struct setup *s, const struct product *p);

/* As struct report_input wants them (reports/report.h): of credentials, where they are images, the first of each of the first
 * users of the first seed; of attacks what attack_images() left. Artefacts that are missing are not missed, those that are damaged are added to
 * left_out (collect.h). Caller decrefs; error_code() says when one could not be looked at. */
json_t *pictures_json(struct store *st, const json_t *cells, json_t *left_out);
/* Of the schemes and attacks that the cells and failures name, and this program knows. Caller decrefs. */
json_t *drivers_json(const json_t *cells, const json_t *failures);

#endif
