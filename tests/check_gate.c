/* schemes/kit/gate.c and the service before a gate: who is let in, how often he is asked, and what the others get.
 * The toy scheme lets in images whose first pixel is a user's number in hundredths, and, where it sees the network's
 * answer, only if the network has one output more than there are classes. */
#include "schemes/kit/gate.h"
#include <check.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/tile.h"
#include "schemes/kit/creds.h"
#include "schemes/kit/users.h"

enum { SIDE = 4, LEN = SIDE * SIDE, CLASSES = 3, N = 6 };

static int asked; /* times that judge() was called; tests fork */

static int judge(const struct service *s, const float *image, const float *probs, struct auth *out)
{
	double sum = 0;

	asked++;
	ck_assert(!out->accepted && out->user == -1 && out->score == s->scheme->worst);
	for (int k = 0; probs && k < CLASSES + 1; k++)
		sum += (double)probs[k];
	if (image[1] > 0.75f)
		return error(EXIT_UNEVALUABLE, "cannot judge");
	if (image[0] > 0.5f || (probs && fabs(sum - 1) > 1e-5))
		return 0;
	*out = (struct auth){ .accepted = 1, .user = (int)lrintf(100 * image[0]),
			      .score = probs ? (double)probs[CLASSES] : 1 };
	return 0;
}

static int session(const void *conf)
{
	return *(const int *)conf;
}

static struct scheme scheme = { .decl = { .gate = 1 }, .authenticate = gate_by_images, .judge = judge, .worst = -7 };
static struct service service;
static struct locked locked;
static float images[N * LEN];
static struct bundle *creds;

static void setup(void)
{
	const struct model_spec spec = { .arch = "linear", .c = 1, .h = SIDE, .w = SIDE, .classes = CLASSES + 1 };

	tile_threads(1);
	locked = (struct locked){ .model = model_new(&spec, 3), .pub = bundle_new() };
	ck_assert_ptr_nonnull(locked.model);
	service = (struct service){ .scheme = &scheme, .model = locked.model, .pub = locked.pub, .classes = CLASSES };
	for (int i = 0; i < N; i++)
		images[i * LEN] = 0.01f * (float)i;
	creds = creds_images(images, N, 1, SIDE, SIDE);
}

static void teardown(void)
{
	bundle_free(creds);
	locked_release(&locked);
}

START_TEST(the_network_stays_as_it_is)
{
	const struct lock_env e = { .base = locked.model };
	struct locked l = { 0 };

	ck_assert_int_eq(gate_lock(&e, NULL, &l), 0);
	ck_assert(l.model != locked.model && l.model->nx == locked.model->nx);
	ck_assert_int_eq(memcmp(l.model->x, locked.model->x, l.model->nx * sizeof(real)), 0);
	model_free(l.model);
}
END_TEST

START_TEST(whoever_is_known_is_let_in)
{
	const struct images v = { .n = N, .c = 1, .h = SIDE, .w = SIDE, .fx = images };
	float probs[N * (CLASSES + 1)];
	struct auth a[N];

	ck_assert_int_eq(gate_by_images(&service, creds, N, a), 0);
	for (int i = 0; i < N; i++)
		ck_assert(a[i].accepted && a[i].user == i && a[i].score == 1);
	ck_assert_int_eq(gate_by_answers(&service, creds, N, a), 0);
	ck_assert_int_eq(model_predict_probs(locked.model, &v, probs), 0);
	for (int i = 0; i < N; i++) /* each with the network's answer to its own image */
		ck_assert(a[i].accepted && a[i].user == i && a[i].score == (double)probs[i * (CLASSES + 1) + CLASSES]);
}
END_TEST

START_TEST(what_is_no_image_is_not_judged)
{
	static const float bad[] = { -0.01f, 1.01f, NAN, INFINITY, -INFINITY };
	float *x = bundle_get(creds, "image", DT_F32)->data;
	struct auth a[N];

	for (int i = 0; i < 5; i++)
		x[i * LEN + LEN - 1] = bad[i];
	ck_assert_int_eq(gate_by_images(&service, creds, N, a), 0);
	ck_assert_int_eq(asked, 1);
	for (int i = 0; i < 5; i++)
		ck_assert(!a[i].accepted && a[i].user == -1 && a[i].score == -7 && !a[i].passed);
	ck_assert(a[5].accepted);
}
END_TEST

START_TEST(the_revoked_are_refused)
{
	struct auth a[N];

	users_revoke(NULL, &locked, 2);
	ck_assert_int_eq(gate_by_images(&service, creds, N, a), 0);
	for (int i = 0; i < N; i++)
		ck_assert(a[i].accepted == (i != 2) && a[i].user == (i != 2 ? i : -1) &&
			  a[i].score == (i != 2 ? 1 : -7));
}
END_TEST

static int (*const gates[])(const struct service *s, const struct bundle *creds, int n, struct auth *out) = {
	gate_by_images, gate_by_answers
};

