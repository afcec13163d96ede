/* Memory that can be taken away: what a party of an evaluation must not see lies on pages of its own, which are made
 * unreadable while that party's code runs. Whoever reads them then dies of SIGSEGV, and the cell says "crashed". */
#ifndef LB_BASE_PAGES_H
#define LB_BASE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

struct pages {
	struct pages_part { void *at; size_t bytes; } *part;
	int n;
	bool shut;
};

/* A zeroed struct is ready. Move n bytes that malloc gave to pages of p: returns their new place (old NULL: NULL). The old
 * place is wiped and freed; the new one is freed with free(), after pages_forget(). */
void *pages_move(struct pages *p, void *old, size_t bytes);
void pages_shut(struct pages *p); /* nobody can read or write them ... */
void pages_open(struct pages *p); /* ... and everybody can again */
/* Open, and stop watching over them; the memory stays with its owners. */
void pages_forget(struct pages *p);

#endif
