/* The unit of work and of storage. A study point names everything that can change a result; from it follow three
 * artefact keys (base model, locked model, credentials) and a cell key, each the SHA-256 of canonical JSON. Threads, paths, host,
 * job names and key order never enter a key.
 *
 * Cell file (immutable, deterministic, canonical pretty JSON) cells/<k0k1>/<key>.json:
 *   { "schema": 1, "key", "dataset", "dataset_hash", "model", "seed", "tier",
 *     "limits": {"train": 0, "test": 0},         0: all
 *     "recipe": {...train_opts...},
 *     "scheme", "scheme_version", "scheme_options": {...}, "users", "credentials_per_user",
 *     "foreign", "foreign_hash": only where the lock needs images of another data set
 *     "attack" ("none" for the functional cell), "attack_version", "attack_options": {...},
 *     "attack_parts": {"prune": 1}: versions of the attacks that it is made of, only where there are some
 *     "attacker": {"attacker_data": "overlap", "search": 8, "max_queries", "max_labels", "max_submissions", "max_forwards",
 *                  "access": "black"}: only what is not the rule; access only where that level refuses the attack
 *     "engine": 1, "kernel": "fma", "metrics_version": SHA-256 of the names and versions of the metrics that cells hold, "lockbench": "0.1.0",
 *     "base_key", "locked_key", "creds_key",
 *     "level": "white", "needs": "weights,write": what the attack was given; "" for the functional cell
 *     "verdict": "ok|noop|scheme-untrained|over-budget|n/a", "why": "",
 *     "ledger": {"queries","labels","submissions","forward_equivalents"},
 *     "goal": "remove", "strength_option": "rate",
 *     "notes": {...}, "observations": {...metrics/observe.h...},
 *     "metrics": {name: {"value","low","high","k","n"}},
 *     "base_hash", "locked_hash": SHA-256 of the weights }
 * In a bundle, where an option is withheld (withhold.h): "withheld": the sha256 of the cell as its store has it.
 * Beside it timing/<k0k1>/<key>.json (not deterministic): {"key","seconds","threads","host","peak_rss_mib","metrics":{...}}.
 * failures/<key>.json: {"key","point":{...},"verdict":"failed|timeout|crashed","why","attempt"}; removed when the cell succeeds. */
#ifndef LB_BENCH_CELL_H
#define LB_BENCH_CELL_H

#include "attacks/attack.h"
#include "base/version.h"
#include "bench/grant.h"
#include "nn/train.h"
#include "schemes/scheme.h"

#define CELL_SCHEMA 1

enum tier { TIER_SMOKE, TIER_SHORT, TIER_PAPER };
extern const char *const tier_names[]; /* "smoke", "short", "paper" */

struct point {
	char dataset[64], dataset_hash[65];
	struct model_spec spec;
	struct train_conf recipe;
	int limit_train, limit_test;
	uint64_t seed;
	int tier;                    /* in the cell's key: tables do not mix tiers */
	const struct scheme *scheme;
	json_t *scheme_options;      /* canonical, complete (owned) */
	char foreign[64], foreign_hash[65]; /* the data set of scheme.foreign; "": none */
	int users, per_user;         /* credentials issued */
	const struct attack *attack; /* NULL: functional */
	json_t *attack_options;      /* (owned) */
	struct attacker attacker;    /* zeroed where there is no attack */
};
void point_copy(struct point *to, const struct point *from);
void point_release(struct point *p);
json_t *point_json(const struct point *p);              /* round-trips through point_from_json */
int point_from_json(struct point *p, const json_t *j);  /* -1 after error() */
void point_base_key(const struct point *p, char key[65]);
void point_locked_key(const struct point *p, char key[65]);
void point_creds_key(const struct point *p, char key[65]);
void point_cell_key(const struct point *p, char key[65]);

/* Do the work of one point against a store, building the artefacts that are missing, publish the cell. Data sets stay
 * loaded between calls in one process (cell_cache_release frees them). 0, or -1 after error(). */
struct store;
int cell_run(struct store *st, const struct point *p, const char *data_dir);
/* Only the artefacts (base, locked, credentials). */
int cell_prepare(struct store *st, const struct point *p, const char *data_dir);
void cell_cache_release(void);

#endif
