/* Progress on stderr. See progress.h. */
#include "base/progress.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/terminal.h"
#include "base/utf8.h"

#define BAR_EVERY 0.2   /* seconds between redraws on a terminal */
#define LINE_EVERY 10.0 /* seconds between lines elsewhere */
#define BAR_WIDTH 24
#define LABEL_MIN 12 /* columns; where there would be fewer the bar is left out */

int progress_quiet;

double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

const char *duration_text(double seconds, char *buf)
{
	long long s;

	if (!(seconds >= 0 && seconds < 1e12)) {
		strcpy(buf, "?");
		return buf;
	}
	s = (long long)(seconds + 0.5);
	if (s < 60)
		snprintf(buf, 32, "%lld s", s);
	else if (s < 3600)
		snprintf(buf, 32, "%lld min %02lld s", s / 60, s % 60);
	else
		snprintf(buf, 32, "%lld h %02lld min", s / 3600, s / 60 % 60);
	return buf;
}

static bool on_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
}

static int terminal_width(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : 80;
}

/* The terminal form of s, cut to at most width columns (one a character) and size - 1 bytes. */
static void fit(char *out, size_t size, const char *s, int width)
{
	char one[TERMINAL_CHAR_MAX];
	int columns = 0;
	size_t n = 0;

	for (size_t len, k; *s; s += len) {
		k = terminal_char(s, one, &len);
		columns += (int)utf8_width(one);
		if (columns > width || n + k >= size)
			break;
		memcpy(out + n, one, k);
		n += k;
	}
	out[n] = '\0';
}

/* 0 .. 1, or -1 when the total is not known. */
static double fraction_done(const struct progress *p, double done)
{
	if (!(p->total > 0))
		return -1;
	return done >= p->total ? 1 : done > 0 ? done / p->total : 0;
}

/* "42%, 3 s left" or, without a total, "420". The first percent says too little about the rest to name a time. */
static void state_text(const struct progress *p, double done, char *buf, size_t size)
{
	double f = fraction_done(p, done);
	char left[32];

	if (f < 0)
		snprintf(buf, size, "%.0f", done);
	else if (f >= 0.01)
		snprintf(buf, size, "%3d%%, %s left", (int)(100 * f),
			 duration_text((now_seconds() - p->start) * (1 - f) / f, left));
	else
		snprintf(buf, size, "  0%%");
}

/* "label [####....]  42%, 3 s left  note". What a narrow terminal loses first is the note, then the bar, then
 * the end of the label; the percentage stays. */
static void draw_bar(struct progress *p, double done, const char *note)
{
	int width = terminal_width() - 1; /* a character in the last column would wrap on some terminals */
	double f = fraction_done(p, done);
	char line[512], shown[512], state[64], bar[BAR_WIDTH + 4] = "", label[4 * sizeof(p->label)];
	int room;

	state_text(p, done, state, sizeof(state));
	room = width - (int)strlen(state) - 1;
	if (f >= 0 && room >= LABEL_MIN + BAR_WIDTH + 3) {
		memset(bar, '.', BAR_WIDTH + 3);
		memset(bar + 2, '#', (size_t)(f * BAR_WIDTH));
		bar[0] = ' ';
		bar[1] = '[';
		bar[BAR_WIDTH + 2] = ']';
		room -= BAR_WIDTH + 3;
	}
	fit(label, sizeof(label), p->label, room > 0 ? room : 0);
	snprintf(line, sizeof(line), "%s%s %s%s%s", label, bar, state, note ? "  " : "", note ? note : "");
	fit(shown, sizeof(shown), line, width);
	fprintf(stderr, "\r%s\033[K", shown);
	p->shown = 1;
}

static void print_line(const struct progress *p, const char *state, const char *note)
{
	char line[512], shown[512];

	snprintf(line, sizeof(line), "%s: %s%s%s", p->label, state, note ? ", " : "", note ? note : "");
	fit(shown, sizeof(shown), line, (int)sizeof(shown));
	fprintf(stderr, "%s\n", shown);
}

void progress_start(struct progress *p, const char *label, double total)
{
	*p = (struct progress){ .total = total, .start = now_seconds() };
	snprintf(p->label, sizeof(p->label), "%s", label);
	p->last = p->start;
}

void progress_step(struct progress *p, double done, const char *note)
{
	double now = now_seconds();
	char state[64], *s = state;

	if (progress_quiet || now - p->last < BAR_EVERY)
		return;
	if (on_terminal()) {
		p->last = now;
		draw_bar(p, done, note);
	} else if (now - p->last >= LINE_EVERY) {
		p->last = now;
		state_text(p, done, state, sizeof(state));
		print_line(p, s + strspn(s, " "), note);
	}
}

void progress_end(struct progress *p, const char *note)
{
	char state[64], took[32];

	if (progress_quiet)
		return;
	if (p->shown)
		fputs("\r\033[K", stderr);
	snprintf(state, sizeof(state), "done in %s", duration_text(now_seconds() - p->start, took));
	print_line(p, state, note);
	p->shown = 0;
}
