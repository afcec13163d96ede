/* A protection scheme: how an owner locks a model, enrols users, and proves ownership; how the deployed
 * service decides who is served. A driver in schemes/NAME.c and a line in list.def; what drivers share is in
 * schemes/kit/.
 *
 * State is plain data, so artefacts save and load without scheme-specific code:
 *   locked.model   the deployed weights
 *   locked.pub     what ships with the model: control-layer parameters, verifiers (no secrets)
 *   locked.secret  what only the owner holds: keys, watermark, positions
 *   credentials    a bundle that stacks n credentials: every tensor's first dimension is n, but for those named
 *                  "shared_...", which each of the n contains. Image-shaped credentials are the tensor "image", f32
 *                  (n,c,h,w) in [0,1]
 *
 * A locked model may have another architecture than the base, and more outputs than there are classes (an extra class
 * comes last): services answer with the first `classes` of them, as probabilities.
 * Hooks draw randomness only from the seed they are given, and change only what they are given to change. */
#ifndef LB_SCHEMES_SCHEME_H
#define LB_SCHEMES_SCHEME_H

#include "base/driver.h"
#include "nn/bundle.h"
#include "nn/images.h"
#include "nn/model.h"
#include "nn/train.h"
#include <stdint.h>

enum deployment { DEPLOY_RETRAIN_PER_USER = 0, DEPLOY_RETRAIN = 1, DEPLOY_FINETUNE = 2, DEPLOY_POSTHOC = 3 };

/* The six attributes of Xue, Wang and Liu's survey (2021, section II) in its own words, and what the driver declares of
 * itself. */
struct declared {
	const char *scenario, *mechanism, *capacity, *type, *function, *target_models;
	int gate;              /* 1: an `if` beside the network; 0: intrinsic to the weights or inputs */
	int deployment;        /* enum deployment, for the default options */
	/* Knowledge of the model, needed to authenticate and to verify: begins with "black-box" or "white-box";
	 * "black-box to authenticate, white-box to verify ownership" where they differ (checked in a permuted
	 * network). */
	const char *knowledge;
	const char *ships;     /* what ships to whom, where the secrets live */
	int has_users, has_revocation, has_ownership;
	int has_identities;    /* credentials tell their holders apart */
	int changes_weights;   /* 0 is checked: locked weights must equal the base model's */
};

/* What the owner has when locking and enrolling. Everything is borrowed. */
struct lock_env {
	const struct images *train, *val;  /* the owner's own; never the attack pool, never the test set */
	const struct train_conf *recipe;   /* how the base model was trained */
	const struct model *base;          /* the unprotected network, trained from the same seed by the recipe */
	uint64_t seed;                     /* of this lock: open streams with (seed, purpose) */
	const char *label;                 /* for progress bars; NULL: silent */
	double *forward_equivalents;       /* lock_spend() adds what is spent; NULL: nobody asks */
	const struct images *foreign;      /* unlabelled images of another task, of any shape; NULL: none */
	const char *foreign_hash;          /* payload hash of the data set they are of */
};

static inline void lock_spend(const struct lock_env *e, double forward_equivalents)
{
	if (e->forward_equivalents)
		*e->forward_equivalents += forward_equivalents;
}

struct locked {
	struct model *model;
	struct bundle *pub, *secret;
};
void locked_release(struct locked *l);

/* The deployed thing: this is all that authenticate() and query() see, and what an attacker may steal. */
struct service {
	const struct scheme *scheme;
	const void *conf;
	struct model *model;        /* not changed by hooks (not const: a forward pass needs its parameter nodes) */
	const struct bundle *pub;
	int classes;
	/* What happens to every prepared query on its way; NULL: nothing. in, out (n, c, h, w). For evaluating
	 * channels. */
	int (*wire)(const void *ctx, const float *in, int n, int c, int h, int w, float *out);
	const void *wire_ctx;
};