START_TEST(other_tensors_are_an_error)
{
	struct bundle *b = bundle_new();
	struct auth a[N + 1];

	ck_assert_int_eq(gates[_i](&service, b, 1, a), -1);
	ck_assert_ptr_nonnull(strstr(error_text(), "no tensor 'image'"));
	error_clear();
	ck_assert_int_eq(gates[_i](&service, creds, N + 1, a), -1); /* more than there are */
	ck_assert_ptr_nonnull(strstr(error_text(), "at least 7,1,4,4"));
	error_clear();
	bundle_put(b, "image", DT_F32, 4, (const int64_t[]){ 1, 1, 2 * SIDE, SIDE / 2 }, images);
	ck_assert_int_eq(gates[_i](&service, b, 1, a), -1);
	error_clear();
	((float *)bundle_get(creds, "image", DT_F32)->data)[1] = 0.9f; /* the scheme's own error goes up */
	ck_assert_int_eq(gates[_i](&service, creds, N, a), -1);
	ck_assert_str_eq(error_text(), "cannot judge");
	bundle_free(b);
}
END_TEST

START_TEST(denials_are_uniform)
{
	enum { MANY = 20000, K = 10 };
	float *p = malloc(MANY * K * sizeof(float)), *q = malloc(MANY * K * sizeof(float));
	int count[K] = { 0 };

	gate_deny(7, MANY, K, p);
	gate_deny(7, MANY, K, q);
	ck_assert_int_eq(memcmp(p, q, MANY * K * sizeof(float)), 0);
	gate_deny(8, MANY, K, q);
	ck_assert_int_ne(memcmp(p, q, MANY * K * sizeof(float)), 0);
	for (int i = 0; i < MANY; i++) {
		float sum = 0;

		for (int k = 0; k < K; k++) {
			sum += p[i * K + k];
			count[k] += p[i * K + k] == 1;
		}
		ck_assert(sum == 1);
	}
	for (int k = 0; k < K; k++)
		ck_assert(abs(count[k] - MANY / K) < 5 * sqrt(MANY * 0.09));
	free(p);
	free(q);
}
END_TEST

/* Answers for credential `at` (-1: none) to all images. */
static void query(int at, float *probs)
{
	const struct images v = { .n = N, .c = 1, .h = SIDE, .w = SIDE, .classes = CLASSES, .fx = images };

	ck_assert_msg(service_query(&service, at < 0 ? NULL : creds, at < 0 ? 0 : at, &v, 5, probs) == 0, "%s",
		      error_text());
}

START_TEST(the_service_asks_the_gate)
{
	const struct images v = { .n = N, .c = 1, .h = SIDE, .w = SIDE, .classes = CLASSES, .fx = images };
	float got[N * CLASSES], want[N * CLASSES], denied[N * CLASSES];

	ck_assert_int_eq(service_probs(locked.model, &v, CLASSES, want), 0);
	gate_deny(5, N, CLASSES, denied);
	query(4, got);
	ck_assert_int_eq(memcmp(got, want, sizeof(got)), 0);
	ck_assert_int_eq(asked, 1); /* about credential 4 alone */
	query(-1, got);
	ck_assert_int_eq(memcmp(got, denied, sizeof(got)), 0);
	((float *)bundle_get(creds, "image", DT_F32)->data)[4 * LEN] = 0.9f;
	query(4, got);
	ck_assert_int_eq(memcmp(got, denied, sizeof(got)), 0);
}
END_TEST

/* Queries a session, logins for N queries. */
static const int sessions[][2] = { { 0, 1 }, { 1, 6 }, { 2, 3 }, { 4, 2 }, { 6, 1 }, { 100, 1 } };

START_TEST(a_session_is_renewed)
{
	float got[N * CLASSES], want[N * CLASSES];

	query(1, want);
	scheme.session = session;
	service.conf = &sessions[_i][0];
	asked = 0;
	query(1, got);
	ck_assert_int_eq(asked, sessions[_i][1]);
	ck_assert_int_eq(memcmp(got, want, sizeof(got)), 0);
	((float *)bundle_get(creds, "image", DT_F32)->data)[LEN] = 0.9f;
	asked = 0;
	query(1, got);
	ck_assert_int_eq(asked, 1); /* who is refused does not come again */
}
END_TEST

Suite *suite_gate(void);
Suite *suite_gate(void)
{
	Suite *s = suite_create("gate");
	TCase *tc = tcase_create("gate");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_network_stays_as_it_is);
	tcase_add_test(tc, whoever_is_known_is_let_in);
	tcase_add_test(tc, what_is_no_image_is_not_judged);
	tcase_add_test(tc, the_revoked_are_refused);
	tcase_add_loop_test(tc, other_tensors_are_an_error, 0, 2);
	tcase_add_test(tc, denials_are_uniform);
	tcase_add_test(tc, the_service_asks_the_gate);
	tcase_add_loop_test(tc, a_session_is_renewed, 0, (int)ARRAY_LEN(sessions));
	suite_add_tcase(s, tc);
	return s;
}
