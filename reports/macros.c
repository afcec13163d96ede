/* A LaTeX command for every number, so that a paper's text names a number and never repeats it: the names are made of letters
 * from the labels (digits are spelled), a second use of a name gets a letter behind it. No text from outside survives in a name;
 * the value is a number. What lacks seeds has no command: using it is an error of LaTeX, not a wrong number. */
#include "reports/formats.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/escape.h"
#include "reports/evidence.h"

/* "wrn10-4" -> "WrnOneZeroFour". In mem. */
static const char *letters(struct arena *mem, const char *s)
{
	static const char *const digit[] = { "Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine" };
	char *name = arena_printf(mem, "%*s", (int)(5 * strlen(s) + 1), ""), *p = name;
	bool start = true;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= '0' && c <= '9') {
			p = stpcpy(p, digit[c - '0']);
			start = true;
		} else if (isascii(c) && isalpha(c)) {
			*p++ = (char)(start ? toupper(c) : tolower(c));
			start = false;
		} else {
			start = true;
		}
	}
	*p = '\0';
	return name;
}

/* Names are used once: a twin gets B, C, ... in the order of the rows. */
static const char *unique(struct arena *mem, json_t *used, const char *name)
{
	long long n = jget_int(used, name, 0) + 1;
	const char *suffix = "";

	jset_int(used, name, n);
	for (long long k = n - 1; k > 0; k = (k - 1) / 26)
		suffix = arena_printf(mem, "%c%s", (char)('A' + k % 26), suffix);
	return arena_printf(mem, "%s%s", name, suffix);
}

static void add_macro(struct rows *r, struct text *t, json_t *used, const struct group *g, const char *metric)
{
	const struct context *c = &r->context[g->context];
	const struct series *a = g->series < 0 ? NULL : &c->series[g->series];
	const char *value, *name, *missing = evidence_missing(&r->mem, g, metric);
	struct summary s;

	if (!group_summary(g, metric, &s) || s.n < s.of)
		return;
	value = !missing ? value_text(&r->mem, metric, s.mean) : "insufficient";
	if (missing && s.trials)
		value = arena_printf(&r->mem, "insufficient (%ld/%ld)", s.k, s.trials);
	name = arena_printf(&r->mem, "lb%s%s%s%s%s", letters(&r->mem, c->label), letters(&r->mem, c->scheme[g->scheme].label),
			    a ? letters(&r->mem, a->label) : "", a && g->has_strength ? letters(&r->mem, strength_text(r, g)) : "",
			    letters(&r->mem, metric));
	text_fmt(t, "\\newcommand{\\%s}{", unique(&r->mem, used, name));
	escape_latex(t, value);
	text_fmt(t, "}%% %d seed%s%s, cell ", s.n, s.n == 1 ? "" : "s", missing ? ", INSUFFICIENT" : "");
	for (const char *k = jget_str(g->cell[0], "key", ""); isascii((unsigned char)*k) && isalnum((unsigned char)*k); k++)
		text_char(t, *k);
	text_char(t, '\n');
}

void latex_macros(struct rows *r, const struct report_input *in, struct text *t)
{
	json_t *used = json_object();

	text_add(t, "% One command a number: mean over seeds; behind it seeds and the first cell.\n");
	text_fmt(t, "\\newcommand{\\lbLeftOut}{%zu}%% files that are damaged or missing, and in no number\n", json_array_size(in->left_out));
	for (int i = 0; i < r->ngroups; i++) {
		const struct group *g = &r->group[i];
		const char **metric = rows_metrics(r, g->context, g->series);

		for (int m = 0; metric[m]; m++)
			add_macro(r, t, used, g, metric[m]);
	}
	json_decref(used);
}
