/* See pages.h. */
#include "base/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

void *pages_move(struct pages *p, void *old, size_t bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page) / page * page;
	void *at;

	if (!old)
		return NULL;
	BUG_ON(p->shut);
	at = aligned_alloc(page, whole); /* whole pages: nobody else's memory is taken away with them */
	if (!at)
		out_of_memory(whole);
	memcpy(at, old, bytes);
	explicit_bzero(old, bytes);
	free(old);
	p->part = xrealloc(p->part, (size_t)p->n + 1, sizeof(*p->part));
	p->part[p->n++] = (struct pages_part){ at, whole };
	return at;
}

static void protect(struct pages *p, int how)
{
	for (int i = 0; i < p->n; i++) {
		if (mprotect(p->part[i].at, p->part[i].bytes, how) == 0)
			continue;
		BUG_ON(errno != ENOMEM); /* a mapping more, or pages that count again */
		out_of_memory(p->part[i].bytes);
	}
}

void pages_shut(struct pages *p)
{
	protect(p, PROT_NONE);
	p->shut = true;
}

void pages_open(struct pages *p)
{
	protect(p, PROT_READ | PROT_WRITE);
	p->shut = false;
}

void pages_forget(struct pages *p)
{
	if (p->shut)
		pages_open(p);
	free(p->part);
	*p = (struct pages){ 0 };
}
