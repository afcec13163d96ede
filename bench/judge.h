/* What the evaluator's parts share: asking a service questions with known answers and presenting credentials to it.
 * Private to bench/evaluate.c, bench/attacked.c and bench/overhead.c. */
#ifndef LB_BENCH_JUDGE_H
#define LB_BENCH_JUDGE_H

#include "bench/evaluate.h"

struct judge {
	const struct setup *s;
	struct service service; /* the deployed one */
	/* Issued credentials against it: users * per_user each, zero when there are none. */
	int ncreds;
	unsigned char *accepted, *identified;
	/* One valid credential a user, for the users who have one; when none has, everybody's first. */
	int *row, nrows;
};
/* Authenticates all issued credentials. 0, or -1 after error(). */
int judge_open(struct judge *j, const struct setup *s);
void judge_close(struct judge *j);

/* Present n stacked credentials: accepted (n), and user (n, may be NULL) whom they are taken for. Credentials that lack the form
 * of the issued ones are refused unread; a service without authentication accepts everything. */
int judge_creds(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		unsigned char *accepted, int *user);
/* Issued credentials (maybe degraded ones) in user-major order: accepted, and identified as the right user (may be NULL). */
int judge_genuine(const struct setup *s, const struct service *v, const struct bundle *creds, unsigned char *accepted,
		  unsigned char *identified);
/* All images of test asked of service v, image i by whoever presents row i mod nrows of creds (nrows 0: without a credential).
 * right (test->n). purpose names the random stream of the answers. */
int judge_answers(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
		  const struct images *test, const char *purpose, unsigned char *right);
/* Top confidences of m on v, counted in 50 bins over [0,1]. */
int judge_histogram(struct model *m, const struct images *v, struct observations *o, const char *name);
/* The owner's mark in m: mark_matched and ownership_verified; nothing when the scheme has none. */
int judge_mark(const struct setup *s, const struct model *m, struct observations *o);
/* Plain accuracy of m on the test set: right (test images). */
int judge_model(const struct setup *s, const struct model *m, unsigned char *right);

/* bench/attacked.c: observe p's effect. changed: 0 when the product changed nothing. */
int judge_product(const struct judge *j, const struct product *p, struct observations *o, int *changed);

#endif
