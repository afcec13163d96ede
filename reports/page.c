/* The frame of the HTML pages: one file, no script, nothing loaded from anywhere. */
#include "reports/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/version.h"
#include "reports/escape.h"

static const char style[] =
	":root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--muted:#59636e;--line:#d5dbe1;--soft:#f4f6f8;--link:#0a5bb0;"
	"--good:#15653a;--bad:#a4201b;--warn:#7a5200;--warnbg:#fff6dd;"
	"--s1:#fdf1e4;--s2:#fae0c4;--s3:#f6c99c;--s4:#f0b078;--s5:#e99a5c}\n"
	"@media(prefers-color-scheme:dark){:root{--fg:#e4e8ec;--bg:#15181c;--muted:#9aa5b1;--line:#353c44;--soft:#1e2328;"
	"--link:#7db7f5;--good:#6fcf97;--bad:#ff8e86;--warn:#f0c464;--warnbg:#2d2613;"
	"--s1:#241d17;--s2:#33261a;--s3:#48311d;--s4:#5f3d1f;--s5:#774a22}}\n"
	"*{box-sizing:border-box}\n"
	"html{-webkit-text-size-adjust:100%}\n"
	"body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',"
	"sans-serif}\n"
	"main{max-width:1160px;margin:0 auto;padding:2rem 1.25rem 4rem}\n"
	"h1{font-size:1.75rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em;overflow-wrap:anywhere}\n"
	"h2{font-size:1.3rem;margin:3rem 0 .4rem;padding-top:1rem;border-top:2px solid var(--fg);overflow-wrap:anywhere}\n"
	"h3{font-size:1.06rem;margin:2.1rem 0 .3rem;overflow-wrap:anywhere}\n"
	"h4{font-size:.95rem;margin:1.6rem 0 .2rem;overflow-wrap:anywhere}\n"
	"p{margin:.35rem 0 .7rem;max-width:46rem}\n"
	"p.lede{color:var(--muted)}\n"
	"p.caption{color:var(--muted);font-size:.86rem;max-width:56rem}\n"
	"p.warning{max-width:none;background:var(--warnbg);color:var(--warn);border-left:4px solid;padding:.6rem .9rem;margin:1rem 0}\n"
	"a{color:var(--link)}\n"
	"nav{margin:1.1rem 0 0;font-size:.92rem;line-height:1.9}\n"
	"nav a{margin-right:1.1rem;white-space:nowrap}\n"
	"code,pre{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,monospace;font-size:.86em}\n"
	"pre{background:var(--soft);padding:.7rem .9rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	".scroll{overflow-x:auto;margin:.5rem 0 1.1rem;max-width:100%}\n"
	"table{border-collapse:separate;border-spacing:0;font-size:.88rem;font-variant-numeric:tabular-nums;line-height:1.35}\n"
	"th,td{padding:.36rem .8rem .36rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}\n"
	"th{font-weight:600}\n"
	"thead th{border-bottom:1.5px solid var(--fg);vertical-align:bottom;min-width:5.2rem;max-width:15rem}\n"
	"tbody th{font-weight:400;min-width:10rem;max-width:20rem;position:sticky;left:0;background:var(--bg)}\n"
	"tr>:first-child{position:sticky;left:0;background:var(--bg)}\n"
	".num{text-align:right;padding-left:.5rem;padding-right:.5rem}\n"
	"td.num{white-space:nowrap}\n"
	".num+:not(.num){padding-left:.9rem}\n"
	"small{display:block;color:var(--muted);font-size:.8em;overflow-wrap:anywhere}\n"
	".num small{overflow-wrap:normal;white-space:normal;max-width:9.5em;margin-left:auto}\n"
	".tag{display:inline-block;font-size:.72rem;font-weight:600;letter-spacing:.02em;line-height:1.3;padding:0 .35em;"
	"border:1px solid;border-radius:3px;white-space:nowrap}\n"
	".ok{color:var(--good)}.bad{color:var(--bad);border-width:2px}.meh{color:var(--muted);border-style:dashed}\n";
/* A C compiler need not take more than 4095 bytes of string at once. */
static const char style_more[] =
	".s1{background:var(--s1)}.s2{background:var(--s2)}.s3{background:var(--s3)}.s4{background:var(--s4)}.s5{background:var(--s5)}\n"
	"td[class*=' s']{padding-left:.5rem;border-left:1px solid var(--bg)}[class*=' s'] small{color:inherit}\n"
	"dl{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.25rem 1rem;font-size:.9rem;margin:.6rem 0 1rem;max-width:60rem}\n"
	"dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}\n"
	".pictures{display:flex;flex-wrap:wrap;gap:.7rem;margin:.5rem 0 1rem}\n"
	".pictures figure{width:5.6rem}.pictures img{width:5.6rem;height:5.6rem;image-rendering:pixelated;border:1px solid var(--line)}\n"
	".pictures figcaption{font-weight:400;font-size:.76rem;overflow-wrap:anywhere}\n"
	".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.6rem 1.6rem;margin:.6rem 0}\n"
	"figure{margin:0;max-width:40rem}\n"
	"figure svg{display:block;width:100%;height:auto}\n"
	"figcaption{font-size:.88rem;font-weight:600;margin-bottom:.2rem}\n"
	"details{margin:.4rem 0 1.1rem}\n"
	"summary{cursor:pointer;color:var(--link);font-size:.92rem}\n"
	"footer{margin-top:3rem;color:var(--muted);font-size:.86rem}\n"
	"@media(max-width:600px){dl{display:block}dd{margin:0 0 .4rem}main{padding:1.2rem .9rem 3rem}h1{font-size:1.4rem}table{font-size:.82rem}"
	"tbody th{min-width:6.5rem;max-width:9rem}thead th:first-child{max-width:9rem}}\n"
	"@media print{.scroll{overflow:visible}details>*{display:block}}\n";

