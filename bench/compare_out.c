/* A comparison for a terminal, a pull request, a CI server and programs. See compare.h. Names come from cells that others wrote:
 * every text is escaped for its format. */
#include "bench/compare.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "reports/escape.h"
#include "reports/text.h"

#define WIDTH 78
#define SHOW_MISSING 20

bool compare_lacks(const struct pairs *p)
{
	return json_array_size(p->missing) || json_array_size(p->added) || json_array_size(p->unread);
}

int compare_exit(const struct comparison *c, const struct pairs *p, bool strict, bool partial)
{
	if (c->count[COMPARE_WORSE])
		return EXIT_NO;
	return (!partial && compare_lacks(p)) || (strict && c->count[COMPARE_UNDECIDED]) ? EXIT_UNEVALUABLE : EXIT_YES;
}

/* ---- pieces ---- */

static const char *title(const char *metric)
{
	const struct metric *m = metric_find(metric);

	return m ? m->title : !strcmp(metric, "verdict") ? "Verdict" : metric;
}

static const char *number(const struct difference *d, double v, bool sign, char buf[32])
{
	const struct metric *m = metric_find(d->metric);
	const bool points = m && (!strcmp(m->unit, "%") || !strcmp(m->unit, "points"));

	if (!d->numbers || !isfinite(v))
		snprintf(buf, 32, "-");
	else if (points)
		snprintf(buf, 32, sign ? "%+.2f" : "%.2f", v);
	else
		snprintf(buf, 32, sign ? "%+.4g" : "%.4g", v);
	return buf;
}

static const char *interval(const struct difference *d, char buf[72])
{
	char low[32], high[32];

	if (!d->numbers || !isfinite(d->low))
		snprintf(buf, 72, "-");
	else if (!strcmp(d->method, "exact") || !strcmp(d->method, "identical"))
		snprintf(buf, 72, "%s", d->method);
	else
		snprintf(buf, 72, "%s to %s", number(d, d->low, true, low), number(d, d->high, true, high));
	return buf;
}

static const char *probability(const struct difference *d, char buf[16])
{
	if (!d->tested)
		snprintf(buf, 16, "-");
	else if (d->adjusted < 0.001)
		snprintf(buf, 16, "<.001");
	else
		snprintf(buf, 16, "%.3f", d->adjusted);
	return buf;
}

/* "3 worse, 1 better, 40 same, 2 not decidable" */
static void counts(struct text *t, const struct comparison *c)
{
	static const enum compare_verdict order[] = { COMPARE_WORSE, COMPARE_BETTER, COMPARE_DIFFERS, COMPARE_SAME, COMPARE_UNDECIDED };

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (c->count[order[i]] || order[i] == COMPARE_WORSE || order[i] == COMPARE_SAME)
			text_fmt(t, "%s%d %s", t->n ? ", " : "", c->count[order[i]], compare_words[order[i]]);
}

/* "5 seeds (1, 2, 3, 4, 5)": of all groups, fewest to most. */
static void seeds(struct text *t, const struct pairs *p)
{
	int least = p->ngroups ? p->group[0].n : 0, most = least;

	for (int i = 0; i < p->ngroups; i++) {
		least = p->group[i].n < least ? p->group[i].n : least;
		most = p->group[i].n > most ? p->group[i].n : most;
	}
	if (least == most)
		text_fmt(t, "%d seed%s each", most, most == 1 ? "" : "s");
	else
		text_fmt(t, "%d to %d seeds each", least, most);
}

static bool any_mixed(const struct pairs *p)
{
	for (int i = 0; i < p->ngroups; i++)
		if (p->group[i].mixed)
			return true;
	return false;
}

static const char *outcome(const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	switch (compare_exit(c, p, names->strict, names->partial)) {
	case EXIT_NO: return "REGRESSION";
	case EXIT_YES: return c->count[COMPARE_UNDECIDED] || compare_lacks(p) ? "no regression shown" : "no regression";
	default: return !names->partial && compare_lacks(p) ? "INCOMPLETE" : "NOT DECIDABLE";
	}
}

