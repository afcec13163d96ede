/* See vault.h. */
#include "bench/vault.h"

static void move_bundle(struct pages *p, struct bundle *b)
{
	for (int i = 0; b && i < b->nt; i++)
		if (b->t[i].len)
			b->t[i].data = pages_move(p, b->t[i].data, b->t[i].len * dtype_size(b->t[i].dtype));
}

static void move_model(struct pages *p, struct model *m)
{
	real *old;

	if (!m)
		return;
	old = m->x;
	m->x = pages_move(p, old, m->nx * sizeof(*m->x));
	for (int i = 0; i < m->np; i++)
		m->p[i].x = m->x + (m->p[i].x - old);
}

/* The setup borrows these as constants; what is said stays the same, only its place changes. */
void vault_fill(struct vault *v, const struct setup *s)
{
	move_model(&v->owner, (struct model *)(uintptr_t)s->base);
	move_bundle(&v->owner, s->locked->secret);
	move_bundle(&v->owner, (struct bundle *)(uintptr_t)s->creds);
	move_model(&v->service, s->locked->model);
	move_bundle(&v->service, s->locked->pub);
}

void vault_dataset(struct pages *p, struct dataset *d)
{
	const size_t size = (size_t)d->c * (size_t)d->h * (size_t)d->w;

	d->train_px = pages_move(p, d->train_px, size * (size_t)d->ntrain);
	d->train_labels = pages_move(p, d->train_labels, (size_t)d->ntrain);
	d->test_px = pages_move(p, d->test_px, size * (size_t)d->ntest);
	d->test_labels = pages_move(p, d->test_labels, (size_t)d->ntest);
}

void vault_release(struct vault *v)
{
	pages_forget(&v->owner);
	pages_forget(&v->service);
}
