/* An attack: receives an access handle and nothing else, returns a product and never a metric.
 * A driver in attacks/NAME.c and a line in list.def. The evaluator judges the product.
 *
 * Capability bits are those of the threat model (LABEL < PROB < LOGIT queries, DECISION, white-box bits, leaked data).
 * A driver declares what it needs; bench/access.c fills exactly that and leaves everything else NULL or empty. Test
 * images' labels and the owner's secret bundle are never reachable from a handle. */
#ifndef LB_ATTACKS_ATTACK_H
#define LB_ATTACKS_ATTACK_H

#include "base/driver.h"
#include "nn/bundle.h"
#include "nn/images.h"
#include "nn/model.h"
#include <stdbool.h>
#include <stdint.h>

enum capability {
	CAP_LABEL = 1 << 0,    /* query: top-1 */
	CAP_PROB = 1 << 1,     /* query: probabilities */
	CAP_DECISION = 1 << 2, /* submit credentials: accepted or not */
	CAP_GRADX = 1 << 3,    /* gradients of the deployed model (implies its weights are at hand) */
	CAP_WEIGHTS = 1 << 4,  /* read the deployed weights */
	CAP_WRITE = 1 << 5,    /* change them and run the result */
	CAP_ALGO = 1 << 6,     /* knows the mechanism */
	CAP_PARAM = 1 << 7,    /* knows the shipped parameters (pub) */
	CAP_LABELLED = 1 << 8, /* labelled samples of the attack pool */
	CAP_UNLABELLED = 1 << 9,
	CAP_CRED = 1 << 10,    /* leaked credentials */
	CAP_CHANNEL = 1 << 11, /* sits between the users and the service */
	CAP_PAIR = 1 << 13,    /* images beside what a user's client made of them */
	CAP_INSTANCE = 1 << 14, /* the networks that users run (an insider's memory) */
	CAP_ARCH = 1 << 15,    /* knows the architecture of the unprotected network, not its weights */
	CAP_PAPER_TEST = 1 << 12 /* labelled TEST images: a published protocol that leaks; labelled as such everywhere */
};
/* "weights,gradx"; buf of at least 160 bytes. */
const char *capability_text(unsigned caps, char *buf);

enum goal { GOAL_USE, GOAL_IMPERSONATE, GOAL_REMOVE, GOAL_DISOWN, GOAL_DEGRADE, GOAL_DETECT };
extern const char *const goal_names[]; /* "use", "impersonate", ... */

/* What was spent, and how much may be; a budget of 0 is no limit. Kept by the harness: to an attack it is constant. */
struct ledger {
	long queries, labels, submissions;
	double forward_equivalents;
	long max_queries, max_labels, max_submissions;
	double max_forward_equivalents;
	bool exhausted;               /* something was asked for beyond a budget, and refused */
};

struct access {
	unsigned caps;              /* granted: equals what the driver declared */
	uint64_t seed;
	int c, h, w, classes;
	const struct model *model;  /* CAP_WEIGHTS or CAP_GRADX: copy it with model_copy() to change it */
	struct model_spec arch;     /* CAP_ARCH: of the unprotected network (zeroed otherwise) */
	const struct bundle *pub;   /* CAP_PARAM */
	struct images labelled;     /* CAP_LABELLED: attack pool with labels (n = 0 otherwise) */
	struct images unlabelled;   /* CAP_UNLABELLED: the same pool, labels NULL */
	struct images val;          /* attacker's validation images: labelled with CAP_LABELLED */
	struct images paper_test;   /* CAP_PAPER_TEST */
	const struct bundle *creds; /* CAP_CRED: of every user one, user-major */
	int ncreds;
	struct images plain, keyed; /* CAP_PAIR: images of the attack pool, unlabelled, and what the client of user i mod users sends */
	struct model *const *instance; /* CAP_INSTANCE: of the first users one each; where nobody has his own: the deployed one */
	int ninstances;
	const struct ledger *ledger;
	const char *label;          /* for progress bars; NULL: silent */
	struct oracle *oracle;      /* private to bench/access.c */
};

/* Query the service without (cred < 0) or with leaked credential number cred; out (n, classes): probabilities, or one-hot
 * top-1 when only CAP_LABEL is granted. Counted. -1 after error(): not granted, budget spent. */
int access_query(struct access *a, const struct images *v, int cred, float *out);
/* The same for somebody who presents credential `at` of creds, of the attacker's own making. */
int access_query_as(struct access *a, const struct images *v, const struct bundle *creds, int at, float *out);
/* Submit n image credentials x (n, c*h*w): accepted (n). Counted. */
int access_submit(struct access *a, const float *x, int n, unsigned char *accepted);
/* n credentials as somebody draws them who knows the scheme and no secret (CAP_ALGO), stacked in out. */
int access_draw(struct access *a, uint64_t seed, int n, struct bundle *out);
/* Note labelled samples and compute that were used; -1 after error() when over budget. */
int access_spend(struct access *a, long labels, double forward_equivalents);

/* GOAL_DEGRADE: whose images pass the channel, and so what is judged through it. */
enum role {
	ROLE_CHANNEL, /* everybody's: users' credentials that are images, and every query (damage in transit) */
	ROLE_EVADE,   /* what names a leaker only: its credential, the queries that its client prepared. Do they still work, and name it? */
	ROLE_UNLOCK   /* the queries of somebody without a credential: is the modification itself the key? */
};
extern const char *const role_names[]; /* "channel", "evade", "unlock" */