/* "12 cells that one side lacks, 1 that cannot be read: the comparison is of the rest (--partial)"; nothing where all is there. */
static void lacking(struct text *t, const struct pairs *p, const struct compare_names *names)
{
	const size_t lack = json_array_size(p->missing) + json_array_size(p->added), unread = json_array_size(p->unread);

	if (!compare_lacks(p))
		return;
	text_fmt(t, "%zu cells that one side lacks, %zu that cannot be read: ", lack, unread);
	text_add(t, names->partial ? "the comparison is of the rest (--partial)" : "incomplete; --partial compares the rest");
}

static bool shown(const struct difference *d, const struct compare_names *names)
{
	return names->all || d->verdict != COMPARE_SAME;
}

static bool group_shown(const struct comparison *c, int group, const struct compare_names *names)
{
	for (int i = 0; i < c->n; i++)
		if (c->d[i].group == group && shown(&c->d[i], names))
			return true;
	return false;
}

/* ---- terminal ---- */

/* At most WIDTH columns of s, and a line's end. */
static void print_clipped(const char *before, const char *s)
{
	const int room = WIDTH - (int)strlen(before);
	char *shown = terminal_text(s);

	tell("%s%.*s%s\n", before, room, s, (int)utf8_width(shown) > room ? ".." : "");
	free(shown);
}

static void print_difference(const struct difference *d, const struct compare_names *names)
{
	static const char *const words[] = { "same", "better", "WORSE", "differs", "?" };
	char base[32], change[32], range[72], p[16];

	tell("  %-24.24s %8s %8s  %-17s %5s  %s\n", title(d->metric), number(d, d->baseline, false, base),
	       number(d, d->value, true, change), interval(d, range), probability(d, p), words[d->verdict]);
	if (*d->why && (names->all || d->verdict == COMPARE_WORSE))
		print_clipped("    ", d->why);
}

static void print_texts(const char *heading, const json_t *list)
{
	const json_t *v;
	size_t i;

	if (!json_array_size(list))
		return;
	tell("\n%s: %zu\n", heading, json_array_size(list));
	json_array_foreach(list, i, v) {
		if (i == SHOW_MISSING) {
			tell("  and %zu more (--json lists them)\n", json_array_size(list) - i);
			break;
		}
		print_clipped("  ", json_string_value(v));
	}
}

void compare_print(const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	bool any = false;
	const char *where = "";
	struct text t = { 0 };

	for (int g = 0; g < p->ngroups; g++)
		any |= group_shown(c, g, names);
	if (any)
		tell("  %-24s %8s %8s  %-17s %5s\n", "", "baseline", "change", "95 % interval", "p");
	for (int g = 0; g < p->ngroups; g++) {
		const struct pair_group *pg = &p->group[g];
		char *head;

		if (!group_shown(c, g, names))
			continue;
		if (strcmp(where, pg->where) != 0)
			print_clipped("", where = pg->where);
		head = xasprintf("%s%s%s (%d seed%s)%s", pg->label, *pg->attack ? ", " : "", pg->attack, pg->n, pg->n == 1 ? "" : "s",
				 pg->mixed ? ", MIXED engines, tiers or limits" : "");
		print_clipped(" ", head);
		free(head);
		for (int i = 0; i < c->n; i++)
			if (c->d[i].group == g && shown(&c->d[i], names))
				print_difference(&c->d[i], names);
	}
	print_texts("without a candidate", p->missing);
	print_texts("without a baseline", p->added);
	print_texts("damaged or missing", p->unread);
	counts(&t, c);
	tell("\n%s", text_str(&t));
	text_release(&t);
	seeds(&t, p);
	tell("\n%d pairs of cells, %s: %s\n", p->npairs, text_str(&t), outcome(c, p, names));
	text_release(&t);
	lacking(&t, p, names);
	if (t.n)
		tell("%s\n", text_str(&t));
	text_release(&t);
}

