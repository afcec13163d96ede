/* Plots by gnuplot, an external process that gets a private directory (in $TMPDIR) and nothing else.
 *
 * The script is made of constants, numbers and single-quoted titles (escape_gnuplot; the terminal is noenhanced), the
 * data lie in files with generated names. gnuplot runs with -d (no start-up files), an empty environment, no network where the
 * kernel allows it, 60 s of processor and 90 s of wall time, 16 MiB of output. What it wrote is taken apart and put together
 * again from a list of known elements and attributes, so nothing else can reach the page.
 * Lines are told apart by dashes and markers, not by colour alone; the colours are near Okabe and Ito's, light enough for dark pages. */
#include "reports/plot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fdio.h"
#include "reports/escape.h"

#define CPU_SECONDS 60
#define WALL_SECONDS 90
#define OUTPUT_MAX ((size_t)16 << 20)
#define WIDTH 520
#define HEIGHT 300     /* of the plot itself */
#define KEY_HEIGHT 17  /* of a line of the key below it */

/* ---- finding gnuplot ---- */

/* Its path, caller frees; NULL when there is none. */
static char *find_gnuplot(void)
{
	const char *set = getenv("LOCKBENCH_GNUPLOT"), *path = getenv("PATH"), *end;

	if (set) /* it will run in another folder */
		return access(set, X_OK) == 0 ? realpath(set, NULL) : NULL;
	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path; path = *end ? end + 1 : end) {
		char *file;

		end = strchrnul(path, ':');
		if (*path != '/')
			continue;
		file = xasprintf("%.*s/gnuplot", (int)(end - path), path);
		if (access(file, X_OK) == 0)
			return file;
		free(file);
	}
	return NULL;
}

bool plot_available(void)
{
	char *file = find_gnuplot();

	free(file);
	return file != NULL;
}

/* ---- script and data ---- */

static const struct { const char *colour; int dash, point; } styles[] = {
	{ "#1f83c4", 1, 7 }, { "#d55e00", 2, 5 }, { "#009e73", 3, 9 }, { "#b5629b", 4, 13 }, { "#8a8a8a", 5, 4 },
	{ "#c98a00", 6, 8 }, { "#3a9bd1", 2, 6 }, { "#a0522d", 3, 12 },
};

static const char preamble[] =
	"set encoding utf8\n"
	"set border 3 lw 0.8\n"
	"set tics nomirror out scale 0.6\n"
	"set grid ytics lw 0.5 lc rgb '#999999' dt 3\n"
	"set key below left Left reverse maxcols 1 samplen 4\n"
	"set dashtype 2 (12,4)\n"
	"set dashtype 3 (3,3)\n"
	"set dashtype 4 (12,3,3,3)\n"
	"set dashtype 5 (6,3)\n"
	"set dashtype 6 (18,4,3,4,3,4)\n"
	"set autoscale xfix\n"
	"set offsets graph 0.02, graph 0.02, 0, 0\n";

#define DET_TICS "('.01' -3.719, '.1' -3.0902, '1' -2.3263, '5' -1.6449, '10' -1.2816, '20' -0.8416, '40' -0.2533)"
#define DET_AXES "set xrange [-3.72:0]\nset yrange [-3.72:0]\nset xtics " DET_TICS "\nset ytics " DET_TICS "\nset grid xtics lw 0.5 lc rgb '#999999' dt 3\n"

static void add_script(struct text *t, const struct plot *p)
{
	text_fmt(t, "set terminal svg noenhanced size %d,%d dynamic font 'sans-serif,13' linewidth 1.6\n", WIDTH,
		 HEIGHT + KEY_HEIGHT * p->nlines);
	text_add(t, "set output 'plot.svg'\n");
	text_add(t, preamble);
	text_add(t, "set xlabel ");
	escape_gnuplot(t, p->xlabel);
	text_add(t, " offset 0,0.7\nset ylabel ");
	escape_gnuplot(t, p->ylabel);
	text_char(t, '\n');
	if (p->fixed_y)
		text_fmt(t, "set yrange [%.9g:%.9g]\n", p->ylow, p->yhigh);
	if (p->yes_no)
		text_add(t, "set ytics ('no' 0, 'yes' 1)\n");
	if (p->det)
		text_add(t, DET_AXES);
	if (p->log_x)
		text_add(t, "set logscale x\n");
	if (p->log_y)
		text_add(t, "set logscale y\nset format y '%g'\n");
	text_add(t, "plot ");
	for (int i = 0; i < p->nlines; i++) {
		size_t s = (size_t)p->line[i].style % ARRAY_LEN(styles);
		bool bars = p->line[i].low && p->kind == PLOT_CURVES;

		text_fmt(t, "%s'plot_%04d.dat' using 1:2%s with %s lc rgb '%s' dt %d", i ? ", \\\n  " : "", i + 1, bars ? ":3:4" : "",
			 bars ? "yerrorlines" : p->kind == PLOT_STEPS ? "steps" : "linespoints", styles[s].colour, styles[s].dash);
		if (p->kind == PLOT_CURVES)
			text_fmt(t, " pt %d ps 0.55", styles[s].point);
		text_add(t, " title ");
		escape_gnuplot(t, p->line[i].title);
	}
	text_add(t, "\n");
}

