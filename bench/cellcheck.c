/* What a cell and its companions may hold, as tables. See cellcheck.h. */
#include "bench/cellcheck.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/driver.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "bench/cell.h"
#include "metrics/observe.h"

#define AMOUNT_MAX 9e18   /* of what an attack may spend or spent */
#define COUNT_MAX (1LL << 40)
#define LINE_BYTES 255
#define TEXT_BYTES 8192
#define ITEMS_MAX 1024    /* of a list in options or notes */
#define MEMBERS_MAX 1024  /* of an object */
#define NOTES_DEPTH 4

enum kind { HEX, HEX_OR_NONE, NAME, NAME_OR_NONE, LINE, TEXT, WORD, INT, AMOUNT, NUMBER_OR_NULL, OBJECT };
enum { MUST = 1, POINT = 2 /* must be in a failure's point, too */ };

struct member {
	const char *name;
	enum kind kind;
	unsigned where;
	long long min, max;                /* of INT; of LINE and TEXT max is the longest */
	const char *const *words;          /* of WORD, NULL-terminated */
	int (*check)(const json_t *value); /* of OBJECT */
};

static int bad(const char *what)
{
	return error(EXIT_UNEVALUABLE, "%s", what);
}

/* ---- texts ---- */

static bool is_hex(const char *s)
{
	return strspn(s, "0123456789abcdef") == HASH_HEX - 1 && !s[HASH_HEX - 1];
}

/* No control characters, and not too long. */
static bool is_line(const char *s, size_t max)
{
	const unsigned char *p = (const unsigned char *)s;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
	return (size_t)(p - (const unsigned char *)s) <= max;
}

static bool is_word(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

static int check_text(const char *s, const struct member *m)
{
	switch (m->kind) {
	case HEX_OR_NONE:
		if (!*s)
			return 0;
		/* fall through */
	case HEX:
		return is_hex(s) ? 0 : bad("is no SHA-256 of 64 hexadecimal digits");
	case NAME_OR_NONE:
		if (!*s)
			return 0;
		/* fall through */
	case NAME:
		return driver_name_ok(s) ? 0 : bad("is no name of the form [a-z0-9][a-z0-9._-]{0,63}");
	case LINE:
		return is_line(s, (size_t)m->max) ? 0 :
		       error(EXIT_UNEVALUABLE, "is longer than %lld bytes or has control characters", m->max);
	case WORD:
		return is_word(s, m->words) ? 0 : bad("is none of the words that are known here");
	default:
		return strlen(s) <= (size_t)m->max ? 0 : error(EXIT_UNEVALUABLE, "is longer than %lld bytes", m->max);
	}
}

/* ---- one value ---- */

static int check_number(const json_t *v)
{
	return json_is_number(v) && fabs(json_number_value(v)) <= OBS_NUMBER_MAX ? 0 :
	       bad("is no number, or too large a one");
}

static int check_value(const json_t *v, const struct member *m)
{
	switch (m->kind) {
	case INT:
		return json_is_integer(v) && json_integer_value(v) >= m->min && json_integer_value(v) <= m->max ? 0 :
		       error(EXIT_UNEVALUABLE, "is no whole number from %lld to %lld", m->min, m->max);
	case AMOUNT:
		return json_is_number(v) && json_number_value(v) >= 0 && json_number_value(v) <= AMOUNT_MAX ? 0 :
		       bad("is no number from 0 to 9e18");
	case NUMBER_OR_NULL:
		return json_is_null(v) ? 0 : check_number(v);
	case OBJECT:
		if (!json_is_object(v))
			return bad("is no object");
		return json_object_size(v) > MEMBERS_MAX ? bad("has too many members") : m->check(v);
	default:
		return json_is_string(v) ? check_text(json_string_value(v), m) : bad("is no text");
	}
}

static const struct member *member_named(const struct member *table, const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

/* must: of the members whose `where` has this bit none may lack (0: all may). others: members that the table does not
 * name are passed over. */
static int check_members(const json_t *j, const struct member *table, unsigned must, bool others)
{
	const char *name;
	json_t *v;

	if (!json_is_object(j))
		return bad("is no object");
	json_object_foreach((json_t *)(uintptr_t)j, name, v) {
		const struct member *m = member_named(table, name);

		if (!m && !others)
			return !driver_name_ok(name) ? bad("has a member whose name is none") :
			       error(EXIT_UNEVALUABLE, "has a member \"%s\", which is unknown here", name);
		if (m && check_value(v, m) < 0)
			return error_prefix("\"%s\"", name);
	}
	for (; table->name; table++)
		if ((table->where & must) && !json_object_get(j, table->name))
			return error(EXIT_UNEVALUABLE, "lacks \"%s\"", table->name);
	return 0;
}

/* An object of names, each with a value that `check` takes. */
static int check_each(const json_t *j, int (*check)(const json_t *value))
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, name, v) {
		if (!driver_name_ok(name))
			return bad("has a member whose name is none");
		if (check(v) < 0)
			return error_prefix("\"%s\"", name);
	}
	return 0;
}

