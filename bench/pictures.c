/* See pictures.h. */
#include "bench/pictures.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "bench/collect.h"
#include "bench/keys.h"
#include "datasets/codec.h"
#include "schemes/kit/creds.h"

#define IMAGES 5

/* ---- what attacks made ---- */

static void keep(struct bundle *b, const char *name, const float *x, int n, int c, int h, int w)
{
	bundle_put(b, name, DT_F32, 4, (int64_t[]){ n, c, h, w }, x);
}

static struct bundle *forged_images(const struct product *p)
{
	const struct tensor *t = p->creds ? bundle_get(p->creds, "image", DT_F32) : NULL;
	struct bundle *b;

	if (!t || t->nd != 4 || t->d[0] < 1)
		return NULL;
	b = bundle_new();
	keep(b, "after", t->data, t->d[0] < IMAGES ? (int)t->d[0] : IMAGES, (int)t->d[1], (int)t->d[2], (int)t->d[3]);
	return b;
}

/* Issued credentials where they are images and pass the channel, else test images. */
static struct bundle *channel_images(const struct setup *s, const struct product *p)
{
	const struct tensor *t = s->creds && p->role != ROLE_UNLOCK ? bundle_get(s->creds, "image", DT_F32) : NULL;
	const struct images *test = &s->splits->test;
	const size_t len = images_size(test);
	const int have = t ? (int)t->d[0] : test->n, n = have < IMAGES ? have : IMAGES;
	float *in = xmalloc((size_t)n * len + 1, sizeof(*in)), *out = xmalloc((size_t)n * len + 1, sizeof(*out));
	struct bundle *b = NULL;

	if (t)
		memcpy(in, t->data, (size_t)n * len * sizeof(*in));
	for (int i = 0; i < n && !t; i++)
		images_get(test, i, in + len * (size_t)i);
	if (n > 0 && p->channel(p, in, n, test->c, test->h, test->w, out) == 0) {
		b = bundle_new();
		keep(b, "before", in, n, test->c, test->h, test->w);
		keep(b, "after", out, n, test->c, test->h, test->w);
	} else {
		error_clear();
	}
	free(in);
	free(out);
	return b;
}

struct bundle *attack_images(const struct setup *s, const struct product *p)
{
	return p->goal == GOAL_DEGRADE ? p->channel ? channel_images(s, p) : NULL : p->goal == GOAL_IMPERSONATE ? forged_images(p) : NULL;
}

/* ---- pictures ---- */

static char *base64(const uint8_t *data, size_t n)
{
	char *text = xmalloc(4 * ((n + 2) / 3) + 1, 1);

	EVP_EncodeBlock((unsigned char *)text, data, (int)n);
	return text;
}

/* Image `at` of t (n,c,h,w), pixels rounded to 8 bits. Appends to list. */
static void add_picture(json_t *list, const struct tensor *t, int64_t at, const char *what)
{
	const int c = (int)t->d[1], h = (int)t->d[2], w = (int)t->d[3];
	const size_t len = (size_t)c * (size_t)h * (size_t)w;
	uint8_t *px = xmalloc(len, 1), *png;
	size_t n;

	if (t->dtype == DT_U8)
		memcpy(px, (const uint8_t *)t->data + len * (size_t)at, len);
	else
		image_bytes((const float *)t->data + len * (size_t)at, len, px);
	png = png_encode(px, c, h, w, &n);
	if (png) {
		char *text = base64(png, n);
		json_t *p = json_object();

		jset_str(jset_str(p, "what", what), "png", text);
		jset_int(jset_int(p, "w", w), "h", h);
		json_array_append_new(list, p);
		free(text);
	} else {
		error_clear();
	}
	free(png);
	free(px);
}

