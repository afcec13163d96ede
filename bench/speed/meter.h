/* Timing inside a job's own process: units done by the clock, cut into slices, and one JSON line about it at the end. */
#ifndef LB_BENCH_SPEED_METER_H
#define LB_BENCH_SPEED_METER_H

#define METER_SLICES 7

struct meter {
	double seconds;  /* to measure, behind the warm-up */
	double macs;     /* multiply-accumulates of one unit's forward pass, 0: none are counted; set by the job */
	/* private */
	double begun, from, slice; /* times: first tick, measuring began, this slice began */
	double units, rate[METER_SLICES + 1];
	long ticks;
	int n;
};

void meter_open(struct meter *m, double seconds);
/* A piece of work (a batch, a call) is done, `units` images or image-iterations of it. When enough is measured, prints the result
 * on stdout and ends the process: a job's loop has no other end. The first call and a warm-up of a seventh of the time do not count. */
void meter_tick(struct meter *m, double units);
/* Most memory this process ever had in RAM, MiB; 0 when /proc does not say. Unlike getrusage's, not what its parent had. */
double peak_rss_mib(void);

#endif
