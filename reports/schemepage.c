/* The HTML report's section about one scheme. See schemepage.h. */
#include "reports/schemepage.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "reports/escape.h"
#include "reports/figures.h"
#include "reports/page.h"
#include "reports/summary.h"

#define PICTURES 10 /* of one scheme or attack */

static void add_pair(struct text *t, const char *term, const char *text)
{
	if (!text || !*text)
		return;
	text_add(t, "<dt>");
	escape_html(t, term);
	text_add(t, "</dt><dd>");
	escape_html(t, text);
	text_add(t, "</dd>\n");
}

/* "..., sec. 3. Differs: ..." in two. In mem. */
static void split_source(struct arena *mem, const char *source, const char **paper, const char **differs)
{
	const char *at = strstr(source, "Differs:");

	*paper = at ? arena_printf(mem, "%.*s", (int)(at - source), source) : source;
	*differs = at ? at + strlen("Differs:") : NULL;
}

void scheme_about(struct text *t, struct rows *r, const struct report_input *in, const char *kind, const char *name)
{
	const json_t *d = json_object_get(json_object_get(in->drivers, kind), name);
	json_t *value;
	const char *paper, *differs, *title;

	if (!d)
		return;
	split_source(&r->mem, jget_str(d, "source", ""), &paper, &differs);
	text_add(t, "<dl>\n");
	add_pair(t, "What it is", jget_str(d, "summary", ""));
	add_pair(t, "Source", paper);
	add_pair(t, "Known deviations", differs);
	json_object_foreach(json_object_get(d, "declared"), title, value)
		add_pair(t, title, json_string_value(value));
	text_add(t, "</dl>\n");
}

/* Base64 and nothing else. */
static bool is_base64(const char *s)
{
	return *s && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '\0';
}

static int add_pictures(struct text *t, const json_t *list, const char *seed)
{
	const json_t *p;
	size_t i;
	int n = 0;

	json_array_foreach(list, i, p) {
		const char *png = jget_str(p, "png", ""), *what = jget_str(p, "what", "");

		if (!is_base64(png) || n == PICTURES)
			continue;
		text_add(t, n++ ? "" : "<div class=\"pictures\">\n");
		text_fmt(t, "<figure><img alt=\"");
		escape_html(t, what);
		text_fmt(t, "\" width=\"%lld\" height=\"%lld\" src=\"data:image/png;base64,%s\"><figcaption>", jget_int(p, "w", 28),
			 jget_int(p, "h", 28), png);
		escape_html(t, what);
		text_add(t, "</figcaption></figure>\n");
	}
	if (n)
		text_add(t, "</div>\n");
	if (n && seed)
		page_paragraph(t, "caption", seed);
	return n;
}

int group_pictures(struct text *t, struct rows *r, const struct report_input *in, const struct group *g, const char *key_member,
		   const char *title)
{
	for (int i = 0; g && i < g->ncells; i++) {
		const json_t *list = json_object_get(in->pictures, jget_str(g->cell[i], key_member, ""));

		if (!json_array_size(list))
			continue;
		page_heading(t, 4, NULL, title);
		return add_pictures(t, list, arena_printf(&r->mem, "From seed %lld, as they are in the store (artefact of %.12s).",
							  jget_int(g->cell[i], "seed", 0), jget_str(g->cell[i], key_member, "")));
	}
	return 0;
}

/* The user who fares worst, and all of them behind it. */
static void add_users(struct text *t, struct rows *r, const struct group *g)
{
	const char *worst;
	struct table table = table_users(r, g, &worst);

	if (!table.rows)
		return;
	page_paragraph(t, NULL, worst);
	page_details(t, "Authentication of every user", &table);
}

void scheme_page(struct text *t, struct rows *r, const struct report_input *in, int context, int scheme, on_figure *figure, void *ctx)
{
	const struct scheme_row *s = &r->context[context].scheme[scheme];
	const struct group *g = rows_group(r, context, scheme, -1, 0);
	struct table attacks = table_scheme_attacks(r, context, scheme), all = table_scheme(r, context, scheme);
	struct text curves = { 0 };

	page_heading(t, 3, arena_printf(&r->mem, "c%d-s%d", context + 1, scheme + 1), s->label);
	scheme_about(t, r, in, "schemes", s->name);
	page_details(t, "Every number of the protected model", &all);
	if (g) {
		add_users(t, r, g);
		group_pictures(t, r, in, g, "creds_key", "Issued credentials");
	}
	if (attacks.rows > 1) {
		page_heading(t, 4, NULL, attacks.title);
		page_table(t, &attacks);
	}
	for (int first = 0; figure; first += FIGURE_LINES)
		if (!figure(ctx, &curves, context, scheme, first, s->label))
			break;
	if (curves.n)
		text_fmt(t, "<div class=\"plots\">\n%s</div>\n", curves.s);
	text_release(&curves);
}
