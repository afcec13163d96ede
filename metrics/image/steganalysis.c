/* Detectors' features. See steganalysis.h. */
#include "metrics/image/steganalysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "metrics/stat/dist.h"

/* ---- pairs of values ---- */

double steg_chi2(const uint8_t *px, int c, int h, int w)
{
	const long n = (long)c * h * w;
	long count[256] = { 0 };
	double x = 0;
	int pairs = 0;

	for (long i = 0; i < n; i++)
		count[px[i]]++;
	for (int k = 0; k < 256; k += 2) {
		const double expected = (double)(count[k] + count[k + 1]) / 2;

		if (expected < 5)
			continue;
		x += ((double)count[k] - expected) * ((double)count[k] - expected) / expected;
		pairs++;
	}
	return pairs > 1 ? chi2_tail(pairs - 1, x) : 0;
}

/* ---- regular and singular groups ---- */

/* What a group of four is worth: how rough it is. */
static int rough(const int g[4])
{
	return abs(g[1] - g[0]) + abs(g[2] - g[1]) + abs(g[3] - g[2]);
}

/* Flip the lowest bit (0 <-> 1, 2 <-> 3), or by the shifted pairs (-1 <-> 0, 1 <-> 2, ...). */
static int flip(int x, int shifted)
{
	return shifted ? ((x + 1) ^ 1) - 1 : x ^ 1;
}

/* Regular less singular groups, as a share of all, with the mask or its negative (shifted), in the image or with all lowest
 * bits flipped. */
static double balance(const uint8_t *px, int rows, int w, int shifted, int flipped)
{
	long sum = 0, groups = 0;

	for (int r = 0; r < rows; r++)
		for (int x = 0; x + 4 <= w; x += 4) {
			int g[4], was;

			for (int i = 0; i < 4; i++)
				g[i] = px[(long)r * w + x + i] ^ flipped;
			was = rough(g);
			g[1] = flip(g[1], shifted);
			g[2] = flip(g[2], shifted);
			sum += (rough(g) > was) - (rough(g) < was);
			groups++;
		}
	return (double)sum / (double)groups;
}

/* The root nearer to 0 of the paper's quadratic gives x, and x / (x - 1/2) the share. */
double steg_rs(const uint8_t *px, int c, int h, int w)
{
	const double d0 = balance(px, c * h, w, 0, 0), d1 = balance(px, c * h, w, 0, 1);
	const double n0 = balance(px, c * h, w, 1, 0), n1 = balance(px, c * h, w, 1, 1);
	const double qa = 2 * (d1 + d0), qb = n0 - n1 - d1 - 3 * d0, qc = d0 - n0;
	const double inside = fmax(qb * qb - 4 * qa * qc, 0), far = -(qb + (qb < 0 ? -sqrt(inside) : sqrt(inside))) / 2;
	double x;

	BUG_ON(w < 4);
	if (far == 0) /* no roughness to go by */
		return 0;
	x = qc / far; /* the smaller root, without cancellation */
	return fabs(x - 0.5) < 1e-9 ? 0 : x / (x - 0.5);
}

/* ---- SPAM ---- */

struct steps { long count[7 * 7 * 7], total[7 * 7]; }; /* [..][..][next]; of order 1: 9 x 9 fits */

/* Follow direction (dy, dx) from every pixel of a plane: differences of order + 2 pixels in line. Those within +-t are
 * counted. */
static void walk(const uint8_t *px, int h, int w, int dy, int dx, int order, int t, struct steps *s)
{
	const int reach = order + 1, base = 2 * t + 1;

	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			const int ey = y + dy * reach, ex = x + dx * reach;
			int from = 0, d = 0, i;

			if (ey < 0 || ey >= h || ex < 0 || ex >= w)
				continue;
			for (i = 0; i <= order; i++) {
				const uint8_t *a = px + (long)(y + dy * i) * w + x + dx * i;

				d = *a - a[(long)dy * w + dx];
				if (i == order || abs(d) > t)
					break;
				from = from * base + d + t;
			}
			if (i < order) /* the condition itself is out of range */
				continue;
			s->total[from]++;
			if (abs(d) <= t)
				s->count[from * base + d + t]++;
		}
}

void steg_spam(const uint8_t *px, int c, int h, int w, int order, double *out)
{
	static const int direction[8][2] = { { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 }, { 1, 1 }, { 1, -1 }, { -1, 1 }, { -1, -1 } };
	const int t = order == 1 ? 4 : 3, base = 2 * t + 1, half = order == 1 ? SPAM162 / 2 : SPAM686 / 2;
	struct steps s;

	BUG_ON(order != 1 && order != 2);
	memset(out, 0, 2 * (size_t)half * sizeof(*out));
	for (int i = 0; i < 8; i++) {
		memset(&s, 0, sizeof(s));
		for (int k = 0; k < c; k++)
			walk(px + (long)k * h * w, h, w, direction[i][0], direction[i][1], order, t, &s);
		for (int k = 0; k < half; k++)
			if (s.total[k / base])
				out[(i < 4 ? 0 : half) + k] += (double)s.count[k] / (double)s.total[k / base] / 4;
	}
}