/* ---- options, notes ---- */

static int check_scalar(const json_t *v)
{
	static const struct member text = { .kind = TEXT, .max = TEXT_BYTES };

	if (json_is_string(v))
		return check_text(json_string_value(v), &text);
	return json_is_boolean(v) ? 0 : check_number(v);
}

static int check_list(const json_t *list)
{
	const json_t *v;
	size_t i;

	if (json_array_size(list) > ITEMS_MAX)
		return error(EXIT_UNEVALUABLE, "is a list of more than %d", ITEMS_MAX);
	json_array_foreach(list, i, v)
		if (check_scalar(v) < 0)
			return -1;
	return 0;
}

static int check_option(const json_t *v)
{
	return json_is_array(v) ? check_list(v) : check_scalar(v);
}

static int check_options(const json_t *j)
{
	return check_each(j, check_option);
}

/* Notes are options that may nest, and null stands for a number that was none. */
static int check_notes_at(const json_t *j, int depth)
{
	const char *name;
	json_t *v;

	if (depth > NOTES_DEPTH || json_object_size(j) > MEMBERS_MAX)
		return bad("nests too deep or has too many members");
	json_object_foreach((json_t *)(uintptr_t)j, name, v) {
		if (!driver_name_ok(name))
			return bad("has a member whose name is none");
		if (json_is_object(v) ? check_notes_at(v, depth + 1) < 0 : !json_is_null(v) && check_option(v) < 0)
			return error_prefix("\"%s\"", name);
	}
	return 0;
}

static int check_notes(const json_t *j)
{
	return check_notes_at(j, 1);
}

/* ---- metrics, observations ---- */

static int check_metric(const json_t *v, unsigned must, bool others)
{
	static const struct member table[] = {
		{ "value", NUMBER_OR_NULL, MUST, 0, 0, NULL, NULL }, { "low", NUMBER_OR_NULL, MUST, 0, 0, NULL, NULL },
		{ "high", NUMBER_OR_NULL, MUST, 0, 0, NULL, NULL }, { "k", INT, MUST, 0, COUNT_MAX, NULL, NULL },
		{ "n", INT, MUST, 0, COUNT_MAX, NULL, NULL }, { "seen", INT, 0, LLONG_MIN, LLONG_MAX, NULL, NULL },
		{ 0 }
	};

	if (check_members(v, table, must, others) < 0)
		return -1;
	return jget_int(v, "k", 0) <= jget_int(v, "n", 0) ? 0 : bad("counts more successes than trials");
}

static int check_stored_metric(const json_t *v)
{
	return check_metric(v, MUST, false);
}

static int check_given_metric(const json_t *v)
{
	return check_metric(v, 0, true);
}

static int check_metrics(const json_t *j)
{
	return check_each(j, check_stored_metric);
}

static int check_given_metrics(const json_t *j)
{
	return check_each(j, check_given_metric);
}

static int check_observations(const json_t *j)
{
	struct observations o = { 0 };
	int ret = obs_from_json(&o, j);

	obs_release(&o);
	return ret;
}

/* By hand there may be none. */
static int check_given_observations(const json_t *j)
{
	return json_object_size(j) ? check_observations(j) : 0;
}

/* ---- the smaller objects ---- */

static const struct member version = { .kind = INT, .min = 0, .max = 1000000 };

static int check_version(const json_t *v)
{
	return check_value(v, &version);
}

static int check_versions(const json_t *j)
{
	return check_each(j, check_version);
}

static int check_attacker(const json_t *j)
{
	static const char *const overlap[] = { "overlap", NULL }, *const levels[] = { "black", "grey", "white", NULL };
	static const struct member table[] = {
		{ "access", WORD, 0, 0, 0, levels, NULL }, { "attacker_data", WORD, 0, 0, 0, overlap, NULL },
		{ "search", INT, 0, 0, INT_MAX, NULL, NULL }, { "max_forwards", AMOUNT, 0, 0, 0, NULL, NULL },
		{ "max_labels", AMOUNT, 0, 0, 0, NULL, NULL }, { "max_queries", AMOUNT, 0, 0, 0, NULL, NULL },
		{ "max_submissions", AMOUNT, 0, 0, 0, NULL, NULL }, { 0 }
	};

	return check_members(j, table, 0, false);
}