static void add_data(struct text *t, const struct plot_line *l)
{
	for (int i = 0; i < l->n; i++) {
		if (!isfinite(l->x[i]) || !isfinite(l->y[i]))
			continue;
		text_fmt(t, "%.9g %.9g", l->x[i], l->y[i]);
		if (l->low)
			text_fmt(t, " %.9g %.9g", isfinite(l->low[i]) ? l->low[i] : l->y[i], isfinite(l->high[i]) ? l->high[i] : l->y[i]);
		text_char(t, '\n');
	}
}

/* Everything that needs memory is made before there is a folder: who dies for want of it leaves nothing behind. */
struct inputs {
	struct text script, *data; /* data (n), a file for each line */
	int n;
};

static void make_inputs(struct inputs *in, const struct plot *p)
{
	*in = (struct inputs){ .data = xcalloc((size_t)p->nlines + 1, sizeof(*in->data)), .n = p->nlines };
	add_script(&in->script, p);
	for (int i = 0; i < p->nlines; i++)
		add_data(&in->data[i], &p->line[i]);
}

static void inputs_release(struct inputs *in)
{
	text_release(&in->script);
	for (int i = 0; i < in->n; i++)
		text_release(&in->data[i]);
	free(in->data);
}

struct scratch { char path[PATH_MAX]; int fd; };

static const char *data_name(int i, char name[32])
{
	snprintf(name, 32, "plot_%04d.dat", i + 1);
	return name;
}

static int scratch_make(struct scratch *s)
{
	const char *set = getenv("TMPDIR"), *in = set && *set ? set : "/tmp";

	if ((size_t)snprintf(s->path, sizeof(s->path), "%s/lockbench-plot-XXXXXX", in) >= sizeof(s->path))
		return error(EXIT_IO, "cannot make a folder for gnuplot in $TMPDIR: its name is too long");
	if (!mkdtemp(s->path))
		return error(EXIT_IO, "cannot make a folder for gnuplot in %s: %s%s", in, strerror(errno),
			     in == set ? " ($TMPDIR)" : "; $TMPDIR may name another");
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->fd >= 0)
		return 0;
	error(EXIT_IO, "cannot look into %s: %s", s->path, strerror(errno));
	rmdir(s->path);
	return -1;
}

static void scratch_remove(struct scratch *s, int ndata)
{
	static const char *const names[] = { "plot.gp", "plot.svg", "log" };
	char name[32];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlinkat(s->fd, names[i], 0);
	for (int i = 0; i < ndata; i++)
		unlinkat(s->fd, data_name(i, name), 0);
	close(s->fd);
	rmdir(s->path);
}

static int write_file(const struct scratch *s, const char *name, const struct text *t)
{
	int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int cause = fd < 0 || fd_write_all(fd, t->s, t->n) < 0 ? errno : 0;

	if (fd >= 0 && close(fd) < 0 && !cause && errno != EINTR)
		cause = errno;
	return cause ? error(EXIT_IO, "cannot write %s/%s: %s", s->path, name, strerror(cause)) : 0;
}

static int write_inputs(const struct scratch *s, const struct inputs *in)
{
	char name[32];
	int ret = write_file(s, "plot.gp", &in->script);

	for (int i = 0; i < in->n && ret == 0; i++)
		ret = write_file(s, data_name(i, name), &in->data[i]);
	return ret;
}

/* ---- the process ---- */