static const struct tensor *pictures_of(const struct bundle *b, const char *name, enum dtype type)
{
	const struct tensor *t = b ? bundle_get(b, name, type) : NULL;

	return t && t->nd == 4 && (t->d[1] == 1 || t->d[1] == 3) && t->d[0] > 0 && t->d[2] > 0 && t->d[3] > 0 && t->d[2] <= CODEC_MAX_SIDE &&
	       t->d[3] <= CODEC_MAX_SIDE ? t : NULL;
}

static struct bundle *artefact(struct store *st, const char *key, json_t *left_out)
{
	struct bundle *b = store_read_artefact(st, key);
	char *why;

	if (b || error_code() != EXIT_UNEVALUABLE)
		return b;
	why = xstrdup(error_text());
	error_clear();
	left_out_add(left_out, "artefact", key, false, why);
	free(why);
	return NULL;
}

static void add_credentials(json_t *all, struct store *st, const json_t *cell, json_t *left_out)
{
	const char *key = jget_str(cell, "creds_key", "");
	const int users = (int)jget_int(cell, "users", 0), each = (int)jget_int(cell, "credentials_per_user", 0);
	struct bundle *b = *key && users > 0 && each > 0 && !json_object_get(all, key) ? artefact(st, key, left_out) : NULL;
	const struct tensor *t = pictures_of(b, "image", DT_F32), *clean = pictures_of(b, "about_clean", DT_U8);
	const int most = clean ? IMAGES : 2 * IMAGES;
	json_t *list = json_array();
	char what[64];

	if (clean && t && memcmp(clean->d, t->d, 4 * sizeof(*t->d)) != 0)
		clean = NULL;
	for (int u = 0; t && u < users && u < most && (int64_t)u * each < t->d[0]; u++) {
		snprintf(what, sizeof(what), "made from");
		if (clean)
			add_picture(list, clean, (int64_t)u * each, what);
		snprintf(what, sizeof(what), "user %d", u);
		add_picture(list, t, (int64_t)u * each, what);
	}
	if (json_array_size(list))
		jset(all, key, list);
	else
		json_decref(list);
	bundle_free(b);
}

static void add_attacked(json_t *all, struct store *st, const json_t *cell, json_t *left_out)
{
	const char *key = jget_str(cell, "key", "");
	char part[65], what[64];
	const struct tensor *before, *after;
	struct bundle *b;
	json_t *list;

	part_key(key, "images", part);
	b = artefact(st, part, left_out);
	before = pictures_of(b, "before", DT_F32);
	after = pictures_of(b, "after", DT_F32);
	list = json_array();
	for (int i = 0; after && i < after->d[0] && i < IMAGES; i++) {
		snprintf(what, sizeof(what), before ? "%d, before" : "forged %d", i);
		add_picture(list, before && i < before->d[0] ? before : after, i, what);
		if (before) {
			snprintf(what, sizeof(what), "%d, after", i);
			add_picture(list, after, i, what);
		}
	}
	if (json_array_size(list))
		jset(all, key, list);
	else
		json_decref(list);
	bundle_free(b);
}

json_t *pictures_json(struct store *st, const json_t *cells, json_t *left_out)
{
	json_t *all = json_object();
	const json_t *cell;
	size_t i;

	json_array_foreach(cells, i, cell) {
		if (strcmp(jget_str(cell, "attack", "none"), "none"))
			add_attacked(all, st, cell, left_out);
		else
			add_credentials(all, st, cell, left_out);
	}
	return all;
}

/* ---- drivers ---- */

static const struct driver *known(const struct driver *const *table, const char *name)
{
	for (; *table; table++)
		if (!strcmp((*table)->name, name))
			return *table;
	return NULL;
}

static json_t *driver_json(const struct driver *d)
{
	return jset_str(jset_str(json_object(), "summary", d->summary), "source", d->source);
}

