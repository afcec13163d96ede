/* lockbench image-metrics: how much the images of two files differ, by the measures of the surveys. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/tile.h"
#include "bench/cli.h"
#include "datasets/codec.h"
#include "metrics/image/imagequality.h"
#include "metrics/image/steganalysis.h"
#include "metrics/stat/effect.h"
#include "nn/npy.h"

#define FILE_MAX ((size_t)8 << 30)
#define MEASURES_MAX 16

struct image_conf {
	struct cli_common common;
	int steganalysis, seed;
};
#define ROW(m) offsetof(struct image_conf, m)

/* Float pixels in [0, 1], (n, c, h, w). */
struct pictures { float *x; int n, c, h, w; };

static size_t picture_size(const struct pictures *p)
{
	return (size_t)p->c * (size_t)p->h * (size_t)p->w;
}

/* ---- reading ---- */

/* d (nd) as (n, c, h, w), missing ones in front are 1. */
static int shape_of(const char *path, int nd, const int64_t *d, struct pictures *p)
{
	int *const to[4] = { &p->n, &p->c, &p->h, &p->w };

	if (nd < 2 || nd > 4)
		return error(EXIT_UNEVALUABLE, "%s has %d dimensions; want (n,c,h,w), (c,h,w) or (h,w)", path, nd);
	p->n = p->c = 1;
	for (int i = 0; i < nd; i++) {
		if (d[i] < 1 || d[i] > 1 << 30)
			return error(EXIT_UNEVALUABLE, "%s: no images in an array with a side of %lld", path, (long long)d[i]);
		*to[4 - nd + i] = (int)d[i];
	}
	if (p->c != 1 && p->c != 3)
		return error(EXIT_UNEVALUABLE, "%s has %d channels, not 1 or 3; want (n,c,h,w), (c,h,w) or (h,w)", path, p->c);
	return 0;
}

/* As few digits as tell x from every other float: 1.01, 1.0000001. */
static void digits(float x, char text[32])
{
	for (int n = 6; n <= 9; n++) {
		snprintf(text, 32, "%.*g", n, (double)x);
		if (strtof(text, NULL) == x)
			return;
	}
}

static int check_range(const char *path, const float *x, size_t len)
{
	char text[32];

	for (size_t i = 0; i < len; i++) {
		if (x[i] >= 0 && x[i] <= 1)
			continue;
		digits(x[i], text);
		return error(EXIT_UNEVALUABLE,
		             "%s: number %zu is %s, which is %s; pixels are 0 to 1 (save numpy.clip(a, 0, 1)), or 0 to "
		             "255 as uint8",
		             path, i, text, isnan(x[i]) ? "no number" : x[i] < 0 ? "below 0" : "above 1");
	}
	return 0;
}

/* Takes data: float, or uint8 to be divided by 255. */
static int keep(const char *path, void *data, char dtype, struct pictures *p)
{
	const size_t len = (size_t)p->n * picture_size(p);

	if (dtype == 'f') {
		p->x = data;
		return check_range(path, p->x, len);
	}
	p->x = xmalloc(len, sizeof(*p->x));
	image_floats(data, len, p->x);
	free(data);
	return 0;
}

static int read_array(const char *path, const char *file, size_t len, struct pictures *p)
{
	int64_t d[6];
	char dtype;
	int nd;
	void *data = npy_decode(file, len, path, &dtype, &nd, d);

	if (!data || shape_of(path, nd, d, p) < 0) {
		free(data);
		return -1;
	}
	return keep(path, data, dtype, p);
}

static int read_picture(const char *path, const char *file, size_t len, struct pictures *p)
{
	uint8_t *px;

	if (len > CODEC_MAX_FILE)
		return error(EXIT_UNEVALUABLE, "%s: larger than any image of 512x512 pixels; save an .npy array instead", path);
	px = image_decode(file, len, path, &p->c, &p->h, &p->w);
	p->n = 1;
	return px ? keep(path, px, 'u', p) : -1;
}

/* p->x is the caller's, also after error(). */
static int read_pictures(const char *path, struct pictures *p)
{
	size_t len;
	char *file = file_read(path, FILE_MAX, &len);
	int ret;

	*p = (struct pictures){ .x = NULL };
	if (!file)
		return -1;
	if (len >= 6 && !memcmp(file, "\x93NUMPY", 6))
		ret = read_array(path, file, len, p);
	else if (len >= 4 && !memcmp(file, "PK\3\4", 4))
		ret = error(EXIT_UNEVALUABLE, "%s: a zip archive (.npz?); save the array alone, with numpy.save", path);
	else
		ret = read_picture(path, file, len, p);
	free(file);
	return ret;
}

static int same_shape(const char *const *path, const struct pictures *a, const struct pictures *b)
{
	if (a->n == b->n && a->c == b->c && a->h == b->h && a->w == b->w)
		return 0;
	return error(EXIT_UNEVALUABLE, "%s holds %d images of %dx%dx%d, %s %d of %dx%dx%d; both must have the same shape", path[0], a->n,
		     a->c, a->h, a->w, path[1], b->n, b->c, b->h, b->w);
}