/* ---- JSON ---- */

static json_t *difference_json(const struct difference *d)
{
	json_t *j = json_object();

	jset_str(j, "metric", d->metric);
	jset_str(j, "verdict", compare_words[d->verdict]);
	jset_str(j, "why", d->why);
	jset_str(j, "method", d->method);
	jset_int(j, "n", d->n);
	jset_int(j, "direction", d->better);
	jset_num(j, "baseline", d->numbers ? d->baseline : NAN);
	jset_num(j, "candidate", d->numbers ? d->candidate : NAN);
	jset_num(j, "difference", d->numbers ? d->value : NAN);
	jset_num(j, "low", d->low);
	jset_num(j, "high", d->high);
	jset_num(j, "p", d->tested ? d->p : NAN);
	jset_num(j, "p_adjusted", d->tested ? d->adjusted : NAN);
	jset_num(j, "margin", d->margin);
	jset_num(j, "sd", d->sd);
	return jset_num(j, "detectable", d->detectable);
}

static json_t *options(const json_t *cell, const char *name)
{
	const json_t *j = json_object_get(cell, name);

	return j ? json_deep_copy(j) : json_object();
}

static json_t *group_json(const struct comparison *c, const struct pairs *p, int g)
{
	const struct pair_group *pg = &p->group[g];
	const json_t *cell = pg->candidate[0], *was = pg->baseline[0];
	json_t *j = json_object(), *seed = json_array(), *list = json_array();

	for (int i = 0; i < pg->n; i++)
		json_array_append_new(seed, json_integer(pg->seed[i]));
	for (int i = 0; i < c->n; i++)
		if (c->d[i].group == g)
			json_array_append_new(list, difference_json(&c->d[i]));
	jset_str(j, "where", pg->where);
	jset_str(j, "dataset", jget_str(cell, "dataset", ""));
	jset_str(j, "scheme", jget_str(cell, "scheme", ""));
	jset_str(j, "baseline_scheme", jget_str(was, "scheme", ""));
	jset_str(j, "attack", jget_str(cell, "attack", "none"));
	jset(j, "scheme_options", options(cell, "scheme_options"));
	jset(j, "attack_options", options(cell, "attack_options"));
	jset_bool(j, "mixed", pg->mixed);
	jset(j, "seeds", seed);
	return jset(j, "metrics", list);
}

json_t *compare_json(const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	json_t *j = json_object(), *groups = json_array(), *count = json_object();

	for (int g = 0; g < p->ngroups; g++)
		json_array_append_new(groups, group_json(c, p, g));
	for (size_t i = 0; i < ARRAY_LEN(c->count); i++)
		jset_int(count, compare_words[i], c->count[i]);
	jset_int(j, "schema", 1);
	jset_str(j, "baseline", names->baseline);
	jset_str(j, "candidate", names->candidate);
	jset_str(j, "outcome", outcome(c, p, names));
	jset_int(j, "exit", compare_exit(c, p, names->strict, names->partial));
	jset(j, "counts", count);
	jset_int(j, "pairs", p->npairs);
	jset(j, "missing", json_deep_copy(p->missing));
	jset(j, "added", json_deep_copy(p->added));
	jset(j, "unread", json_deep_copy(p->unread));
	jset_bool(j, "partial", names->partial);
	return jset(j, "comparisons", groups);
}

/* ---- Markdown ---- */

static void markdown_row(struct text *t, const struct pair_group *g, const struct difference *d)
{
	static const char *const words[] = { "same", "better", "**worse**", "differs", "not decidable" };
	char base[32], candidate[32], change[32], range[72], p[16];

	text_add(t, "| ");
	escape_markdown(t, g->label);
	text_add(t, " | ");
	escape_markdown(t, g->attack);
	text_add(t, " | ");
	escape_markdown(t, title(d->metric));
	text_fmt(t, " | %s | %s | %s (%s) | %s | %d | %s", number(d, d->baseline, false, base), number(d, d->candidate, false, candidate),
		 number(d, d->value, true, change), interval(d, range), probability(d, p), d->n, words[d->verdict]);
	if (*d->why) {
		text_add(t, ": ");
		escape_markdown(t, d->why);
	}
	text_add(t, " |\n");
}

