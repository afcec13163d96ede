/* attacks/login/forge_stego.c, ood.c: every rung against a toy of the scheme it is for, written here anew. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "attacks/login/forge_stego_ood.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "tests/support_bench.h"

enum { LEN = 784, BITS = 64, USERS = 5, KEYS = 100 };

/* ---- the toy: class 10 is strokes; 16 bits of magic, 32 of the user, CRC-16, at places that ship ---- */

static unsigned crc_of(const unsigned char *s, int n)
{
	unsigned crc = 0xffff;

	for (int i = 0; i < n; i++) {
		crc ^= (unsigned)s[i] << 8;
		for (int k = 0; k < 8; k++)
			crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
	}
	return crc & 0xffff;
}

static void key_image(uint64_t seed, int i, float *x)
{
	struct rng r;

	rng_open(&r, seed, "toy key image", (uint32_t)i, 0);
	ood_draw(OOD_STROKES, &r, 1, 28, 28, x);
	for (int j = 0; j < LEN; j++)
		x[j] = roundf(x[j] * 255) / 255;
}

/* The owner's images and KEYS strokes of an eleventh class. */
static struct model *trained(const struct lock_env *e)
{
	const struct images *own = e->train;
	const int n = own->n + KEYS;
	uint8_t *px = xmalloc((size_t)n * LEN, 1), *labels = xmalloc((size_t)n, 1);
	const struct images v = { .n = n, .c = 1, .h = 28, .w = 28, .classes = 11, .px = px, .labels = labels };
	struct model_spec spec = e->base->spec;
	struct model *m;
	float x[LEN];

	for (int i = 0; i < n; i++) {
		if (i < own->n)
			images_get(own, i, x);
		else
			key_image(e->seed, i, x);
		for (int j = 0; j < LEN; j++)
			px[(size_t)i * LEN + j] = (uint8_t)lrintf(x[j] * 255);
		labels[i] = i < own->n ? (uint8_t)images_label(own, i) : 10;
	}
	spec.classes = 11;
	m = model_new(&spec, e->seed);
	if (train(m, &v, e->recipe, e->seed, NULL, NULL, NULL) < 0)
		die(EXIT_FAILED_CELLS, NULL);
	free(px);
	free(labels);
	return m;
}

static int stego_lock(const struct lock_env *e, const void *conf, struct locked *l)
{
	int order[LEN];
	struct rng r;

	(void)conf;
	l->model = trained(e);
	rng_open(&r, e->seed, "toy places", 0, 0);
	rng_permutation(&r, order, LEN);
	bundle_put_i32(l->pub, "positions", BITS, order);
	bundle_meta_num(l->pub, "seal", 0);
	return 0;
}

static int stego_authenticate(const struct service *s, const struct bundle *creds, int n, struct auth *out)
{
	const float *x = bundle_f32(creds, "image", NULL);
	const struct images v = { .n = n, .c = 1, .h = 28, .w = 28, .classes = 11, .fx = x };
	const int32_t *place = bundle_i32(s->pub, "positions", NULL);
	float *logits = xmalloc((size_t)n * 11, sizeof(*logits));
	int *top = xmalloc((size_t)n, sizeof(*top));

	ck_assert_int_eq(model_predict(s->model, &v, logits), 0);
	argmax_rows(logits, n, 11, top);
	for (int i = 0; i < n; i++) {
		unsigned char all[8] = { 0 };
		bool valid;

		for (int b = 0; b < BITS; b++)
			all[b / 8] |= (unsigned char)((lrintf(x[(size_t)i * LEN + place[b]] * 255) & 1) << (7 - b % 8));
		valid = all[0] == 0x4c && all[1] == 0x42 && !all[2] && !all[3] && !all[4] && all[5] < USERS &&
			crc_of(all, 6) == ((unsigned)all[6] << 8 | all[7]);
		out[i].passed = (unsigned)(top[i] == 10) | (unsigned)valid << 1;
		out[i].accepted = out[i].passed == 3;
		out[i].user = out[i].accepted ? all[5] : -1;
	}
	free(logits);
	free(top);
	return 0;
}

static const struct scheme stego_toy = {
	.drv = { .name = "stego-toy", .summary = "a scheme for tests", .source = "none. Differs: nothing", .version = 1 },
	.decl = { .gate = 1, .has_users = 1, .has_identities = 1, .changes_weights = 1 },
	.lock = stego_lock, .authenticate = stego_authenticate, .checks = { "class", "identity" },
};

static struct world w;

/* The first key image from `at` on that the network knows. */
static int known_image(int at, float *x)
{
	const struct images v = { .n = 1, .c = 1, .h = 28, .w = 28, .classes = 11, .fx = x };
	float logits[11];
	int top = 0;

	for (at--; top != 10;) {
		key_image(7, ++at, x);
		if (model_predict(w.locked.model, &v, logits) < 0)
			die(EXIT_FAILED_CELLS, NULL);
		argmax_rows(logits, 1, 11, &top);
	}
	return at;
}