static json_t *scheme_json(const struct scheme *s)
{
	static const char *const deployment[] = { "retrains for every user", "retrains once", "fine-tunes", "no training" };
	const struct declared *d = &s->decl;
	json_t *j = json_object();

	jset_str(jset_str(jset_str(j, "Scenario", d->scenario), "Mechanism", d->mechanism), "Capacity", d->capacity);
	jset_str(jset_str(jset_str(j, "Type", d->type), "Function", d->function), "Target models", d->target_models);
	jset_str(j, "Lock", d->gate ? "a check beside the network" : "in the weights or inputs");
	jset_str(j, "Deployment", deployment[d->deployment]);
	jset_str(j, "Knowledge to authenticate", d->knowledge);
	jset_str(j, "What ships", d->ships);
	jset_str(j, "Users, revocation, ownership", d->has_users ? d->has_revocation ? d->has_ownership ? "users, revocation, ownership" :
		 "users, revocation" : d->has_ownership ? "users, ownership" : "users" : d->has_ownership ? "ownership" : "none");
	return jset(driver_json(&s->drv), "declared", j);
}

static json_t *attack_json(const struct attack *a)
{
	return jset_int(driver_json(&a->drv), "strength_up", a->strength_up);
}

/* Do this scheme's keys carry the owner's mark? Those of a check beside the network do not. */
static bool key_is_mark(const json_t *cell)
{
	const struct scheme *s = (const struct scheme *)known(schemes, jget_str(cell, "scheme", ""));

	return s && s->verify && !s->decl.gate;
}

/* What the attack of this cell must see, under its options: "adaptive" (it knows the mechanism), "leaked" (it holds credentials). "rival": it
 * fits a key of its own to the network, which would be a claim on it; one that starts from a leaked key shows nothing by being accepted. */
static void add_sight(json_t *to, const json_t *cell)
{
	const struct attack *a = (const struct attack *)known(attacks, jget_str(cell, "attack", ""));
	json_t *options = json_object_get(cell, "attack_options"), *j;
	unsigned needs;
	void *conf;

	if (!a)
		return;
	conf = xcalloc(a->drv.conf_size + 1, 1);
	if (a->drv.opts)
		opt_defaults(a->drv.opts, conf);
	if (a->drv.opts && json_is_object(options) && opt_from_json(a->drv.opts, conf, options) < 0)
		error_clear(); /* options of another version: the defaults' needs */
	needs = a->needs_for ? a->needs_for(conf) : a->needs;
	free(conf);
	if (!(needs & (CAP_ALGO | CAP_CRED)))
		return;
	j = json_object();
	jset_bool(j, "adaptive", (needs & CAP_ALGO) != 0);
	jset_bool(j, "leaked", (needs & CAP_CRED) != 0);
	jset_bool(j, "rival", a->goal == GOAL_IMPERSONATE && (needs & (CAP_WEIGHTS | CAP_GRADX)) && !(needs & CAP_CRED) && key_is_mark(cell));
	jset(to, jget_str(cell, "key", ""), j);
}

static void add_driver(json_t *to, const char *name, bool scheme)
{
	const struct driver *d = known(scheme ? schemes : attacks, name);

	if (!d || json_object_get(to, name))
		return;
	if (scheme)
		jset(to, name, scheme_json((const struct scheme *)d));
	else
		jset(to, name, attack_json((const struct attack *)d));
}

json_t *drivers_json(const json_t *cells, const json_t *failures)
{
	const json_t *list[] = { cells, failures }, *j;
	json_t *scheme = json_object(), *attack = json_object(), *sight = json_object();
	size_t i;

	for (int l = 0; l < 2; l++)
		json_array_foreach(list[l], i, j) {
			const json_t *point = l ? json_object_get(j, "point") : j;

			if (!l)
				add_sight(sight, j);
			add_driver(scheme, jget_str(point, "scheme", ""), true);
			add_driver(attack, jget_str(point, "attack", ""), false);
		}
	return jset(jset(jset(json_object(), "schemes", scheme), "attacks", attack), "sight", sight);
}