static void markdown_rows(struct text *t, const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	static const enum compare_verdict order[] = { COMPARE_WORSE, COMPARE_BETTER, COMPARE_DIFFERS, COMPARE_UNDECIDED, COMPARE_SAME };
	bool head = false;

	for (size_t o = 0; o < ARRAY_LEN(order); o++)
		for (int i = 0; i < c->n; i++) {
			if (c->d[i].verdict != order[o] || !shown(&c->d[i], names))
				continue;
			if (!head)
				text_add(t, "| scheme | attack | metric | baseline | candidate | change (95 % interval) | p, Holm | seeds | verdict |\n"
					    "|---|---|---|---:|---:|---:|---:|---:|---|\n");
			head = true;
			markdown_row(t, &p->group[c->d[i].group], &c->d[i]);
		}
	text_add(t, head ? "\n" : "");
}

static void markdown_list(struct text *t, const char *heading, const json_t *list)
{
	const json_t *v;
	size_t i;

	if (!json_array_size(list))
		return;
	text_fmt(t, "%s:\n\n", heading);
	json_array_foreach(list, i, v) {
		if (i == SHOW_MISSING) {
			text_fmt(t, "- and %zu more\n", json_array_size(list) - i);
			break;
		}
		text_add(t, "- ");
		escape_markdown(t, json_string_value(v));
		text_char(t, '\n');
	}
	text_char(t, '\n');
}

static void markdown(struct text *t, const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	struct text line = { 0 };

	text_fmt(t, "### lockbench compare: %s\n\n", outcome(c, p, names));
	counts(&line, c);
	text_fmt(t, "%s; %d pairs of cells, ", text_str(&line), p->npairs);
	text_release(&line);
	seeds(&line, p);
	text_fmt(t, "%s. Baseline ", text_str(&line));
	text_release(&line);
	escape_markdown(t, names->baseline);
	text_add(t, ", candidate ");
	escape_markdown(t, names->candidate);
	text_fmt(t, ".%s\n\n", any_mixed(p) ? " **Engines, tiers or limits are mixed.**" : "");
	lacking(&line, p, names);
	if (line.n)
		text_fmt(t, "> **%s**\n\n", text_str(&line));
	text_release(&line);
	markdown_rows(t, c, p, names);
	markdown_list(t, "Cells of the baseline that the candidate lacks", p->missing);
	markdown_list(t, "New cells, without a baseline", p->added);
	markdown_list(t, "Cells that are damaged or missing", p->unread);
}

/* ---- JUnit XML ---- */

static void xml_case(struct text *t, const char *class, const char *name, const char *outcome_of, const char *message)
{
	text_add(t, "    <testcase classname=\"");
	escape_xml(t, class);
	text_add(t, "\" name=\"");
	escape_xml(t, name);
	if (!outcome_of) {
		text_add(t, "\"/>\n");
		return;
	}
	text_fmt(t, "\"><%s message=\"", outcome_of);
	escape_xml(t, message);
	text_add(t, "\"/></testcase>\n");
}

static void xml_difference(struct text *t, const char *class, const struct difference *d, bool strict)
{
	char base[32], candidate[32], range[72], p[16], *message;

	message = xasprintf("%s: %s, was %s (change %s; p %s, %d seeds)%s%s", compare_words[d->verdict], number(d, d->candidate, false, candidate),
			    number(d, d->baseline, false, base), interval(d, range), probability(d, p), d->n, *d->why ? ": " : "", d->why);
	if (d->verdict == COMPARE_WORSE)
		xml_case(t, class, d->metric, "failure", message);
	else if (d->verdict == COMPARE_UNDECIDED)
		xml_case(t, class, d->metric, strict ? "error" : "skipped", message);
	else
		xml_case(t, class, d->metric, NULL, NULL);
	free(message);
}