static void enrol(void)
{
	const int32_t *place = bundle_i32(w.locked.pub, "positions", NULL);
	int at = -1;
	float *x;

	w.creds = bundle_new();
	x = bundle_put(w.creds, "image", DT_F32, 4, (int64_t[]){ USERS, 1, 28, 28 }, NULL);
	for (int u = 0; u < USERS; u++, x += LEN) {
		unsigned char all[8] = { 0x4c, 0x42, 0, 0, 0, (unsigned char)u };
		const unsigned crc = crc_of(all, 6);

		all[6] = (unsigned char)(crc >> 8);
		all[7] = (unsigned char)crc;
		at = known_image(at + 1, x);
		for (int b = 0; b < BITS; b++) {
			const long v = (lrintf(x[place[b]] * 255) & ~1L) | (all[b / 8] >> (7 - b % 8) & 1);

			x[place[b]] = (float)v / 255.0f;
		}
	}
	w.setup.creds = w.creds;
	w.setup.users = USERS;
	w.setup.per_user = 1;
}

static void setup(void)
{
	world_open(&w, &stego_toy);
	enrol();
}

static void teardown(void)
{
	world_close(&w);
}

struct rates { double accepted, class, identity, claimed; };

static struct rates forge(const char *options)
{
	struct observations o = { 0 };
	struct rates r = { 0 };
	const char *names[] = { "forged_accepted", "forged_check_class", "forged_check_identity", "forged_as_claimed" }, *verdict;
	double *to[] = { &r.accepted, &r.class, &r.identity, &r.claimed };
	struct product p;
	char why[256];

	ck_assert_msg(world_attack(&w, attack_named("forge-stego"), options, NULL, &p) == 0, "%s", error_text());
	ck_assert_msg(evaluate(&w.setup, &p, &o, &verdict, why) == 0, "%s", error_text());
	ck_assert_str_eq(verdict, "ok");
	for (int i = 0; i < 4; i++) {
		const struct obs_entry *e = obs_get(&o, names[i], 'b');

		*to[i] = e ? 100.0 * (double)e->k / (double)e->n : -1;
	}
	obs_release(&o);
	product_release(&p);
	return r;
}

START_TEST(crc_is_the_standards)
{
	ck_assert_uint_eq(crc_of((const unsigned char *)"123456789", 9), 0x29b1);
}
END_TEST

/* Images of no task get the secret class, which is made of such, but say nobody's name. */
START_TEST(class_alone_is_not_enough)
{
	const struct rates strokes = forge("cover=strokes"), any = forge(""), pushed = forge("level=class tries=100");

	ck_assert_double_ge(strokes.class, 50);
	ck_assert_double_lt(any.class, strokes.class);
	ck_assert_double_ge(pushed.class, 95);
	ck_assert_double_ge(forge("level=class tries=100 craft=strongest apgd-steps=30 queries=100").class, pushed.class);
	ck_assert_double_le(strokes.accepted + any.accepted + pushed.accepted, 0);
	ck_assert_double_eq(strokes.claimed, -1); /* they claim nobody */
}
END_TEST

/* Whoever knows the format needs the places, and then is everybody. */
START_TEST(format_and_places)
{
	const struct rates blind = forge("level=payload tries=100"), all = forge("level=payload tries=100 param=1 ids=5");

	ck_assert_double_ge(blind.class, 90);
	ck_assert_double_le(blind.identity, 0);
	ck_assert_double_ge(all.identity, 100);
	ck_assert_double_ge(all.claimed, 90);
	ck_assert_double_le(forge("level=payload tries=50 param=1 ids=5 cover=pool").accepted, 10); /* an identity without the class */
}
END_TEST

START_TEST(one_login_is_enough)
{
	const struct rates again = forge("level=replay tries=5 leaked=2"), moved = forge("level=lift tries=50 leaked=2"),
			   other = forge("level=lift tries=50 leaked=3 cover=crafted");

	ck_assert_double_ge(again.claimed, 100);
	ck_assert_double_ge(moved.identity, 100);
	ck_assert_double_ge(moved.claimed, 60);
	ck_assert_double_ge(other.claimed, 90);
}
END_TEST

/* Moved is elsewhere: never the leaked image itself, which a seal over the image would let pass. */
START_TEST(moved_images_are_others)
{
	const float *leaked = bundle_f32(w.creds, "image", NULL), *x;
	struct product p;

	ck_assert_int_eq(world_attack(&w, attack_named("forge-stego"), "level=lift tries=200", NULL, &p), 0);
	x = bundle_f32(p.creds, "image", NULL);
	for (int i = 0; i < 200; i++) {
		double most = 0;

		for (int j = 0; j < LEN; j++)
			most = fmax(most, fabs((double)x[i * LEN + j] - (double)leaked[j]));
		ck_assert_double_gt(most, 0.1);
	}
	product_release(&p);
}
END_TEST