/* ---- measuring ---- */

struct sweep { const struct pictures *a, *b; double *out; int rows; }; /* out (measures, n) */

static void measure_one(void *ctx, int i, int thread)
{
	const struct sweep *s = ctx;
	const struct pictures *p = s->a;
	const size_t at = (size_t)i * picture_size(p);

	(void)thread;
	for (int k = 0; k < s->rows; k++)
		if (p->h >= image_measures[k].min_side && p->w >= image_measures[k].min_side)
			s->out[(size_t)k * (size_t)p->n + (size_t)i] =
				image_measures[k].of(s->a->x + at, s->b->x + at, p->c, p->h, p->w);
}

static json_t *summary_json(const struct image_measure *m, const double *x, int n)
{
	json_t *j = json_object();
	double *sorted = ascending(x, n);
	struct summary s;

	summarise(x, n, 0.95, &s);
	jset_num(j, "mean", s.mean);
	jset_num(j, "min", s.min);
	jset_num(j, "p5", quantile_ascending(sorted, n, 0.05));
	jset_num(j, "median", s.median);
	jset_num(j, "p95", quantile_ascending(sorted, n, 0.95));
	jset_num(j, "max", s.max);
	jset_str(j, "unit", m->unit);
	jset_str(j, "better", m->better > 0 ? "higher" : "lower");
	free(sorted);
	return j;
}

/* dB of the error of all images together; images that agree in everything; images whose change can be seen (metrics.md 7.1, 7.6). */
static void set_totals(json_t *j, const struct pictures *a, const struct pictures *b, const double *db, const double *ssim)
{
	const size_t each = picture_size(a);
	int identical = 0, visible = 0;

	for (int i = 0; i < a->n; i++) {
		identical += !memcmp(a->x + (size_t)i * each, b->x + (size_t)i * each, each * sizeof(*a->x));
		visible += db[i] < 30 || (ssim && ssim[i] < 0.95);
	}
	jset_int(j, "identical", identical);
	jset_num(j, "pooled_psnr", psnr(a->x, b->x, (size_t)a->n * each));
	jset_num(j, "visible", (double)visible / a->n);
}

/* {"identical", "pooled_psnr", "visible", "measures": {name: {"mean", ...}, or null where the images are too small}} */
static json_t *measure(const struct pictures *a, const struct pictures *b)
{
	json_t *j = json_object(), *all = json_object();
	struct sweep s = { a, b, NULL, 0 };
	const double *ssim = NULL, *db = NULL;

	while (image_measures[s.rows].name)
		s.rows++;
	s.out = xmalloc((size_t)s.rows * (size_t)a->n, sizeof(*s.out));
	tile_for(a->n, measure_one, &s);
	for (int k = 0; k < s.rows; k++) {
		const struct image_measure *m = &image_measures[k];
		const double *x = s.out + (size_t)k * (size_t)a->n;
		const bool fits = a->h >= m->min_side && a->w >= m->min_side;

		jset(all, m->name, fits ? summary_json(m, x, a->n) : json_null());
		if (fits && m->of == image_ssim)
			ssim = x;
		if (m->of == image_psnr)
			db = x;
	}
	set_totals(j, a, b, db, ssim);
	free(s.out);
	return jset(j, "measures", all);
}

/* {name: {"auc", "error", "concealment", "trained", "tested"}}; NULL after error(). */
static json_t *detect(const struct pictures *a, const struct pictures *b, int seed)
{
	const struct images va = { .n = a->n, .c = a->c, .h = a->h, .w = a->w, .fx = a->x };
	struct images vb = va;
	json_t *all = json_object();

	vb.fx = b->x;
	for (int d = 0; d < STEG_DETECTORS; d++) {
		struct steg_result r;
		json_t *j;

		if (steganalysis((enum steg_detector)d, &va, &vb, (uint64_t)seed, &r) < 0) {
			json_decref(all);
			return NULL;
		}
		j = json_object();
		jset_num(j, "auc", r.auc);
		jset_num(j, "error", r.error);
		jset_num(j, "concealment", 1 - 2 * fabs(r.auc - 0.5));
		jset_int(j, "trained", r.trained);
		jset_int(j, "tested", r.tested);
		jset(all, steg_names[d], j);
	}
	return all;
}

/* ---- saying it ---- */

