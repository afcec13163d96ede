/* Batch normalisation, channel scale-and-shift, pools, upsampling. */
#include "nn/tape_parts.h"
#include "nn/ops.h"
#include <math.h>
#include <string.h>

/* ---- per channel: y = p[c] x + q[c], and the sums that its gradient needs ---- */
struct channel_job {
	struct node *a, *y, *gamma, *beta;
	real *mean, *inv; /* (c) used by this pass */
	real *rm, *rv;
	real momentum, eps;
	bool train, relu; /* relu: y = max(y, 0) */
	real *dx;  /* backward: where the input's gradient goes, and whether to what is there */
	bool add;
};

static size_t plane_at(const struct node *a, int g, int c)
{
	return g * group_len(a) + (size_t)c * a->h * a->w * LANES;
}

/* Sum over images, rows and columns of channel c; each group's lanes are summed by the fixed tree, groups in order. */
static double channel_sum(const struct node *a, const real *x, int c, const real *mean)
{
	const size_t plane = (size_t)a->h * a->w;
	double sum = 0;

	for (int g = 0; g < GROUPS(a->n); g++) {
		real s[LANES] = { 0 };

		if (mean)
			K->lane_sumsq(plane, x + plane_at(a, g, c), *mean, s);
		else
			K->lane_sum(plane, x + plane_at(a, g, c), s);
		sum += (double)lane_reduce(s, group_images(a, g));
	}
	return sum;
}

static double channel_dot(const struct node *a, const real *x, const real *y, int c)
{
	double sum = 0;

	for (int g = 0; g < GROUPS(a->n); g++) {
		real s[LANES] = { 0 };

		K->lane_dot((size_t)a->h * a->w, x + plane_at(a, g, c), y + plane_at(a, g, c), s);
		sum += (double)lane_reduce(s, group_images(a, g));
	}
	return sum;
}

static void bn_task(void *ctx, int c, int thread)
{
	const struct channel_job *j = ctx;
	const struct node *a = j->a;
	const double m = (double)a->n * a->h * a->w;
	real p, q;

	(void)thread;
	if (j->train) {
		double var;

		j->mean[c] = (real)(channel_sum(a, a->x, c, NULL) / m);
		var = channel_sum(a, a->x, c, &j->mean[c]) / m;
		j->inv[c] = (real)(1 / sqrt(var + (double)j->eps));
		j->rm[c] = (1 - j->momentum) * j->rm[c] + j->momentum * j->mean[c];
		j->rv[c] = (1 - j->momentum) * j->rv[c] + j->momentum * (real)(m > 1 ? var * m / (m - 1) : var);
	} else {
		j->mean[c] = j->rm[c];
		j->inv[c] = (real)(1 / sqrt((double)j->rv[c] + (double)j->eps));
	}
	p = j->gamma->x[c] * j->inv[c];
	q = j->beta->x[c] - j->mean[c] * p;
	for (int g = 0; g < GROUPS(a->n); g++)
		(j->relu ? K->affine_relu : K->affine)((size_t)a->h * a->w * LANES, a->x + plane_at(a, g, c), NULL,
						       j->y->x + plane_at(a, g, c), p, q);
}

/* Sums of channel c's dy (which the ReLU cuts first) and of dy x, as channel_sum() and channel_dot() make them. */
static void bn_sums(const struct channel_job *j, int c, double *sdy, double *sdyx)
{
	const struct node *a = j->a, *y = j->y;

	*sdy = *sdyx = 0;
	for (int g = 0; g < GROUPS(a->n); g++) {
		const size_t at = plane_at(a, g, c);
		_Alignas(64) real sum[LANES] = { 0 }, dot[LANES] = { 0 };

		K->norm_sums((size_t)a->h * a->w, a->x + at, j->relu ? y->x + at : NULL, y->g + at, sum, dot);
		*sdy += (double)lane_reduce(sum, group_images(a, g));
		*sdyx += (double)lane_reduce(dot, group_images(a, g));
	}
}

/* dgamma = sum dy xhat, dbeta = sum dy, xhat = (x - mean) inv;
 * training: dx = gamma inv (dy - dbeta/m - xhat dgamma/m); eval: dx = gamma inv dy. */
