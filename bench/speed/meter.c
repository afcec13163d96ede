/* See meter.h. */
#include "bench/speed/meter.h"
#include "base/json.h"
#include "base/progress.h"
#include "metrics/effect.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_TICKS 2 /* the arena owns one chunk of the right size from the second step on */

void meter_open(struct meter *m, double seconds)
{
	*m = (struct meter){ .seconds = seconds };
}

double peak_rss_mib(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	double kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmHWM:", 6))
			kib = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return kib / 1024;
}

/* Ends at once: what the job still holds is nobody's leak. */
static _Noreturn void finish(struct meter *m)
{
	json_t *o = json_object();
	double best = 0;
	char *text;

	for (int i = 0; i < m->n; i++)
		best = fmax(best, m->rate[i]);
	jset_num(o, "per_s", median(m->rate, m->n));
	jset_num(o, "best_per_s", best);
	jset_int(o, "slices", m->n);
	jset_num(o, "macs", m->macs);
	jset_num(o, "peak_rss_mib", peak_rss_mib());
	text = json_compact(o);
	puts(text);
	fflush(stdout);
	_exit(0);
}

void meter_tick(struct meter *m, double units)
{
	const double now = now_seconds();

	if (m->ticks++ == 0)
		m->begun = now;
	if (!(m->from > 0)) {
		if (m->ticks > WARM_TICKS && now - m->begun >= m->seconds / METER_SLICES)
			m->from = m->slice = now;
		return;
	}
	m->units += units;
	if (now - m->slice < m->seconds / METER_SLICES)
		return;
	m->rate[m->n++] = m->units / (now - m->slice);
	m->units = 0;
	m->slice = now;
	if (now - m->from >= m->seconds || m->n == METER_SLICES)
		finish(m);
}