static int check_ledger(const json_t *j)
{
	static const struct member table[] = {
		{ "forward_equivalents", AMOUNT, MUST, 0, 0, NULL, NULL },
		{ "labels", INT, MUST, 0, LLONG_MAX, NULL, NULL },
		{ "queries", INT, MUST, 0, LLONG_MAX, NULL, NULL },
		{ "submissions", INT, MUST, 0, LLONG_MAX, NULL, NULL }, { 0 }
	};

	return check_members(j, table, MUST, false);
}

static int check_limits(const json_t *j)
{
	static const struct member table[] = {
		{ "test", INT, MUST, 0, INT_MAX, NULL, NULL }, { "train", INT, MUST, 0, INT_MAX, NULL, NULL }, { 0 }
	};

	return check_members(j, table, MUST, false);
}

static int check_shape(const json_t *j)
{
	static const struct member table[] = {
		{ "c", INT, MUST, 1, 65536, NULL, NULL }, { "classes", INT, MUST, 1, 65536, NULL, NULL },
		{ "h", INT, MUST, 1, 65536, NULL, NULL }, { "w", INT, MUST, 1, 65536, NULL, NULL }, { 0 }
	};

	return check_members(j, table, MUST, false);
}

/* ---- cells ---- */

static const char *const tiers[] = { "smoke", "short", "paper", NULL };
static const char *const verdicts[] = { "ok", "noop", "scheme-untrained", "over-budget", "n/a", NULL };
static const char *const levels[] = { "", "black", "grey", "white", NULL };

/* What cells and points have in common. */
#define POINT_MEMBERS \
	{ "attack", NAME, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "attack_options", OBJECT, MUST | POINT, 0, 0, NULL, check_options }, \
	{ "attack_parts", OBJECT, 0, 0, 0, NULL, check_versions }, \
	{ "attack_version", INT, MUST | POINT, 0, 1000000, NULL, NULL }, \
	{ "attacker", OBJECT, 0, 0, 0, NULL, check_attacker }, \
	{ "credentials_per_user", INT, MUST | POINT, 0, 1000000, NULL, NULL }, \
	{ "dataset", LINE, MUST | POINT, 0, 63, NULL, NULL }, \
	{ "dataset_hash", HEX, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "engine", INT, MUST | POINT, 0, 1000000, NULL, NULL }, \
	{ "foreign", LINE, 0, 0, 63, NULL, NULL }, \
	{ "foreign_hash", HEX, 0, 0, 0, NULL, NULL }, \
	{ "kernel", NAME, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "limits", OBJECT, MUST | POINT, 0, 0, NULL, check_limits }, \
	{ "metrics_version", HEX, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "model", NAME, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "model_version", INT, MUST | POINT, 0, 1000000, NULL, NULL }, \
	{ "recipe", OBJECT, MUST | POINT, 0, 0, NULL, check_options }, \
	{ "scheme", NAME, MUST | POINT, 0, 0, NULL, NULL }, \
	{ "scheme_options", OBJECT, MUST | POINT, 0, 0, NULL, check_options }, \
	{ "scheme_version", INT, MUST | POINT, 0, 1000000, NULL, NULL }, \
	{ "seed", INT, MUST | POINT, 0, LLONG_MAX, NULL, NULL }, \
	{ "shape", OBJECT, MUST | POINT, 0, 0, NULL, check_shape }, \
	{ "tier", WORD, MUST | POINT, 0, 0, tiers, NULL }, \
	{ "users", INT, MUST | POINT, 0, 1000000, NULL, NULL }

#define CELL_MEMBERS(metrics_of, observations_of) \
	{ "base_hash", HEX_OR_NONE, MUST, 0, 0, NULL, NULL }, \
	{ "base_key", HEX, MUST, 0, 0, NULL, NULL }, \
	{ "creds_key", HEX, MUST, 0, 0, NULL, NULL }, \
	{ "goal", NAME_OR_NONE, MUST, 0, 0, NULL, NULL }, \
	{ "key", HEX, MUST, 0, 0, NULL, NULL }, \
	{ "ledger", OBJECT, MUST, 0, 0, NULL, check_ledger }, \
	{ "level", WORD, MUST, 0, 0, levels, NULL }, \
	{ "lockbench", LINE, MUST, 0, 63, NULL, NULL }, \
	{ "locked_hash", HEX_OR_NONE, MUST, 0, 0, NULL, NULL }, \
	{ "locked_key", HEX, MUST, 0, 0, NULL, NULL }, \
	{ "metrics", OBJECT, MUST, 0, 0, NULL, metrics_of }, \
	{ "needs", LINE, MUST, 0, LINE_BYTES, NULL, NULL }, \
	{ "notes", OBJECT, MUST, 0, 0, NULL, check_notes }, \
	{ "observations", OBJECT, MUST, 0, 0, NULL, observations_of }, \
	{ "schema", INT, MUST, CELL_SCHEMA, CELL_SCHEMA, NULL, NULL }, \
	{ "sha256", HEX, 0, 0, 0, NULL, NULL }, \
	{ "strength_option", NAME_OR_NONE, MUST, 0, 0, NULL, NULL }, \
	{ "verdict", WORD, MUST, 0, 0, verdicts, NULL }, \
	{ "why", TEXT, MUST, 0, TEXT_BYTES, NULL, NULL }, \
	{ "withheld", HEX, 0, 0, 0, NULL, NULL } /* in bundles, where a secret option was taken out */

