/* Which attack applies to which scheme, by what their drivers say, under default options: `lockbench list matrix`. */
#ifndef LB_BENCH_MATRIX_H
#define LB_BENCH_MATRIX_H

#include <jansson.h>
#include <stdio.h>

/* [{"attack", "scheme", "applies": true or false, "why", "finds", "level", "needs"}]: finds: what the attack must find, and is n/a where it runs
 * and does not. Caller decrefs. */
json_t *matrix_json(void);
/* As a Markdown table with the reasons below it; also for terminals. */
void matrix_print(FILE *out);

#endif
