/* A small world for tests of schemes and of crafting: synthetic images and a LeNet-5 trained on them, a few seconds. */
#ifndef LB_TESTS_SUPPORT_SCHEME_H
#define LB_TESTS_SUPPORT_SCHEME_H

#include "datasets/dataset.h"
#include "schemes/scheme.h"

enum { DESK_SEED = 5 };

struct desk {
	struct dataset *data;
	struct splits splits;
	struct train_conf recipe;
	struct model *base;    /* about 95 % right on the test images */
	struct lock_env env;
};
/* For an unchecked fixture: runs once, before the tests fork. Uses one thread, so that tests may use more. */
void desk_open(struct desk *d);
void desk_close(struct desk *d);

/* A locked network with its service, under options "a=b c=d". */
struct lock {
	const struct scheme *scheme;
	void *conf;
	struct locked locked;
	struct service service;
};
/* 0, or -1 after error() (locks that fail need no release). */
int lock_open(struct lock *l, const struct desk *d, const struct scheme *scheme, const char *options);
void lock_close(struct lock *l);
/* Credentials of users first .. first+users-1, `each` of them, user-major. Caller frees; NULL after error(). */
struct bundle *lock_enrol(struct lock *l, const struct desk *d, int first, int users, int each);
/* Judge n credentials; returns how many are accepted. out may be NULL. */
int lock_accepted(const struct lock *l, const struct bundle *creds, int n, struct auth *out);
/* Right answers to the first n test images for somebody with credential `at` of creds (NULL: none). */
int lock_correct(const struct lock *l, const struct desk *d, const struct bundle *creds, int at, int n, uint64_t nonce);
/* Credentials made of rows x (n, c*h*w). Caller frees. */
struct bundle *creds_of(const struct model_spec *s, const float *x, int n);

#endif
