/* Study bundles: what a paper's numbers stand on, in one archive that a reviewer unpacks, verifies and runs again
 * in part.
 *
 * An archive (tar.h, also gzipped) that unpacks to a store:
 *   MANIFEST.json           canonical; the bundle's hash is the SHA-256 of its bytes
 *     {"bundle": 1, "lockbench", "engines", "kernels", "datasets": {name: hash}, "models", "schemes": {name: [versions]},
 *      "attacks": {name: [versions]}, "tiers", "seeds", "cells": number, "files": {path: SHA-256}, "sources": [hashes],
 *      "conflicts": [...], "withheld": {scheme: [options]}: only where something is (then "bundle" is 2)}
 *   cells/ab/KEY.json       timing/ab/KEY.json   failures/KEY.json   store.json   last-run.json     as in store.h
 *   job/NAME, report/NAME   the job file and the report, as they were given
 * None of them holds what only the owner may know, or names of machines, users and folders (withhold.h, scrub.h).
 * Only cells are the truth; artefacts (weights, secrets) are not in it, they can be made again. Reading believes
 * nothing: other paths, files that the manifest does not list, or lists with another hash, are refused. */
#ifndef LB_BENCH_BUNDLEFILE_H
#define LB_BENCH_BUNDLEFILE_H

#include "base/tar.h"
#include "bench/store.h"

#define BUNDLE_FILE_MAX ((size_t)1 << 30)

/* A file of len bytes. It is kept deflated: a bundle in memory is about as large as its archive, gzipped, whatever
 * that unpacks to. */
struct bundle_entry { char *name; unsigned char *packed; size_t npacked, len; char hash[65]; };
struct bundle_file {
	struct bundle_entry *e; /* by name; without the manifest */
	int n;
	json_t *manifest;
	char hash[65];          /* of the manifest's text */
};

/* What is in a file, with a NUL behind; caller frees. */
char *bundle_file_text(const struct bundle_entry *e);
/* From a store, with files that go into job/ and report/ (NULL: none). Refuses a store with damaged cells. */
int bundle_file_collect(struct bundle_file *b, struct store *st, const char *job, const char *report);
/* From a path. -1 after error(): EXIT_NO where a file is not what the manifest says, else EXIT_UNEVALUABLE or
 * EXIT_IO. */
int bundle_file_read(struct bundle_file *b, const char *path);
/* The same from memory; what the fuzzer and bundle_file_read() share. */
int bundle_file_parse(struct bundle_file *b, const char *data, size_t len, const char *where);
/* The archive's bytes; gzipped where path ends in .gz. */
int bundle_file_write(const struct bundle_file *b, const char *path);
/* Make dir a store of it. Refuses a directory that holds another bundle, or something else. */
int bundle_file_unpack(const struct bundle_file *b, const char *dir);
/* All of them as one; they lose what a bundle of today does not hold (older ones had it). A cell that two have with
 * other content is a conflict: the first one's stays, and an object {"key", "what", "kept", "other"} goes into the
 * manifest's "conflicts" (what: the members that differ; kept, other: hashes of the bundles). */
int bundle_file_merge(struct bundle_file *out, struct bundle_file *in, int n);
/* One file as JSON, and every file of a folder ("cells/", "failures/") in a list; caller decrefs. NULL after
 * error(). */
json_t *bundle_entry_json(const struct bundle_entry *e);
json_t *bundle_file_json(const struct bundle_file *b, const char *folder);
/* Its cells' keys, ascending, as texts of 65 bytes; caller frees. */
char (*bundle_file_keys(const struct bundle_file *b, int *n))[65];
void bundle_file_release(struct bundle_file *b);

#endif