static void bn_back_task(void *ctx, int c, int thread)
{
	const struct channel_job *j = ctx;
	const struct node *a = j->a, *y = j->y;
	const size_t plane = (size_t)a->h * a->w * LANES;
	const double m = (double)a->n * a->h * a->w, mean = (double)j->mean[c], inv = (double)j->inv[c];
	double sdy, sdyx, dgamma, gain;

	(void)thread;
	bn_sums(j, c, &sdy, &sdyx);
	dgamma = (sdyx - mean * sdy) * inv;
	gain = (double)j->gamma->x[c] * inv;
	if (j->gamma->g)
		j->gamma->g[c] += (real)dgamma;
	if (j->beta->g)
		j->beta->g[c] += (real)sdy;
	for (int g = 0; j->dx && g < GROUPS(a->n); g++) {
		const real *dy = y->g + plane_at(a, g, c);
		real *dx = j->dx + plane_at(a, g, c);

		if (j->train)
			K->norm_back(plane, a->x + plane_at(a, g, c), dy, dx, (real)gain, (real)(-gain * inv * dgamma / m),
				     (real)(gain * (inv * mean * dgamma - sdy) / m), j->add);
		else
			K->norm_back(plane, dy, dy, dx, (real)gain, 0, 0, j->add);
	}
}

static void bn_back(struct node *y)
{
	struct channel_job *j = y->aux;

	node_grad(j->gamma);
	node_grad(j->beta);
	j->add = j->a->g != NULL;
	j->dx = !j->a->wants ? NULL : j->add ? j->a->g : y->g; /* in dy's place */
	tile_for(y->c, bn_back_task, j);
	if (!j->add)
		node_grad_hand(y, j->a);
	if (j->a->g && j->train)
		mask_tail(j->a, j->a->g);
}

static struct node *batch_norm(struct node *a, struct node *gamma, struct node *beta, real *rm, real *rv, bool train, real momentum, real eps,
			       bool relu)
{
	struct channel_job *j = arena_new(&a->t->mem, 1, struct channel_job);

	BUG_ON(!a->n || gamma->n || beta->n || gamma->len != (size_t)a->c || beta->len != (size_t)a->c);
	*j = (struct channel_job){ .a = a, .gamma = gamma, .beta = beta, .rm = rm, .rv = rv, .train = train, .momentum = momentum, .eps = eps,
				   .relu = relu };
	j->mean = tape_alloc(a->t, a->c);
	j->inv = tape_alloc(a->t, a->c);
	j->y = node_batch(a->t, a->n, a->c, a->h, a->w, a, gamma, beta, bn_back);
	j->y->aux = j;
	tile_for(a->c, bn_task, j);
	return j->y;
}

struct node *op_batch_norm(struct node *a, struct node *gamma, struct node *beta, real *rm, real *rv, bool train, real momentum, real eps)
{
	return batch_norm(a, gamma, beta, rm, rv, train, momentum, eps, false);
}

struct node *op_batch_norm_relu(struct node *a, struct node *gamma, struct node *beta, real *rm, real *rv, bool train, real momentum, real eps)
{
	return batch_norm(a, gamma, beta, rm, rv, train, momentum, eps, true);
}

static void affine_task(void *ctx, int c, int thread)
{
	const struct channel_job *j = ctx;

	(void)thread;
	for (int g = 0; g < GROUPS(j->a->n); g++)
		K->affine((size_t)j->a->h * j->a->w * LANES, j->a->x + plane_at(j->a, g, c), NULL, j->y->x + plane_at(j->a, g, c),
			  j->gamma ? j->gamma->x[c] : 1, j->beta ? j->beta->x[c] : 0);
}

static void affine_back_task(void *ctx, int c, int thread)
{
	const struct channel_job *j = ctx;
	const struct node *a = j->a, *y = j->y;

	(void)thread;
	if (j->gamma && j->gamma->g)
		j->gamma->g[c] += (real)channel_dot(a, y->g, a->x, c);
	if (j->beta && j->beta->g)
		j->beta->g[c] += (real)channel_sum(a, y->g, c, NULL);
	for (int g = 0; a->g && g < GROUPS(a->n); g++)
		K->axpy((size_t)a->h * a->w * LANES, y->g + plane_at(a, g, c), NULL, a->g + plane_at(a, g, c), j->gamma ? j->gamma->x[c] : 1, 0);
}

static void affine_back(struct node *y)
{
	struct channel_job *j = y->aux;

	node_grad(j->a);
	if (j->gamma)
		node_grad(j->gamma);
	if (j->beta)
		node_grad(j->beta);
	tile_for(y->c, affine_back_task, j);
}

struct node *op_channel_affine(struct node *a, struct node *gamma, struct node *beta)
{
	struct channel_job *j = arena_new(&a->t->mem, 1, struct channel_job);