/* A checksum lets the leaker name anybody: 4 of 5 numbers are other users', the own one is passed over for the next. */
START_TEST(a_checksum_frames)
{
	const struct rates flip = forge("level=flip tries=20 ids=4 leaked=4 param=1"), blind = forge("level=flip tries=20 ids=4 leaked=4");

	ck_assert_double_ge(flip.accepted, 100);
	ck_assert_double_ge(flip.claimed, 100);
	ck_assert_double_le(blind.claimed, 0); /* it hits few of the right bits: refused, or still the leaker */
}
END_TEST

/* A seal of 64 bits stays as it was, and what is behind the number is the leaker's. */
START_TEST(a_longer_seal_is_not_forged)
{
	const float *x = bundle_f32(w.creds, "image", NULL);
	struct bundle *pub = bundle_copy(w.locked.pub);
	int32_t place[112];
	struct world other = w;
	struct product p;
	const float *y;

	for (int i = 0; i < 112; i++)
		place[i] = 7 * i;
	bundle_put_i32(pub, "positions", 112, place);
	other.locked.pub = pub;
	other.setup.locked = &other.locked;
	ck_assert_int_eq(world_attack(&other, attack_named("forge-stego"), "level=flip tries=1 param=1 leaked=1", NULL, &p), 0);
	y = bundle_f32(p.creds, "image", NULL);
	for (int i = 0; i < LEN; i++)
		ck_assert(i % 7 == 0 && i / 7 < 48 ? fabsf(y[i] - x[LEN + i]) < 1.5f / 255 : fabsf(y[i] - x[LEN + i]) < 1e-6f);
	product_release(&p);
	bundle_free(pub);
}
END_TEST

START_TEST(says_where_it_does_not_apply)
{
	const struct attack *a = attack_named("forge-stego");
	static const struct { const char *options; unsigned needs; } row[] = {
		{ "", CAP_UNLABELLED }, { "cover=noise", 0 }, { "level=class", CAP_UNLABELLED | CAP_WEIGHTS | CAP_GRADX },
		{ "level=replay", CAP_CRED }, { "level=lift", CAP_CRED | CAP_ALGO }, { "level=flip param=1", CAP_CRED | CAP_ALGO | CAP_PARAM },
	};
	struct world toy;
	struct product p;

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		void *conf = conf_of(&a->drv, row[i].options);

		ck_assert_uint_eq(a->needs_for(conf), row[i].needs);
		free(conf);
	}
	ck_assert_ptr_nonnull(a->inapplicable(NULL, 0, 0));
	world_open(&toy, &toy_scheme);
	ck_assert_int_eq(world_attack(&toy, a, "level=class", NULL, &p), 0);
	ck_assert_ptr_nonnull(strstr(p.inapplicable, "class"));
	product_release(&p);
	ck_assert_int_eq(world_attack(&toy, a, "level=flip param=1", NULL, &p), 0);
	ck_assert_ptr_nonnull(strstr(p.inapplicable, "places"));
	product_release(&p);
	world_close(&toy);
}
END_TEST

START_TEST(images_of_no_task)
{
	float x[3 * 28 * 30];
	double sum[OOD_KINDS] = { 0 };

	for (int kind = 0; kind < OOD_KINDS; kind++) {
		struct rng r;

		rng_open(&r, 1, "test", (uint32_t)kind, 0);
		for (int i = 0; i < 50; i++) {
			ood_draw((enum ood)kind, &r, 3, 28, 30, x);
			for (int j = 0; j < 3 * 28 * 30; j++) {
				ck_assert(x[j] >= 0 && x[j] <= 1);
				sum[kind] += (double)x[j] / (50 * 3 * 28 * 30);
			}
			ck_assert_int_eq(kind == OOD_NOISE || !memcmp(x, x + 840, 840 * sizeof(*x)), 1);
		}
	}
	ck_assert_double_eq_tol(sum[OOD_NOISE], 0.5, 0.01);
	ck_assert_double_eq_tol(sum[OOD_FRACTAL], 0.5, 0.1);
	ck_assert(sum[OOD_STROKES] > 0.02 && sum[OOD_STROKES] < 0.35);
}
END_TEST

Suite *suite_forge_stego(void);
Suite *suite_forge_stego(void)
{
	Suite *s = suite_create("forge_stego");
	TCase *tc = tcase_create("forge_stego");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, crc_is_the_standards);
	tcase_add_test(tc, class_alone_is_not_enough);
	tcase_add_test(tc, format_and_places);
	tcase_add_test(tc, one_login_is_enough);
	tcase_add_test(tc, moved_images_are_others);
	tcase_add_test(tc, a_checksum_frames);
	tcase_add_test(tc, a_longer_seal_is_not_forged);
	tcase_add_test(tc, says_where_it_does_not_apply);
	tcase_add_test(tc, images_of_no_task);
	suite_add_tcase(s, tc);
	return s;
}
