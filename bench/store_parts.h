/* What store.c and store_manifest.c share. Private to them. */
#ifndef LB_BENCH_STORE_PARTS_H
#define LB_BENCH_STORE_PARTS_H

#include "base/dir.h"
#include "bench/manifest.h"
#include "bench/store.h"

struct store {
	struct dir *dir;
	int lock;     /* descriptor, -1: not held */
	bool writer;  /* this process may change what is there: it holds the lock, or works for the run that does */
	struct manifest *listed; /* NULL: not read yet, none or damaged */
	char *listed_bad;        /* what is wrong with it, or NULL */
	bool looked;
	int reloads;
};

/* A whole file, as dir_read(). hash: its SHA-256 in hex, NULL: not wanted. NULL after error(): EXIT_UNEVALUABLE also
 * when the manifest lists other bytes. */
char *store_read(struct store *s, const char *rel, size_t max, size_t *len, char *hash);
void store_manifest_release(struct store *s);

#endif
