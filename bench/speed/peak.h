/* What the processor can do at most: OpenBLAS's sgemm, one thread, at the core type that is fastest here. Experiments run with a pinned
 * core type for the sake of equal bits; the peak must not, or the fractions would flatter. */
#ifndef LB_BENCH_SPEED_PEAK_H
#define LB_BENCH_SPEED_PEAK_H

struct peak {
	char core[32];    /* OPENBLAS_CORETYPE, "" for OpenBLAS's own choice */
	double gflops[2]; /* of one process, and of two at the same time together (0 where only one processor may be used) */
};

/* Tries core types in processes of their own, `seconds` each. 0, or -1 after error(). */
int peak_measure(struct peak *p, double seconds, int processors);
/* The child's part: square sgemm for `seconds` from the monotonic time `start` on; prints {"gflops": best slice}. */
int peak_child(double start, double seconds);

#endif
