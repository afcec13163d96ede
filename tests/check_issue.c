/* schemes/kit/issue.c: who failed is drawn again, nobody else, and at most so often. */
#include "schemes/kit/issue.h"
#include <check.h>

#include "base/error.h"

enum { N = 4, LEN = 6 };

static struct locked l;
static struct bundle *out;
static const int user[N] = { 7, 8, 9, 7 }, trial[N] = { 0, 0, 0, 2 };
static int rounds, drawn;

/* Rounds until a credential is valid: as many as its number in need[]. */
static const int need[N] = { 1, 3, 2, 99 };

static int draw(const struct issue *k, struct round *r)
{
	ck_assert(k->l == &l && k->n <= N);
	ck_assert_int_eq(r->number, rounds++);
	for (int i = 0; i < r->n; i++) {
		const int which = r->which[i];

		ck_assert(r->user[i] == user[which] && r->trial[i] == trial[which]);
		ck_assert_int_eq(r->ok[i], 0);
		ck_assert_int_lt(r->number, need[which]);
		for (int p = 0; p < LEN; p++) {
			r->image[i * LEN + p] = (float)(100 * r->number + 10 * which + p);
			r->clean[i * LEN + p] = (uint8_t)(50 * r->number + 10 * which + p);
		}
		r->ok[i] = r->number + 1 == need[which];
		drawn++;
	}
	return 0;
}

static int draw_nothing(const struct issue *k, struct round *r)
{
	(void)k, (void)r;
	rounds++;
	return error(EXIT_UNEVALUABLE, "nothing to draw from");
}

static void setup(void)
{
	l.model = model_new(&(struct model_spec){ .arch = "linear", .c = 1, .h = 2, .w = 3, .classes = 2 }, 1);
	out = bundle_new();
}

static void teardown(void)
{
	bundle_free(out);
	locked_release(&l);
}

START_TEST(those_that_failed_are_drawn_again)
{
	const struct issue k = { .l = &l, .user = user, .trial = trial, .n = N, .out = out, .rounds = 5, .draw = draw };
	const int32_t want[N] = { 1, 3, 2, 5 };
	const struct tensor *image, *clean;

	ck_assert_int_eq(issue(&k), 0);
	ck_assert_int_eq(rounds, 5);
	ck_assert_int_eq(drawn, 1 + 3 + 2 + 5);
	image = bundle_get(out, "image", DT_F32);
	clean = bundle_get(out, "about_clean", DT_U8);
	ck_assert(image->nd == 4 && image->d[0] == N && image->d[1] == 1 && image->d[2] == 2 && image->d[3] == 3);
	ck_assert(clean->nd == 4 && clean->d[0] == N && clean->d[3] == 3);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(bundle_i32(out, "tries", NULL)[i], want[i]);
		ck_assert_int_eq(bundle_u8(out, "ok", NULL)[i], i != 3); /* the last one is that of the last round */
		for (int p = 0; p < LEN; p++) {
			ck_assert_float_eq(((float *)image->data)[i * LEN + p],
					   (float)(100 * (want[i] - 1) + 10 * i + p));
			ck_assert_uint_eq(((uint8_t *)clean->data)[i * LEN + p],
					  (uint8_t)(50 * (want[i] - 1) + 10 * i + p));
		}
	}
}
END_TEST

START_TEST(it_ends_when_all_are_valid)
{
	const struct issue k = {
		.l = &l, .user = user, .trial = trial, .n = N - 1, .out = out, .rounds = 50, .draw = draw
	};
	const struct issue none = { .l = &l, .n = 0, .out = out, .rounds = 50, .draw = draw };

	ck_assert_int_eq(issue(&k), 0);
	ck_assert_int_eq(rounds, 3);
	ck_assert_int_eq(drawn, 1 + 3 + 2);
	ck_assert_int_eq(issue(&none), 0);
	ck_assert_int_eq(rounds, 3);
}
END_TEST

/* A gate takes an image for the user whose number is its first value; it accepts nobody above 8. */
static int gate(const struct service *s, const struct bundle *creds, int n, struct auth *a)
{
	const float *x = bundle_f32(creds, "image", NULL);

	ck_assert(s->model == l.model && s->pub == l.pub && s->classes == 2 && s->conf == (const void *)need);
	for (int i = 0; i < n; i++)
		a[i] = (struct auth){ .accepted = x[i * LEN] <= 8, .user = (int)x[i * LEN] };
	return x[0] < 0 ? error(EXIT_UNEVALUABLE, "no image for the gate") : 0;
}
static const struct scheme gated = { .authenticate = gate };

/* In round 0 everybody gets user 8's image, later his own; what draw says of it does not count. */
static int draw_for_gate(const struct issue *k, struct round *r)
{
	(void)k;
	rounds++;
	for (int i = 0; i < r->n; i++) {
		for (int p = 0; p < LEN; p++)
			r->image[i * LEN + p] = (float)(r->number ? r->user[i] : 8);
		r->ok[i] = 1;
	}
	return 0;
}

static int draw_no_image(const struct issue *k, struct round *r)
{
	(void)k;
	r->image[0] = -1;
	return 0;
}

START_TEST(a_gate_says_who_is_valid)
{
	double spent = 0;
	const struct lock_env e = { .base = l.model, .forward_equivalents = &spent };
	struct issue k = { &e, need, &l, user, trial, N, out, 3, draw_for_gate, &gated };
	const uint8_t *ok;
	const int32_t *tries;

	l.pub = bundle_new();
	ck_assert_int_eq(issue(&k), 0);
	ok = bundle_u8(out, "ok", NULL);
	tries = bundle_i32(out, "tries", NULL);
	ck_assert(ok[0] && ok[1] && !ok[2] && ok[3]); /* user 9 is accepted by nobody */
	ck_assert(tries[0] == 2 && tries[1] == 1 && tries[2] == 3 && tries[3] == 2);
	ck_assert_double_eq(spent, 4 + 3 + 1);
	k.draw = draw_no_image;
	ck_assert_int_eq(issue(&k), -1);
	ck_assert_str_eq(error_text(), "no image for the gate");
}
END_TEST

START_TEST(an_error_ends_it)
{
	const struct issue k = {
		.l = &l, .user = user, .trial = trial, .n = N, .out = out, .rounds = 5, .draw = draw_nothing
	};

	ck_assert_int_eq(issue(&k), -1);
	ck_assert_int_eq(rounds, 1);
	ck_assert_str_eq(error_text(), "nothing to draw from");
}
END_TEST

Suite *suite_issue(void);
Suite *suite_issue(void)
{
	Suite *s = suite_create("issue");
	TCase *tc = tcase_create("issue");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, those_that_failed_are_drawn_again);
	tcase_add_test(tc, it_ends_when_all_are_valid);
	tcase_add_test(tc, a_gate_says_who_is_valid);
	tcase_add_test(tc, an_error_ends_it);
	suite_add_tcase(s, tc);
	return s;
}