static const struct member cell_members[] = { POINT_MEMBERS, CELL_MEMBERS(check_metrics, check_observations), { 0 } };
static const struct member given_members[] = {
	POINT_MEMBERS, CELL_MEMBERS(check_given_metrics, check_given_observations), { 0 }
};

int cell_check(const json_t *cell)
{
	return check_members(cell, cell_members, MUST, false) < 0 ? error_prefix("no cell") : 0;
}

int cell_check_given(const json_t *cell)
{
	if (!json_is_object(json_object_get(cell, "metrics")) || !json_is_string(json_object_get(cell, "scheme")))
		return bad("no cell (a cell has \"scheme\" and \"metrics\")");
	return check_members(cell, given_members, 0, true) < 0 ? error_prefix("no cell") : 0;
}

/* ---- their companions: members of later versions are passed over ---- */

static int check_point(const json_t *j)
{
	return check_members(j, cell_members, POINT, false);
}

int failure_check(const json_t *failure)
{
	static const char *const words[] = { "failed", "timeout", "crashed", NULL };
	static const struct member table[] = {
		{ "attempt", INT, MUST, 0, INT_MAX - 1, NULL, NULL }, { "key", HEX, MUST, 0, 0, NULL, NULL },
		{ "point", OBJECT, MUST, 0, 0, NULL, check_point }, { "verdict", WORD, MUST, 0, 0, words, NULL },
		{ "why", TEXT, MUST, 0, TEXT_BYTES, NULL, NULL }, { 0 }
	};

	return check_members(failure, table, MUST, true) < 0 ? error_prefix("no failure") : 0;
}

static int check_seconds(const json_t *v)
{
	return json_is_null(v) ? 0 : check_number(v);
}

static int check_timings(const json_t *j)
{
	return check_each(j, check_seconds);
}

int timing_check(const json_t *timing)
{
	static const char *const kinds[] = { "base", "locked", "creds", "cell", NULL };
	static const struct member table[] = {
		{ "attack", NAME_OR_NONE, 0, 0, 0, NULL, NULL }, { "cpu_seconds", NUMBER_OR_NULL, 0, 0, 0, NULL, NULL },
		{ "dataset", LINE, 0, 0, 63, NULL, NULL }, { "forecast", NUMBER_OR_NULL, 0, 0, 0, NULL, NULL },
		{ "host", LINE, 0, 0, LINE_BYTES, NULL, NULL }, { "isa", NAME, 0, 0, 0, NULL, NULL },
		{ "key", HEX, MUST, 0, 0, NULL, NULL }, { "kind", WORD, 0, 0, 0, kinds, NULL },
		{ "metrics", OBJECT, 0, 0, 0, NULL, check_timings }, { "model", NAME, 0, 0, 0, NULL, NULL },
		{ "peak_rss_mib", NUMBER_OR_NULL, 0, 0, 0, NULL, NULL },
		{ "scheme", NAME_OR_NONE, 0, 0, 0, NULL, NULL },
		{ "seconds", NUMBER_OR_NULL, 0, 0, 0, NULL, NULL }, { "threads", INT, 0, 0, INT_MAX, NULL, NULL }, { 0 }
	};

	return check_members(timing, table, MUST, true) < 0 ? error_prefix("no timing") : 0;
}

int run_check(const json_t *run)
{
	static const struct member table[] = {
		{ "command", TEXT, 0, 0, NOTE_BYTES_MAX, NULL, NULL }, { "lockbench", LINE, 0, 0, 63, NULL, NULL },
		{ "name", TEXT, 0, 0, LINE_BYTES, NULL, NULL }, { "tier", NAME_OR_NONE, 0, 0, 0, NULL, NULL }, { 0 }
	};

	return check_members(run, table, 0, true) < 0 ? error_prefix("not what a run notes") : 0;
}