/* Whom the attacker's predictor may ask once the attack is over: the deployed service, without a credential. probs (v->n, classes),
 * one-hot where the attack saw only labels. 0, or -1 after error(). */
struct asked {
	int (*query)(struct asked *k, const struct images *v, float *probs);
	const void *ctx; /* private to the evaluator */
	uint64_t nonce;  /* changes with every question */
	unsigned caps;
};

struct product {
	enum goal goal;
	struct model *model;    /* GOAL_USE, GOAL_REMOVE: the attacker's model; GOAL_DEGRADE: a network of the channel's (owned) */
	/* GOAL_USE: how the attacker answers images, where running `model` is not all of it (prepared inputs, decoded answers): probs
	 * (v->n, classes) for v without labels; `model` may be NULL then. It has `stolen`, `kept` and `ctx`. What becomes of an image must not
	 * depend on the others. 0 or -1 after error(). */
	int (*answer)(const struct product *p, struct asked *service, const struct images *v, float *probs);
	unsigned caps;          /* what the attack was granted: set by whoever ran it */
	struct bundle *creds;   /* GOAL_IMPERSONATE, GOAL_DISOWN: forged credentials, stacked (owned) */
	int ncreds;
	int *claimed;           /* (ncreds) claimed user or -1; may be NULL (owned, malloc) */
	int *party, nparty;     /* GOAL_DISOWN: the users who made each, (ncreds, nparty), the one who lent its form first (owned, malloc) */
	/* The attack saw, with what it was granted, that there is nothing for it to do: why (static text). The cell is n/a. */
	const char *inapplicable;
	int tested;             /* CAP_PAPER_TEST: the attack trained on the first so many of access.paper_test, which
				 * are the first of the test view; the evaluator also judges on the others alone */
	/* GOAL_DEGRADE: what happens to every image on its way; in, out (n, c, h, w) in [0,1]. What becomes of an image must
	 * not depend on the others. 0 or -1 after error(). */
	int (*channel)(const struct product *p, const float *in, int n, int c, int h, int w, float *out);
	enum role role;
	struct model *stolen;   /* the copy of the deployed model that the channel or `answer` asks itself (owned) */
	/* What else they need, images for example (owned). GOAL_USE: "pieces" i32 (T,5) in it names parts of `model` that the attack put
	 * back, each on its own (parameter, row, column, rows, columns); the evaluator says which are the unprotected network's to the bit. */
	struct bundle *kept;
	/* Mean bytes of n images as the channel stores them; NULL: it stores nothing. 0 or -1 after error(). */
	int (*stored_bytes)(const struct product *p, const float *in, int n, int c, int h, int w, double *bytes);
	/* How much each image looks like a credential or a marked query: score (n), larger is more suspicious. Above `threshold` (maybe
	 * infinite) it is flagged. NULL: the channel does not look. */
	int (*detect)(const struct product *p, const float *in, int n, int c, int h, int w, double *score);
	double threshold;
	/* GOAL_DETECT: how much network m looks as if it carried a protection; above `threshold` it is said to. NaN: it cannot be compared. The
	 * evaluator shows it the deployed network and the unprotected one. 0 or -1 after error(). */
	int (*inspect)(const struct product *p, struct model *m, double *score);
	unsigned char ctx[256]; /* the hooks' own parameters */
	json_t *notes;          /* object of numbers and strings worth keeping; may be NULL (owned) */
};
void product_release(struct product *p);

/* What a prediction of an attack's compute can know before there is a model. */
struct expected {
	int pool, val;       /* images that the attacker will have */
	int users, creds;    /* enrolled; credentials issued to all of them together */
	double macs;         /* of a forward pass of the deployed network for one image */
	struct model_spec spec;
};

/* Forward equivalents of a forward pass through a network of one's own. */
double expected_pass(const struct expected *e, const struct model_spec *own);

struct attack {
	struct driver drv;  /* must be first */
	enum goal goal;
	unsigned needs;     /* capabilities; more than the cell grants is refused in plan */
	const char *strength; /* the option that is this attack's strength ("rate"), or NULL */
	int strength_up;    /* 1: larger is stronger; -1: smaller is stronger (JPEG quality) */
	const char *tier[3]; /* option overrides for smoke, short, paper: "a=b c=d", NULL: none */
	/* needs under these options (a superset of `needs` bits may be required by an option); NULL: needs. */
	unsigned (*needs_for)(const void *conf);
	/* Does the attack apply to a scheme with these declarations? Returns NULL when it does, else the reason (static text).
	 * NULL: it applies to every scheme. */
	const char *(*inapplicable)(const void *conf, int has_users, int has_ownership);
	/* Required. 0, or -1 after error(). */
	int (*run)(struct access *a, const void *conf, struct product *p);
	/* What of the shipped parameters or credentials the attack looks for, and says `inapplicable` when it runs and does not find (static
	 * text, for the matrix of applicability); NULL: nothing. */
	const char *finds;
	/* Hyper-parameters worth searching and their values, the strength not among them: "lr=0.0001,0.001 mode=ftal,rtal"; NULL: none. */
	const char *search;
	/* Compute of a run under these options, in forward equivalents of the deployed network, for predictions of time only. NULL: as the
	 * options named images, epochs, steps, batch, tries, ... let expect (bench/forecast.h). */
	double (*cost)(const void *conf, const struct expected *e);
	/* Other attacks that it runs, with their versions: a new object {"prune": 1}, part of the cell's key, because their results are its
	 * own. NULL, or returning NULL: none. */
	json_t *(*parts)(const void *conf);
};
extern const struct driver *const attacks[]; /* sorted by name, NULL-terminated */

#endif