	BUG_ON(!a->n || (gamma && (gamma->n || gamma->len != (size_t)a->c)) || (beta && (beta->n || beta->len != (size_t)a->c)));
	*j = (struct channel_job){ .a = a, .gamma = gamma, .beta = beta };
	j->y = node_batch(a->t, a->n, a->c, a->h, a->w, a, gamma, beta, affine_back);
	j->y->aux = j;
	tile_for(a->c, affine_task, j);
	return j->y;
}

/* ---- pools and upsampling: kernels over the planes of a group ---- */
enum pool { POOL_MAX, POOL_RELU_MAX, POOL_AVG, POOL_UP };

static void pool_task(void *ctx, int g, int thread)
{
	struct node *y = ctx, *a = y->in[0];
	const real *x = a->x + g * group_len(a);
	real *out = y->x + g * group_len(y);

	(void)thread;
	switch (y->ia[0]) {
	case POOL_MAX: K->max_pool(a->c, a->h, a->w, y->ia[1], y->ia[2], x, out); break;
	case POOL_RELU_MAX: K->relu_max_pool(a->c, a->h, a->w, y->ia[1], y->ia[2], x, out); break;
	case POOL_AVG: K->avg_pool(a->c, a->h, a->w, y->ia[1], y->ia[2], x, out); break;
	default: K->upsample(a->c, a->h, a->w, y->ia[1], x, out); break;
	}
}

static void pool_back_task(void *ctx, int g, int thread)
{
	struct node *y = ctx, *a = y->in[0];
	const real *dy = y->g + g * group_len(y);
	real *dx = a->g + g * group_len(a);

	(void)thread;
	switch (y->ia[0]) {
	case POOL_MAX:
		K->max_pool_back(a->c, a->h, a->w, y->ia[1], y->ia[2], a->x + g * group_len(a), y->x + g * group_len(y), dy, dx);
		break;
	case POOL_RELU_MAX:
		K->relu_max_pool_back(a->c, a->h, a->w, y->ia[1], a->x + g * group_len(a), y->x + g * group_len(y), dy, dx);
		break;
	case POOL_AVG: K->avg_pool_back(a->c, a->h, a->w, y->ia[1], y->ia[2], dy, dx); break;
	default: K->upsample_back(a->c, a->h, a->w, y->ia[1], dy, dx); break;
	}
}

static void pool_back(struct node *y)
{
	bool add = true;

	if (y->ia[0] == POOL_RELU_MAX)
		node_grad_put(y->in[0], &add);
	else
		node_grad(y->in[0]);
	BUG_ON(y->ia[0] == POOL_RELU_MAX && add); /* op_relu_max_pool()'s input is its own */
	tile_for(GROUPS(y->n), pool_back_task, y);
}

static struct node *pool(struct node *a, enum pool kind, int k, int stride, int oh, int ow)
{
	struct node *y;

	BUG_ON(!a->n || k < 1 || stride < 1 || oh < 1 || ow < 1);
	y = node_batch(a->t, a->n, a->c, oh, ow, a, NULL, NULL, pool_back);
	y->ia[0] = kind;
	y->ia[1] = k;
	y->ia[2] = stride;
	tile_for(GROUPS(y->n), pool_task, y);
	return y;
}

struct node *op_max_pool(struct node *a, int k, int stride)
{
	BUG_ON(k > a->h || k > a->w);
	return pool(a, POOL_MAX, k, stride, (a->h - k) / stride + 1, (a->w - k) / stride + 1);
}

struct node *op_relu_max_pool(struct node *a, int k)
{
	if (a->h % k || a->w % k)
		return op_max_pool(op_relu(a), k, k);
	return pool(a, POOL_RELU_MAX, k, k, a->h / k, a->w / k);
}

struct node *op_avg_pool(struct node *a, int k, int stride)
{
	BUG_ON(k > a->h || k > a->w);
	return pool(a, POOL_AVG, k, stride, (a->h - k) / stride + 1, (a->w - k) / stride + 1);
}

/* Windows are square, so the whole plane is one only where the plane is square, as in every architecture here. */
struct node *op_global_avg_pool(struct node *a)
{
	BUG_ON(a->h != a->w);
	return op_avg_pool(a, a->h, 1);
}

struct node *op_global_max_pool(struct node *a)
{
	BUG_ON(a->h != a->w);
	return op_max_pool(a, a->h, 1);
}

struct node *op_upsample(struct node *a, int k)
{
	return pool(a, POOL_UP, k, 1, a->h * k, a->w * k);
}