struct auth {
	int accepted;
	int user;       /* who it is taken for; -1 nobody or the scheme has no identities */
	double score;   /* larger is more genuine; the driver's own scale */
	unsigned passed; /* bit i: scheme.checks[i] was passed */
};

/* Whom an owner takes a received query for. */
struct traced {
	int user;           /* -1: nobody */
	int nbits;          /* of the identity as it was read, before any correction; 0: it has no bits */
	unsigned char bit[128];
};

struct ownership {
	int applies;    /* 0: the scheme has no ownership verification (or it is off): the rest is unset */
	int verified;
	int matched, total; /* symbols of the mark read correctly; symbol[i] says which (may be NULL) */
	unsigned char symbol[4096];
	int alphabet;   /* values that a symbol can have; 1: it carries no information; 0: two */
};

/* What a scheme takes, in forward equivalents of the unprotected network, and what a prediction can know of it. */
struct burden {
	double lock;    /* lock() */
	double enrol;   /* enrol(), a credential */
	double unlock;  /* unlock(), a network */
	double prepare; /* prepare(), an image */
};
struct burdened {
	int images;                       /* of the owner's training set */
	const struct train_conf *recipe;
	struct model_spec spec;           /* of the unprotected network */
	double macs;                      /* a forward pass of it */
};

/* An option that holds what only the owner may know: it does not travel with cells that are given away
 * (bench/withhold.h). published: a value that stands in a paper, so that it can be tried, or NULL; the default is tried
 * as well. */
struct secret_option { const char *name, *published; };

struct scheme {
	struct driver drv; /* must be first */
	struct declared decl;
	const char *tier[3]; /* option overrides for smoke, short, paper: "a=b c=d", NULL: none */
	struct secret_option secrets[4]; /* ends with a zero one */

	/* Does lock() need images of another task than `task`, the data set that is protected? Returns 1 and in
	 * names the data sets that would do, best first, separated by commas; the first that is found becomes
	 * lock_env.foreign, and its payload hash part of the keys. 0: none. NULL: never. */
	int (*foreign)(const void *conf, const char *task, char names[256]);
	/* Make l->model from e, and fill l->pub and l->secret, which come empty. Required. 0, or -1 after error();
	 * the caller then releases l. */
	int (*lock)(const struct lock_env *e, const void *conf, struct locked *l);

	/* Make n credentials in out (tensors stacked along the first dimension); credential i is number trial[i] of
	 * user user[i], both from 0. May extend l->pub / l->secret (a verifier's table). Batches are faster than
	 * single calls, but a credential must not depend on which others are asked for. What stays with the owner,
	 * where there is such a thing: tensor "ok" u8 (n), 0 where the driver failed to make a valid one; "tries"
	 * i32 (n); whatever else is worth knowing under a name that begins with "about_", as "about_clean" u8
	 * (n,c,h,w), the images that image credentials were made from. Metadata "credential_bytes": bytes of one as
	 * its holder stores it, where the tensors are wider. NULL: the scheme has no credentials. */
	int (*enrol)(const struct lock_env *e, const void *conf, struct locked *l, const int *user,
		     const int *trial, int n, struct bundle *out);
	/* From now on user is refused. NULL: cannot. */
	int (*revoke)(const void *conf, struct locked *l, int user);
	/* Number of users that the options allow by the paper's formula (analytic); NULL: no users. */
	double (*users_analytic)(const void *conf, int classes);
	/* Users that exist by default under these options (ActiveGuard: K x T). NULL: as many as its option "users"
	 * says. 0: under these options the scheme proves ownership and controls no access; nobody is enrolled,
	 * metrics of access are n/a. */
	int (*users)(const void *conf, int classes);

