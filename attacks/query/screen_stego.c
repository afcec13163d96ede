/* See screen_stego.h. */
#include "attacks/query/screen_stego.h"

#include <math.h>

#include "base/error.h"

double stego_chi2(const uint8_t *px, size_t n)
{
	double count[256] = { 0 }, sum = 0;
	int pairs = 0;

	BUG_ON(n < 1);
	for (size_t i = 0; i < n; i++)
		count[px[i]]++;
	for (int i = 0; i < 256; i += 2) {
		const double both = count[i] + count[i + 1], apart = count[i] - count[i + 1];

		if (both > 0) {
			sum += apart * apart / both;
			pairs++;
		}
	}
	return sum / pairs;
}

/* ---- RS ---- */

/* 0 <-> 1, 2 <-> 3, ... */
static int flip(int v)
{
	return v ^ 1;
}

/* -1 <-> 0, 1 <-> 2, ... */
static int flip_shifted(int v)
{
	return ((v + 1) ^ 1) - 1;
}

static int roughness(const int *g)
{
	return abs(g[1] - g[0]) + abs(g[2] - g[1]) + abs(g[3] - g[2]);
}

/* Regular minus singular groups as a share of all; all: the lowest bit of every pixel is flipped first. */
static double balance(const uint8_t *px, struct shape s, int (*f)(int), int all)
{
	long sum = 0, n = 0;

	for (int row = 0; row < s.c * s.h; row++, px += s.w)
		for (int x = 0; x + 4 <= s.w; x += 4, n++) {
			int g[4], before;

			for (int k = 0; k < 4; k++)
				g[k] = all ? flip(px[x + k]) : px[x + k];
			before = roughness(g);
			g[1] = f(g[1]);
			g[2] = f(g[2]);
			sum += (roughness(g) > before) - (roughness(g) < before);
		}
	return (double)sum / (double)n;
}

/* The root of a z^2 + b z + c that is nearer to 0; of a pair of complex roots their real part. */
static double near_root(double a, double b, double c)
{
	const double d = b * b - 4 * a * c, q = d > 0 ? sqrt(d) : 0;

	if (fabs(a) < 1e-12)
		return fabs(b) < 1e-12 ? 0 : -c / b;
	return fabs(-b + q) < fabs(-b - q) ? (-b + q) / (2 * a) : (-b - q) / (2 * a);
}

double stego_rs(const uint8_t *px, struct shape s)
{
	const double d0 = balance(px, s, flip, 0), d1 = balance(px, s, flip, 1);
	const double m0 = balance(px, s, flip_shifted, 0), m1 = balance(px, s, flip_shifted, 1);
	const double z = near_root(2 * (d1 + d0), m0 - m1 - d1 - 3 * d0, d0 - m0);

	BUG_ON(s.w < 4);
	return fabs(z - 0.5) < 1e-12 ? 2 : fmin(fmax(z / (z - 0.5), -1), 2);
}
