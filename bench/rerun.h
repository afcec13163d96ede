/* lockbench reproduce BUNDLE: is a bundle what it says, and does a sample of its cells come out again? */
#ifndef LB_BENCH_RERUN_H
#define LB_BENCH_RERUN_H

#include "bench/bundlefile.h"
#include "bench/margin.h"
#include "bench/run.h"

struct rerun_options {
	const char *bundle, *store; /* store: DIR/claimed gets the bundle, DIR/again what was run here */
	const char *sample;         /* "10%", or a number of cells */
	const char *const *set;     /* (nset) values of options that were withheld, see withhold.h */
	int nset;
	struct run_options run;     /* its store is not used */
	bool json;
};
/* EXIT_YES: every cell drawn is bit-equal or within tolerance; EXIT_NO: one is off, or the bundle is not what it says;
 * EXIT_FAILED_CELLS: one could not be run. -1 after error(). Prints. */
int reproduce_bundle(const struct rerun_options *o);

/* How many of n cells: "10%" rounds up, at least one. 0, or -1 after error(). */
int sample_size(const char *text, int n, int *size);
/* `size` of the n keys, drawn by a Philox stream named by the bundle's hash: whoever has the bundle draws the same ones, and who made it
 * could not choose them without making another bundle. out (size): indices, ascending. */
void sample_draw(const char *hash, int n, int size, int *out);

enum rerun_verdict { RERUN_EQUAL, RERUN_WITHIN, RERUN_OFF, RERUN_FAILED };
extern const char *const rerun_words[]; /* "bit-equal", "within tolerance", "off", "not run" */
/* The same cell, made twice. Labels (tier, version of the program) and keys may differ. Bit-equal: nothing else does. Within: the verdict
 * is the same, and each metric differs by no more than its margin (margin.h), or its 95 % intervals overlap. why: what differs. */
enum rerun_verdict rerun_judge(const json_t *claimed, const json_t *again, const struct margins *m, char why[256]);

#endif
