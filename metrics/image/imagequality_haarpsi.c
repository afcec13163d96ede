/* HaarPSI and GMSD: similarity of edges, without any weights that were learnt. See imagequality.h. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metrics/image/imagequality.h"

#define HAAR_C 30.0
#define HAAR_ALPHA 4.2
#define HAAR_SCALES 3
#define GMSD_C 170.0

/* ---- planes on the scale 0..255, halved: (h/2, w/2) ---- */

/* The chroma planes of the authors' code. */
static void chroma(const float *in, int h, int w, int which, double *out)
{
	static const double row[2][3] = { { 0.596, -0.274, -0.322 }, { 0.211, -0.523, 0.312 } };
	const long plane = (long)h * w;

	for (long i = 0; i < plane; i++)
		out[i] = 255 * (row[which][0] * (double)in[i] + row[which][1] * (double)in[plane + i] +
				row[which][2] * (double)in[2 * plane + i]);
}

static double at(const double *p, int h, int w, int y, int x)
{
	return y < 0 || y >= h || x < 0 || x >= w ? 0 : p[(long)y * w + x];
}

static double similar(double a, double b, double c)
{
	return (2 * a * b + c) / (a * a + b * b + c);
}

/* ---- HaarPSI ---- */

/* |Haar coefficient| of 2^scale by 2^scale pixels around (y, x): one half of the window minus the other, by 2^scale. The
 * window begins 2^(scale-1) - 1 pixels before; zeros outside the image. across: left against right. */
static double haar(const double *p, int h, int w, int y, int x, int scale, bool across)
{
	const int n = 1 << scale, half = n / 2;
	double sum = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			sum += ((across ? j : i) < half ? -1 : 1) * at(p, h, w, y + i - (half - 1), x + j - (half - 1));
	return fabs(sum) / n;
}

struct pair { const double *a, *b; int h, w; };
struct weighted { double sum, weight; };

static void add(struct weighted *s, double similarity, double weight)
{
	s->sum += weight / (1 + exp(-HAAR_ALPHA * similarity));
	s->weight += weight;
}

/* Horizontal and vertical edges at one pixel: weight of the coarse, similarity of the two finer scales. Returns the mean
 * weight. */
static double add_edges(const struct pair *y, int r, int c, struct weighted *s)
{
	double mean = 0;

	for (int across = 0; across < 2; across++) {
		double alike = 0, weight;

		for (int scale = 1; scale < HAAR_SCALES; scale++)
			alike += similar(haar(y->a, y->h, y->w, r, c, scale, across), haar(y->b, y->h, y->w, r, c, scale, across), HAAR_C) /
				 (HAAR_SCALES - 1);
		weight = fmax(haar(y->a, y->h, y->w, r, c, HAAR_SCALES, across), haar(y->b, y->h, y->w, r, c, HAAR_SCALES, across));
		add(s, alike, weight);
		mean += weight / 2;
	}
	return mean;
}

/* |mean of 2x2 pixels|. */
static double smooth(const double *p, int h, int w, int y, int x)
{
	return fabs(at(p, h, w, y, x) + at(p, h, w, y, x + 1) + at(p, h, w, y + 1, x) + at(p, h, w, y + 1, x + 1)) / 4;
}

double image_haarpsi(const float *a, const float *b, int c, int h, int w)
{
	const int h2 = h / 2, w2 = w / 2, np = c == 3 ? 3 : 1;
	const size_t plane = (size_t)h * (size_t)w;
	double *p[6], mean;
	struct weighted s = { 0, 0 };
	struct pair y;

	BUG_ON((c != 1 && c != 3) || h < 16 || w < 16);
	for (int i = 0; i < 2 * np; i++) { /* Y, I, Q of a, then of b */
		p[i] = xmalloc(plane, sizeof(**p));
		if (i % np)
			chroma(i < np ? a : b, h, w, i % np - 1, p[i]);
		else
			image_luma(i < np ? a : b, c, h, w, 255, p[i]);
		image_halve(p[i], h, w, p[i]);
	}
	y = (struct pair){ p[0], p[np], h2, w2 };
	for (int r = 0; r < h2; r++)
		for (int x = 0; x < w2; x++) {
			const double weight = add_edges(&y, r, x, &s);
			double alike = 0;

			for (int k = 1; k < np; k++)
				alike += similar(smooth(p[k], h2, w2, r, x), smooth(p[np + k], h2, w2, r, x), HAAR_C) / 2;
			if (np == 3)
				add(&s, alike, weight);
		}
	for (int i = 0; i < 2 * np; i++)
		free(p[i]);
	if (!(s.weight > 0))
		return 1; /* both black */
	mean = s.sum / s.weight;
	mean = log(mean / (1 - mean)) / HAAR_ALPHA;
	return mean * mean;
}

/* ---- GMSD ---- */

/* Prewitt / 3: length of the gradient at (y, x), zeros outside the image. */
static double slope(const double *p, int h, int w, int y, int x)
{
	double dx = 0, dy = 0;

	for (int i = -1; i <= 1; i++) {
		dx += at(p, h, w, y + i, x + 1) - at(p, h, w, y + i, x - 1);
		dy += at(p, h, w, y + 1, x + i) - at(p, h, w, y - 1, x + i);
	}
	return sqrt(dx * dx + dy * dy) / 3;
}

double image_gmsd(const float *a, const float *b, int c, int h, int w)
{
	const int h2 = h / 2, w2 = w / 2, n = h2 * w2;
	const size_t plane = (size_t)h * (size_t)w;
	double *pa = xmalloc(plane, sizeof(*pa)), *pb = xmalloc(plane, sizeof(*pb)), mean = 0, squares = 0;

	BUG_ON((c != 1 && c != 3) || h < 6 || w < 6);
	image_luma(a, c, h, w, 255, pa);
	image_luma(b, c, h, w, 255, pb);
	image_halve(pa, h, w, pa);
	image_halve(pb, h, w, pb);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < n; i++) {
			const double s = similar(slope(pa, h2, w2, i / w2, i % w2), slope(pb, h2, w2, i / w2, i % w2), GMSD_C);

			mean += pass ? 0 : s / n;
			squares += pass ? (s - mean) * (s - mean) / n : 0;
		}
	free(pa);
	free(pb);
	return sqrt(squares);
}
