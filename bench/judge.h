/* What the evaluator's parts share: asking a service questions with known answers and presenting credentials to it.
 * Private to bench/evaluate.c, bench/attacked.c, bench/disown.c, bench/degrade.c and bench/overhead.c. */
#ifndef LB_BENCH_JUDGE_H
#define LB_BENCH_JUDGE_H

#include "bench/evaluate.h"

struct judge {
	const struct setup *s;
	struct service service; /* the deployed one */
	/* Issued credentials against it: users * per_user each, zero when there are none. */
	int ncreds;
	unsigned char *accepted, *identified;
	unsigned *passed; /* parts of the check, as in struct auth */
	int *user;        /* whom they are taken for, -1: nobody */
	double *score;    /* judge_scores() */
	/* One valid credential a user, for the users who have one; when none has, everybody's first. */
	int *row, nrows;
};
/* Authenticates all issued credentials. 0, or -1 after error(). */
int judge_open(struct judge *j, const struct setup *s);
void judge_close(struct judge *j);

/* Present n stacked credentials: accepted (n), and, unless NULL, user (n) whom they are taken for and passed (n), the parts of
 * the check. Credentials that lack the form of the issued ones are refused unread. Where a scheme has no login but its
 * credentials unlock a network or prepare queries, one is accepted that is of use (judge.c says when), and belongs to whom
 * its queries are traced; a service with neither accepts everything. */
int judge_creds(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		unsigned char *accepted, int *user, unsigned *passed);
/* The same, and score (n; may be NULL): larger is more genuine. What the scheme's check says; where a credential is judged by its use,
 * the share of questions it answers right. */
int judge_scores(const struct setup *s, const struct service *v, const struct bundle *creds, int n,
		 unsigned char *accepted, int *user, unsigned *passed, double *score);
/* Issued credentials (maybe degraded ones) in user-major order: accepted, identified as the right user, passed (may be NULL). */
int judge_genuine(const struct setup *s, const struct service *v, const struct bundle *creds, unsigned char *accepted,
		  unsigned char *identified, unsigned *passed);
/* The parts of the check that n credentials passed: bits PREFIX_check_NAME. */
void judge_observe(const struct scheme *scheme, const char *prefix, const unsigned *passed, int n, struct observations *o);
/* An answer, as far as it is looked at. */
struct reply {
	int top, low;                 /* most and least likely class, the first of equals */
	double sure, entropy, margin; /* top probability, nats, top minus second */
};
void reply_of(const float *probs, int classes, struct reply *out);
/* What service v answers q to whoever holds cred (one, or NULL): out (q->n). */
int judge_replies(const struct service *v, const struct bundle *cred, const struct images *q, uint64_t nonce, struct reply *out);
/* All images of test asked of service v, image i by whoever presents row i mod nrows of creds (nrows 0: without a credential).
 * right (test->n). purpose names the random stream of the answers. */
int judge_answers(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
		  const struct images *test, const char *purpose, unsigned char *right);
/* The same, and what was answered: out (test->n). */
int judge_said(const struct setup *s, const struct service *v, const struct bundle *creds, const int *row, int nrows,
	       const struct images *test, const char *purpose, struct reply *out);
/* Top confidences of m on v, counted in 50 bins over [0,1]. */
int judge_histogram(struct model *m, const struct images *v, struct observations *o, const char *name);
/* The owner's mark in m: mark_matched and ownership_verified; nothing when the scheme has none. */
int judge_mark(const struct setup *s, const struct model *m, struct observations *o);
/* False for a scheme that has users but none under these options: it proves ownership only, and nobody is unauthorised. */
bool judge_controls_access(const struct setup *s);
/* Plain accuracy of m on the test set: right (test images). */
int judge_model(const struct setup *s, const struct model *m, unsigned char *right);

/* n keys as somebody draws them who knows no secret (there must be issued ones); caller frees, NULL after error(). */
struct bundle *judge_wrong_keys(const struct judge *j, int n, uint64_t seed);
/* A copy of what the owner holds and deploys, with user revoked in it. The caller releases it, on failure too; -1 after error(). */
int judge_revoke(const struct setup *s, int user, struct locked *copy);
/* Queries of users with a valid credential traced to their senders: bits PREFIX_traced (to the right user), PREFIX_named (to
 * anybody), PREFIX_bits_read (bits of identities read right). Nothing when the scheme traces no queries. */
int judge_trace(const struct judge *j, const struct service *v, const char *prefix, struct observations *o);

/* bench/answers.c: what users and others are answered: accuracies, agreement, what locked answers give away. */
int observe_answers(const struct judge *j, struct observations *o);
/* bench/wire.c: how much what identifies users differs from clean images, and whether detectors see it; nothing where no image does. */
int observe_wire(const struct judge *j, struct observations *o);
/* Series PREFIX_MEASURE: every image measure between n images (n, c*h*w) and what became of them, rounded to 8 bits. */
void observe_quality(const char *prefix, const float *clean, const float *sent, int n, int c, int h, int w, struct observations *o);
/* bench/identities.c: scores, whom credentials are taken for, how much they differ from user to user. */
int observe_identities(const struct judge *j, struct observations *o);

/* bench/attacked.c: observe p's effect. changed: 0 when the product changed nothing. */
int judge_product(const struct judge *j, const struct product *p, struct observations *o, int *changed);
/* bench/disown.c: the same for credentials that colluders made, or lent. */
int judge_disown(const struct judge *j, const struct product *p, struct observations *o, int *changed);
/* bench/degrade.c: the same for a channel. */
int judge_degrade(const struct judge *j, const struct product *p, struct observations *o, int *changed);

#endif