static void say_measures(const json_t *j, const char *title)
{
	const json_t *all = json_object_get(j, "measures");

	tell("%s: %lld identical, %.2f dB together, %.1f %% with a visible change (SSIM < 0.95 or PSNR < 30 dB)\n", title,
	       jget_int(j, "identical", 0), jget_num(j, "pooled_psnr", 0), 100 * jget_num(j, "visible", 0));
	tell("  %-10s %12s %12s %12s %12s %12s  %-6s %s\n", "measure", "mean", "min", "5 %", "95 %", "max", "better", "unit");
	for (const struct image_measure *m = image_measures; m->name; m++) {
		const json_t *v = json_object_get(all, m->name);

		if (json_is_null(v)) {
			tell("  %-10s images are smaller than %dx%d\n", m->name, m->min_side, m->min_side);
			continue;
		}
		tell("  %-10s %12.6g %12.6g %12.6g %12.6g %12.6g  %-6s %s\n", m->name, jget_num(v, "mean", 0), jget_num(v, "min", 0),
		       jget_num(v, "p5", 0), jget_num(v, "p95", 0), jget_num(v, "max", 0), jget_str(v, "better", ""), m->unit);
	}
}

static void say_detectors(const json_t *all)
{
	tell("steganalysis (AUC 0.5: nothing shows)\n");
	tell("  %-10s %12s %12s %12s\n", "detector", "AUC", "P_E", "concealment");
	for (int d = 0; d < STEG_DETECTORS; d++) {
		const json_t *v = json_object_get(all, steg_names[d]);

		tell("  %-10s %12.4f %12.4f %12.4f\n", steg_names[d], jget_num(v, "auc", 0), jget_num(v, "error", 0),
		       jget_num(v, "concealment", 0));
	}
}

static void say(const json_t *j)
{
	const json_t *given = json_object_get(j, "as_given"), *shape = json_object_get(j, "shape");

	tell("%lld images of %lldx%lldx%lld%s\n", jget_int(j, "images", 0), json_integer_value(json_array_get(shape, 0)),
	       json_integer_value(json_array_get(shape, 1)), json_integer_value(json_array_get(shape, 2)),
	       given ? ", not 8-bit: rounded for the first table, for no file holds them as they are" : "");
	say_measures(j, given ? "rounded to 8 bits" : "8-bit images");
	if (given)
		say_measures(given, "as given");
	if (json_object_get(j, "steganalysis"))
		say_detectors(json_object_get(j, "steganalysis"));
}

/* ---- the command ---- */

static const struct opt image_opts[] = {
	{ "steganalysis", OPT_BOOL, ROW(steganalysis), "false", 0, 0,
	  "also: can detectors tell B from A (chi-square, RS, SPAM; 20 images at least)", NULL },
	{ "seed", OPT_INT, ROW(seed), "1", 0, 2147483647, "steganalysis: of the images that detectors learn from", NULL },
	CLI_COMMON(struct image_conf),
	{ 0 }
};

static void round_pictures(struct pictures *p)
{
	image_round8(p->x, (size_t)p->n * picture_size(p), p->x);
}

/* a, b are rounded. NULL after error(). */
static json_t *compare(const struct image_conf *c, struct pictures *a, struct pictures *b)
{
	const size_t len = (size_t)a->n * picture_size(a);
	const bool eight = image_is8(a->x, len) && image_is8(b->x, len);
	json_t *given = eight ? NULL : measure(a, b), *found = NULL, *j;

	round_pictures(a);
	round_pictures(b);
	if (c->steganalysis) {
		found = detect(a, b, c->seed);
		if (!found) {
			json_decref(given);
			return NULL;
		}
	}
	j = measure(a, b);
	jset_int(j, "images", a->n);
	jset(j, "shape", json_pack("[i,i,i]", a->c, a->h, a->w));
	jset_bool(j, "float_only", !eight);
	if (given)
		jset(j, "as_given", given);
	if (found)
		jset(j, "steganalysis", found);
	return j;
}

static int image_metrics_main(const struct cli_command *self, int argc, char **argv)
{
	struct pictures a = { .x = NULL }, b = { .x = NULL };
	struct image_conf c = { .seed = 0 };
	struct cli_args args;
	json_t *j = NULL;
	int ret = cli_parse(self, argc, argv, &c, &args);

	if (ret)
		return ret < 0 ? -1 : EXIT_YES;
	cli_apply(&c.common);
	ret = read_pictures(args.arg[0], &a);
	if (!ret)
		ret = read_pictures(args.arg[1], &b);
	if (!ret)
		ret = same_shape(args.arg, &a, &b);
	if (!ret)
		j = compare(&c, &a, &b);
	free(a.x);
	free(b.x);
	if (!j)
		return -1;
	if (c.common.json)
		return cli_print_json(j) < 0 ? -1 : EXIT_YES;
	say(j);
	json_decref(j);
	return EXIT_YES;
}

const struct cli_command command_image_metrics = {
	.name = "image-metrics", .main = image_metrics_main, .summary = "how much the images of two .npy, PNG or JPEG files differ",
	.arguments = "A B", .min_args = 2, .max_args = 2, .opts = image_opts, .conf_size = sizeof(struct image_conf),
	.more = "A is the clean one. Arrays are float32 from 0 to 1 or uint8, (n,c,h,w), (c,h,w) or (h,w); c is 1 or 3."
};