static void limit(int what, rlim_t value)
{
	struct rlimit r = { value, value };

	setrlimit(what, &r);
}

static bool write_text(const char *path, const char *s)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, s, strlen(s)) == (ssize_t)strlen(s);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* What the child needs, made before the fork. */
struct child {
	const char *file, *dir;
	char uid_map[64], gid_map[64]; /* ourselves, and nobody else */
	bool isolate;
};

#define NOT_ISOLATED 125
#define NOT_SET_UP 126

/* A network of its own, without interfaces, where the kernel lets us. gnuplot wants to be a user that exists. */
static bool isolate(const struct child *c)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return true;
	return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", c->uid_map) &&
	       write_text("/proc/self/gid_map", c->gid_map);
}

/* In the child: only calls that are safe after fork. */
_Noreturn static void become_gnuplot(const struct child *c)
{
	static char *const env[] = { (char *)"HOME=/nonexistent", (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C.UTF-8", NULL };
	char *const argv[] = { (char *)"gnuplot", (char *)"-d", (char *)"plot.gp", NULL };
	int in, out;

	for (int fd = 3; fd < 256; fd++) /* before others are opened: there may be a limit */
		close(fd);
	if (chdir(c->dir) < 0 || (in = open("/dev/null", O_RDONLY)) < 0 ||
	    (out = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0)
		_exit(NOT_SET_UP);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	close(in);
	close(out);
	if (c->isolate && !isolate(c))
		_exit(NOT_ISOLATED);
	signal(SIGXFSZ, SIG_DFL); /* ignored ones stay so through execve() */
	signal(SIGPIPE, SIG_DFL);
	limit(RLIMIT_CPU, CPU_SECONDS);
	limit(RLIMIT_FSIZE, OUTPUT_MAX);
	limit(RLIMIT_CORE, 0);
	execve(c->file, argv, env);
	_exit(127);
}

/* How gnuplot's complaint begins. */
static void log_line(const struct scratch *s, char text[301])
{
	int fd = openat(s->fd, "log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : read(fd, text, 300);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* Wait, but not for ever: the status, or -1 when it had to be killed. */
static int wait_for(pid_t pid)
{
	const struct timespec nap = { 0, 5000000 };
	struct timespec start, now;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0 && errno != EINTR)
			return -1;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > WALL_SECONDS)
			break;
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* The child's status, -1 when it had to be killed; -2 after error(). */
static int spawn(const struct child *c)
{
	pid_t pid = fork();

	if (pid < 0) {
		error(EXIT_MEMORY, "cannot start gnuplot: %s%s", strerror(errno),
		      errno == EAGAIN ? " (ulimit -u)" : "");
		return -2;
	}
	if (pid == 0)
		become_gnuplot(c);
	return wait_for(pid);
}

static int run_gnuplot(const char *file, const struct scratch *s)
{
	struct child c = { .file = file, .dir = s->path, .isolate = true };
	char said[301];
	int status;

	snprintf(c.uid_map, sizeof(c.uid_map), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(c.gid_map, sizeof(c.gid_map), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	status = spawn(&c);
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == NOT_ISOLATED) {
		c.isolate = false;
		status = spawn(&c);
	}
	if (status == -2)
		return -1;
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == NOT_SET_UP)
		return error(EXIT_IO, "cannot start gnuplot in %s: a file cannot be opened there", s->path);
	if (status < 0 || (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)))
		return error(EXIT_UNEVALUABLE, "gnuplot ran out of time (%d s) and was stopped", CPU_SECONDS);
	log_line(s, said);
	return error(EXIT_UNEVALUABLE, "gnuplot failed (%s %d): %s", WIFEXITED(status) ? "exit status" : "signal",
		     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), said);
}

/* ---- cleaning: parse, keep what is on the list ---- */

static const char *const elements[] = { "svg", "g", "path", "text", "tspan", "defs", "use", "circle", "rect", "polygon", "polyline",
					"line", "clipPath", "pattern", "linearGradient", "stop" };
/* Browsers show a title as a tooltip, and gnuplot's say only its name and version. */
static const char *const dropped[] = { "title", "desc", "filter" };
static const char *const attributes[] = { "viewBox", "width", "height", "fill", "stroke", "stroke-width", "stroke-linecap",
					  "stroke-linejoin", "stroke-dasharray", "stroke-opacity", "fill-opacity", "d", "x", "y", "x1",
					  "x2", "y1", "y2", "r", "cx", "cy", "transform", "font-family", "font-size", "text-anchor",
					  "points", "id", "xml:space", "opacity", "color", "font-weight", "font-style", "clip-path",
					  "patternUnits", "offset", "stop-color" };

static bool one_of(const char *const *list, size_t n, const char *s, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i]) == len && !memcmp(list[i], s, len))
			return true;
	return false;
}

