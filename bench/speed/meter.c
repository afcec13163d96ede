/* See meter.h. */
#include "bench/speed/meter.h"
#include "base/json.h"
#include "base/progress.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WARM_FIRST 3 /* the arena owns one chunk of the right size from the second step on */
#define WARM 1       /* later slices */

/* A byte on stdin asks for a slice. Ends at once when none comes: what the job still holds is nobody's leak. */
static void wait_for_ask(void)
{
	char byte;

	if (read(STDIN_FILENO, &byte, 1) != 1)
		_exit(0);
}

void meter_open(struct meter *m, double seconds)
{
	*m = (struct meter){ .seconds = seconds, .left = WARM_FIRST };
	wait_for_ask();
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

static void say(const struct meter *m, double per_s)
{
	json_t *o = json_object();
	char *text;

	jset_num(o, "per_s", per_s);
	jset_num(o, "macs", m->macs);
	jset_num(o, "peak_rss_mib", peak_rss_mib());
	text = json_compact(o);
	puts(text);
	fflush(stdout);
	free(text);
	json_decref(o);
}

void meter_tick(struct meter *m, double units)
{
	const double now = now_seconds();

	if (m->left > 0) {
		m->begun = --m->left ? 0 : now;
		return;
	}
	m->units += units;
	if (now - m->begun < m->seconds)
		return;
	say(m, m->units / (now - m->begun));
	wait_for_ask();
	m->units = 0;
	m->left = WARM;
}