void page_begin(struct text *t, const char *title)
{
	text_add(t, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	escape_html(t, title);
	text_fmt(t, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<main>\n<h1>", style, style_more);
	escape_html(t, title);
	text_add(t, "</h1>\n");
}

const char *page_date(char *buf)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	char *end;
	long long seconds = epoch ? strtoll(epoch, &end, 10) : -1;
	time_t when = (time_t)seconds;
	struct tm tm;

	if (!epoch || *end || end == epoch || seconds < 0 || !gmtime_r(&when, &tm))
		return NULL;
	return strftime(buf, 32, "%Y-%m-%d", &tm) ? buf : NULL;
}

void page_end(struct text *t)
{
	char buf[32];
	const char *date = page_date(buf);

	text_add(t, "<footer>Written by lockbench " LOCKBENCH_VERSION);
	if (date)
		text_fmt(t, " on %s", date);
	text_add(t, ".</footer>\n</main>\n</body>\n</html>\n");
}

void page_heading(struct text *t, int level, const char *id, const char *title)
{
	text_fmt(t, "<h%d", level);
	if (id)
		text_fmt(t, " id=\"%s\"", id);
	text_char(t, '>');
	escape_html(t, title);
	text_fmt(t, "</h%d>\n", level);
}

void page_paragraph(struct text *t, const char *class, const char *s)
{
	if (class)
		text_fmt(t, "<p class=\"%s\">", class);
	else
		text_add(t, "<p>");
	escape_html(t, s);
	text_add(t, "</p>\n");
}

/* Verdicts come alone ("OK") or counted ("NOOP 3, OK 27"): the worst one decides. */
static const char *tag_class(const char *tag)
{
	static const char *const bad[] = { "FULL", "PRACTICAL", "FAILED", "CRASHED", "TIMEOUT", "BROKEN", "UNTRAINED", "UNDERPOWERED", "OTHER", "differs" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (strstr(tag, bad[i]))
			return "bad";
	return !strcmp(tag, "OK") || !strcmp(tag, "HOLDS") || !strcmp(tag, "meets") ? "ok" : "meh";
}

static void add_cell(struct text *t, const struct tcell *c, bool heading, bool top)
{
	const char *name = heading ? "th" : "td";

	text_fmt(t, "<%s", name);
	if (heading)
		text_fmt(t, " scope=\"%s\"", top ? "col" : "row");
	if (c->number || c->shade)
		text_fmt(t, " class=\"%s%s\"", c->number ? "num" : "", c->shade ? (const char *[]){ "", " s1", " s2", " s3", " s4", " s5" }[c->shade] : "");
	if (c->note) {
		text_add(t, " title=\"");
		escape_html(t, c->note);
		text_char(t, '"');
	}
	text_char(t, '>');
	if (c->symbol) {
		text_add(t, "<span aria-hidden=\"true\">");
		escape_html(t, c->symbol);
		text_add(t, "</span> ");
	}
	if (c->best)
		text_add(t, "<strong>");
	if (c->text)
		escape_html(t, c->text);
	if (c->best)
		text_add(t, "</strong>");
	if (c->tag) {
		text_fmt(t, "%s<span class=\"tag %s\">", c->text ? " " : "", tag_class(c->tag));
		escape_html(t, c->tag);
		text_add(t, "</span>");
	}
	if (c->range && *c->range) {
		text_add(t, "<small>");
		escape_html(t, c->range);
		text_add(t, "</small>");
	}
	text_fmt(t, "</%s>", name);
}

void page_table(struct text *t, const struct table *table)
{
	if (table->rows < 2)
		return;
	if (table->caption)
		page_paragraph(t, "caption", table->caption);
	text_add(t, "<div class=\"scroll\" tabindex=\"0\"><table>\n");
	for (int r = 0; r < table->rows; r++) {
		text_add(t, r == 0 ? "<thead>\n<tr>" : r == 1 ? "<tbody>\n<tr>" : "<tr>");
		for (int c = 0; c < table->cols; c++)
			add_cell(t, table_at(table, r, c), r == 0 || c == 0, r == 0);
		text_add(t, r == 0 ? "</tr>\n</thead>\n" : "</tr>\n");
	}
	text_add(t, "</tbody>\n</table></div>\n");
}

void page_details(struct text *t, const char *summary, const struct table *table)
{
	if (table->rows < 2)
		return;
	text_add(t, "<details><summary>");
	escape_html(t, summary);
	text_add(t, "</summary>\n");
	page_table(t, table);
	text_add(t, "</details>\n");
}

void page_plot(struct text *t, struct plots *p, char *svg, const char *caption)
{
	if (!svg && error_code() != EXIT_UNEVALUABLE) /* nothing to draw, or the machine's trouble */
		return;
	if (!svg) {
		if (!p->failed++)
			warning("no plot of '%s': %s", caption, error_text());
		error_clear();
		return;
	}
	p->drawn++;
	text_add(t, "<figure><figcaption>");
	escape_html(t, caption);
	text_add(t, "</figcaption>");
	text_add(t, svg);
	text_add(t, "</figure>\n");
	free(svg);
}

void page_plots_missing(struct text *t, const struct plots *p)
{
	char *text;

	if (!p->failed)
		return;
	text = xasprintf("%d plot%s could not be drawn; the numbers are in the tables.", p->failed,
			 p->failed == 1 ? "" : "s");
	page_paragraph(t, "warning", text);
	if (p->failed > 1)
		warning("%d of %d plots could not be drawn", p->failed, p->failed + p->drawn);
	free(text);
}