static bool holds(const char *s, size_t len, const char *what)
{
	return memmem(s, len, what, strlen(what)) != NULL;
}

/* url(#x) only, nothing that fetches or runs. */
static bool harmless(const char *v, size_t len)
{
	static const char *const bad[] = { "javascript", "data:", "http", "//", "expression", "@import", "&", "<", "\\", "url(h", "url('",
					   "url(\"", "url(/" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (holds(v, len, bad[i]))
			return false;
	return true;
}

/* The value with black as currentColor and ids with the page's prefix. */
static void add_value(struct text *t, const char *name, size_t nlen, const char *v, size_t len, const char *id)
{
	static const char black[] = "rgb(  0,   0,   0)";
	char *copy = xasprintf("%.*s", (int)len, v), *hash;

	if (nlen == 2 && !memcmp(name, "id", 2))
		text_fmt(t, "%s-%s", id, copy);
	else if (!strcmp(copy, black) || !strcmp(copy, "black") || !strcmp(copy, "rgb(0,0,0)"))
		text_add(t, "currentColor");
	else if ((hash = strstr(copy, "url(#")))
		text_fmt(t, "%.*surl(#%s-%s", (int)(hash - copy), copy, id, hash + 5);
	else
		text_add(t, copy);
	free(copy);
}

struct cleaner {
	const char *p, *id, *label;
	struct text out;
	int depth;
};

static int unclean(const char *what, const char *at)
{
	return error(EXIT_UNEVALUABLE, "gnuplot's SVG holds %s near '%.20s'", what, at);
}

/* One attribute at c->p; 0, or -1 after error(). */
static int clean_attribute(struct cleaner *c, bool root)
{
	const char *name = c->p, *v, *end;
	size_t nlen;
	bool link;

	while (isalnum((unsigned char)*c->p) || (*c->p && strchr("-:_", *c->p)))
		c->p++;
	nlen = (size_t)(c->p - name);
	if (!nlen || *c->p != '=' || (c->p[1] != '"' && c->p[1] != '\''))
		return unclean("a malformed attribute", name);
	v = c->p + 2;
	end = strchr(v, c->p[1]);
	if (!end)
		return unclean("an open attribute", name);
	c->p = end + 1;
	if (!strncmp(name, "xmlns", 5) || (root && one_of((const char *const[]){ "width", "height" }, 2, name, nlen)))
		return 0; /* inline SVG needs no name spaces; the page decides the size */
	link = (nlen == 10 && !memcmp(name, "xlink:href", 10)) || (nlen == 4 && !memcmp(name, "href", 4));
	if (link) {
		if (*v != '#' || !harmless(v, (size_t)(end - v)))
			return unclean("an outside reference", name);
		text_fmt(&c->out, " href=\"#%s-%.*s\"", c->id, (int)(end - v - 1), v + 1);
		return 0;
	}
	if (nlen == 5 && !memcmp(name, "class", 5))
		return 0;
	if (!one_of(attributes, ARRAY_LEN(attributes), name, nlen) || !harmless(v, (size_t)(end - v)) || memchr(v, '"', (size_t)(end - v)))
		return unclean("an unknown attribute", name);
	text_fmt(&c->out, " %.*s=\"", (int)nlen, name);
	add_value(&c->out, name, nlen, v, (size_t)(end - v), c->id);
	text_char(&c->out, '"');
	return 0;
}

static int clean_tag(struct cleaner *c)
{
	const char *name = c->p + 1;
	bool closing = *name == '/', root;
	size_t nlen = 0;

	name += closing;
	while (isalnum((unsigned char)name[nlen]))
		nlen++;
	if (!closing && one_of(dropped, ARRAY_LEN(dropped), name, nlen)) {
		char *close = xasprintf("</%.*s>", (int)nlen, name);
		const char *end = strstr(name, close);

		c->p = end ? end + strlen(close) : c->p;
		free(close);
		return end ? 0 : unclean("an open element", name);
	}
	if (!one_of(elements, ARRAY_LEN(elements), name, nlen))
		return unclean("an unknown element", c->p);
	root = nlen == 3 && !memcmp(name, "svg", 3);
	text_fmt(&c->out, "<%s%.*s", closing ? "/" : "", (int)nlen, name);
	if (root && !closing) {
		if (c->depth)
			return unclean("an SVG inside", c->p);
		text_add(&c->out, " role=\"img\" aria-label=\"");
		escape_html(&c->out, c->label);
		text_char(&c->out, '"');
	}
	for (c->p = name + nlen;;) {
		while (isspace((unsigned char)*c->p))
			c->p++;
		if (*c->p == '>' || (*c->p == '/' && c->p[1] == '>'))
			break;
		if (closing || clean_attribute(c, root) < 0)
			return closing ? unclean("a malformed tag", name) : -1;
	}
	c->depth += closing ? -1 : *c->p != '/';
	text_add(&c->out, *c->p == '/' ? "/>" : ">");
	c->p += *c->p == '/' ? 2 : 1;
	return c->depth < 0 ? unclean("a stray end", name) : 0;
}

/* Character data: only the five entities and characters may pass. */
static int clean_text(struct cleaner *c)
{
	const char *start = c->p;
	bool blank = true;

	while (*c->p && *c->p != '<') {
		if (*c->p == '&' && strncmp(c->p, "&amp;", 5) && strncmp(c->p, "&lt;", 4) && strncmp(c->p, "&gt;", 4) &&
		    strncmp(c->p, "&quot;", 6) && strncmp(c->p, "&#39;", 5) && strncmp(c->p, "&apos;", 6))
			return unclean("an unknown entity", c->p);
		blank &= isspace((unsigned char)*c->p) != 0;
		c->p++;
	}
	if (!blank)
		text_bytes(&c->out, start, (size_t)(c->p - start));
	return 0;
}

static int clean_all(struct cleaner *c)
{
	while (*c->p) {
		const char *end = NULL;

		if (!strncmp(c->p, "<?", 2))
			end = strstr(c->p, "?>");
		else if (!strncmp(c->p, "<!--", 4))
			end = strstr(c->p, "-->");
		else if (!strncmp(c->p, "<!DOCTYPE", 9))
			end = strchr(c->p, '>');
		if (end) {
			c->p = end + (*end == '>' ? 1 : *end == '?' ? 2 : 3);
			continue;
		}
		if (*c->p == '<' ? clean_tag(c) < 0 : clean_text(c) < 0)
			return -1;
	}
	return c->depth ? unclean("an open element", "the end") : 0;
}

char *plot_clean(const char *svg, const char *id, const char *label)
{
	const char *start = strstr(svg, "<svg");
	struct cleaner c = { .p = start, .id = id, .label = label };

	if (!start) {
		error(EXIT_UNEVALUABLE, "gnuplot wrote no SVG");
		return NULL;
	}
	if (clean_all(&c) < 0) {
		text_release(&c.out);
		return NULL;
	}
	return c.out.s;
}

/* ---- all together ---- */

/* What gnuplot makes of the inputs, as an open file that has no name any more; -1 after error(). */
static int draw(const char *file, const struct inputs *in)
{
	struct scratch s;
	int fd = -1;

	if (scratch_make(&s) < 0)
		return -1;
	if (write_inputs(&s, in) == 0 && run_gnuplot(file, &s) == 0) {
		fd = openat(s.fd, "plot.svg", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			error(EXIT_UNEVALUABLE, "gnuplot left no picture: %s", strerror(errno));
	}
	scratch_remove(&s, in->n);
	return fd;
}

char *plot_svg(const struct plot *p, const char *id)
{
	char *file = find_gnuplot(), *raw = NULL, *svg = NULL;
	struct inputs in;
	size_t len;
	int fd;

	if (!file) {
		error(EXIT_UNEVALUABLE, "gnuplot is not installed (apt install gnuplot-nox)");
		return NULL;
	}
	make_inputs(&in, p);
	fd = draw(file, &in);
	if (fd >= 0) {
		raw = fd_read_all(fd, "gnuplot's picture", 0, OUTPUT_MAX, &len);
		close(fd);
	}
	if (raw)
		svg = plot_clean(raw, id, p->title);
	inputs_release(&in);
	free(raw);
	free(file);
	return svg;
}
