/* Convolutions done Winograd's way (nn/kernels_winograd.h), forward and as gradients of inputs. */
#include "nn/kernels_winograd.h"
#include "nn/ops_conv.h"

struct apply_job {
	struct wino s;
	struct taps taps;
	int block;
	real *packed, *scratch;
	size_t scratch_len;
	int slots; /* pieces of scratch */
	const real *in, *bias;
	real *out;
	bool accumulate;
	int parts; /* a group's strips are cut into as many tasks */
};

static void pack_task(void *ctx, int b, int thread)
{
	const struct apply_job *j = ctx;

	(void)thread;
	conv_pack(&j->taps, j->block, b, j->packed);
}

static void apply_task(void *ctx, int i, int thread)
{
	const struct apply_job *j = ctx;
	const int g = i / j->parts, part = i % j->parts, tiles = wino_tiles(&j->s), strips = (tiles + WINO_STRIP - 1) / WINO_STRIP;
	const int t0 = strips * part / j->parts * WINO_STRIP, t1 = strips * (part + 1) / j->parts * WINO_STRIP;
	const size_t in = (size_t)j->s.c * j->s.h * j->s.w * LANES, out = (size_t)j->s.o * j->s.oh * j->s.ow * LANES;

	K->wino(&j->s, j->in + g * in, j->packed, j->bias, j->out + g * out, j->accumulate, t0, t1 < tiles ? t1 : tiles,
		j->scratch + (size_t)(thread % j->slots) * j->scratch_len);
}

void winograd_apply(struct tape *t, const struct wino *s, const struct node *w, bool back, const real *in, int groups, const real *bias,
		    real *out, bool accumulate)
{
	struct apply_job j = { .s = *s, .in = in, .bias = bias, .out = out, .accumulate = accumulate, .block = K->wino_block(),
			       .scratch_len = wino_scratch(s), .slots = tile_threads_here(),
			       .taps = { .w = w->x, .o = w->d[0], .c = w->d[1], .k = 3, .back = back, .stride = 1, .winograd = true } };
	bool made;

	j.packed = tape_pack(t, w, &j.taps, j.block, &made);
	if (!made)
		tile_for((s->o + j.block - 1) / j.block, pack_task, &j);
	j.scratch = tape_take(t, j.scratch_len * (size_t)j.slots);
	/* Few groups (small batches): cut the tiles too, so that threads have work. It changes no result. */
	j.parts = groups >= 8 || j.slots == 1 ? 1 : 4;
	tile_for(groups * j.parts, apply_task, &j);
	tape_give(t, j.scratch);
	tape_unpack(t, w, j.packed);
}
