/* Long work shows where it is: a bar with ETA on a terminal, a plain line now and then elsewhere.
 * Everything goes to stderr. */
#ifndef LB_BASE_PROGRESS_H
#define LB_BASE_PROGRESS_H

struct progress {
	char label[96]; /* private from here */
	double total, start, last;
	int shown;
};

extern int progress_quiet; /* 1: print nothing (workers, --json on request) */

/* total: units of work (images, cells); label is copied. */
void progress_start(struct progress *p, const char *label, double total);
/* done units so far; note (may be NULL) is shown behind the bar, e.g. "loss 0.31". Cheap: prints at most 5 times a second. */
void progress_step(struct progress *p, double done, const char *note);
void progress_end(struct progress *p, const char *note);
double now_seconds(void); /* monotonic */
/* "3 s", "2 min 10 s", "1 h 05 min"; buf of at least 32 bytes. */
const char *duration_text(double seconds, char *buf);

#endif
