/* Timing inside a job's own process: a slice of work when the parent asks for one, and a line of JSON about it.
 *
 * Slices, because rows are measured in turn: on a shared machine two rates may be compared only when they are of the same moment. */
#ifndef LB_BENCH_SPEED_METER_H
#define LB_BENCH_SPEED_METER_H

struct meter {
	double seconds;  /* a slice */
	double macs;     /* multiply-accumulates of one unit's forward pass, 0: none are counted; set by the job */
	/* private */
	double begun, units; /* of this slice; begun 0: not yet */
	long left;           /* pieces of work that are not counted before it */
};

/* Waits until the parent asks for the first slice. */
void meter_open(struct meter *m, double seconds);
/* A piece of work (a batch, a call) is done, `units` images or image-iterations of it. At the end of a slice prints
 * {"per_s", "macs", "peak_rss_mib"} on stdout and waits to be asked for the next; the process ends when nobody will, a job's loop has no
 * other end. The first pieces of a slice do not count: memory, caches and threads wake up in them. */
void meter_tick(struct meter *m, double units);
/* Most memory this process ever had in RAM, MiB; 0 when /proc does not say. Unlike getrusage's, not what its parent had. */
double peak_rss_mib(void);

#endif