static void xml_counts(struct text *t, size_t tests, size_t failures, size_t open, bool strict)
{
	text_fmt(t, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", tests, failures, strict ? open : 0, strict ? 0 : open);
}

static void xml_group(struct text *t, const struct comparison *c, const struct pair_group *g, int at, bool strict)
{
	char *class = xasprintf("%s%s%s", g->label, *g->attack ? ", " : "", g->attack);
	size_t n[3] = { 0 };

	for (int i = 0; i < c->n; i++)
		if (c->d[i].group == at) {
			n[0]++;
			n[1] += c->d[i].verdict == COMPARE_WORSE;
			n[2] += c->d[i].verdict == COMPARE_UNDECIDED;
		}
	text_add(t, "  <testsuite name=\"");
	escape_xml(t, g->where);
	text_add(t, ": ");
	escape_xml(t, class);
	text_char(t, '"');
	xml_counts(t, n[0], n[1], n[2], strict);
	for (int i = 0; i < c->n; i++)
		if (c->d[i].group == at)
			xml_difference(t, class, &c->d[i], strict);
	text_add(t, "  </testsuite>\n");
	free(class);
}

static void xml_lacking(struct text *t, const char *suite, const json_t *list, const char *message, bool partial)
{
	const size_t n = json_array_size(list);
	const json_t *v;
	size_t i;

	if (!n)
		return;
	text_fmt(t, "  <testsuite name=\"%s\"", suite);
	xml_counts(t, n, 0, n, !partial);
	json_array_foreach(list, i, v)
		xml_case(t, "missing", json_string_value(v), partial ? "skipped" : "error", message);
	text_add(t, "  </testsuite>\n");
}

static void junit(struct text *t, const struct comparison *c, const struct pairs *p, const struct compare_names *names)
{
	const size_t lack = json_array_size(p->missing) + json_array_size(p->added) + json_array_size(p->unread);
	const size_t undecided = (size_t)c->count[COMPARE_UNDECIDED];
	const size_t errors = (names->strict ? undecided : 0) + (names->partial ? 0 : lack);

	text_add(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"lockbench compare\"");
	text_fmt(t, " tests=\"%zu\" failures=\"%d\" errors=\"%zu\" skipped=\"%zu\">\n", (size_t)c->n + lack, c->count[COMPARE_WORSE], errors,
		 undecided + lack - errors);
	for (int g = 0; g < p->ngroups; g++)
		xml_group(t, c, &p->group[g], g, names->strict);
	xml_lacking(t, "cells that the candidate lacks", p->missing, "the candidate does not have this cell", names->partial);
	xml_lacking(t, "cells that the baseline lacks", p->added, "the baseline does not have this cell", names->partial);
	xml_lacking(t, "cells that cannot be read", p->unread, "damaged, or gone", names->partial);
	text_add(t, "</testsuites>\n");
}

/* ---- files ---- */

static bool ends(const char *path, const char *ext)
{
	const size_t n = strlen(path), e = strlen(ext);

	return n > e && !strcmp(path + n - e, ext);
}

int compare_output_name(const char *path)
{
	if (ends(path, ".json") || ends(path, ".md") || ends(path, ".xml"))
		return 0;
	return error(EXIT_UNEVALUABLE, "%s: compare writes .md, .xml (JUnit) and .json", path);
}

int compare_write(const struct comparison *c, const struct pairs *p, const struct compare_names *names, const char *path)
{
	struct text t = { 0 };
	int ret;

	if (compare_output_name(path) < 0)
		return -1;
	if (ends(path, ".json")) {
		json_t *j = compare_json(c, p, names);
		char *text = json_pretty(j);

		text_add(&t, text);
		free(text);
		json_decref(j);
	} else if (ends(path, ".md")) {
		markdown(&t, c, p, names);
	} else {
		junit(&t, c, p, names);
	}
	ret = file_publish(path, text_str(&t), t.n);
	text_release(&t);
	return ret;
}