	/* Judge n stacked credentials. NULL: nobody asks; a credential is as good as the answers it gets. */
	int (*authenticate)(const struct service *s, const struct bundle *creds, int n, struct auth *out);
	/* For gates whose credentials are images (schemes/kit/gate.h), which take their `authenticate` from there:
	 * judge one image (c*h*w). probs: what the network makes of it, all outputs; NULL where the gate asks the
	 * image alone. *out comes as a refusal with the score `worst`, which is what judge() may leave: the score of
	 * what is no image, and of the revoked. */
	int (*judge)(const struct service *s, const float *image, const float *probs, struct auth *out);
	double worst;
	/* Queries that one login at a gate opens, before the credential is judged again. NULL or 0: no limit. */
	int (*session)(const void *conf);
	/* The parts of that check that are worth telling apart ("class", "identity"), in the order of auth.passed's
	 * bits. */
	const char *checks[4];
	/* The network that the holder of credential `at` runs: new, the caller frees; NULL after error(). A hook
	 * that is NULL: the deployed one. Without a credential it is not asked. */
	struct model *(*unlock)(const struct service *s, const struct bundle *creds, int at);
	/* What the holder's client makes of each query before it is sent: out (v->n, c*h*w). NULL: nothing. */
	int (*prepare)(const struct service *s, const struct bundle *creds, int at, const struct images *v, float *out);
	/* Answer v->n queries of somebody who presents credential `at` of creds (creds NULL: none): probs (n, classes)
	 * that sum to 1. nonce: for answers that are random; a service that answers at random must open its stream
	 * from it. NULL, the rule: service_query() below says what then happens. */
	int (*query)(const struct service *s, const struct bundle *creds, int at, const struct images *v,
		     uint64_t nonce, float *probs);
	/* n credentials as somebody would draw them who knows the scheme and its shipped parameters, and no secret;
	 * stacked in out. NULL: uniformly random content in the form of the issued ones. */
	int (*wrong_keys)(const struct service *s, uint64_t seed, int n, struct bundle *out);
	/* Whose are these n received queries x (n, c*h*w)? By the owner. NULL: queries bear no identity. The true
	 * bits of issued credentials, where there are any, are their tensor "about_bits" u8 (n, nbits). */
	int (*trace)(const void *conf, const struct locked *owner, const float *x, int n, struct traced *out);

	/* Does the owner's mark stand in suspect (same architecture)? NULL: no ownership verification. */
	int (*verify)(const void *conf, const struct locked *owner, const struct model *suspect, struct ownership *out);

	/* For predictions of time only: b is filled in as decl.deployment lets expect. NULL: that is right. */
	void (*burden)(const void *conf, const struct burdened *e, struct burden *b);
};

/* These hooks as they are called. lock: l is new (the old content is not looked at), and empty after an error.
 * enrol: user and trial numbers are looked at first. users: 0 without enrol. */
int scheme_lock(const struct scheme *s, const struct lock_env *e, const void *conf, struct locked *l);
int scheme_enrol(const struct scheme *s, const struct lock_env *e, const void *conf, struct locked *l, const int *user,
		 const int *trial, int n, struct bundle *out);
int scheme_users(const struct scheme *s, const void *conf, int classes);

/* How services answer: by s->scheme->query where a scheme has one. Else a gate (decl.gate) gives whoever it does not
 * accept uniformly random classes (gate_deny), and lets the others log in once a session; everybody else is answered
 * by the network that unlock() gives them, on what prepare() makes of their queries. 0, or -1 after error(). */
int service_query(const struct service *s, const struct bundle *creds, int at, const struct images *v, uint64_t nonce,
		  float *probs);
/* Queries as they arrive there: new (v->n, c*h*w), prepared by the holder's client, then what happens to them on the
 * wire. NULL after error(); the caller frees. */
float *service_sent(const struct service *s, const struct bundle *creds, int at, const struct images *v);
/* Probabilities (v->n, classes) of m's first `classes` outputs. 0, or -1 after error(). */
int service_probs(struct model *m, const struct images *v, int classes, float *probs);

extern const struct driver *const schemes[]; /* sorted by name, NULL-terminated */

#endif
