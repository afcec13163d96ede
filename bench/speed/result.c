/* The table and the JSON of `make bench`. See result.h. */
#include "bench/speed/result.h"
#include "base/json.h"
#include "nn/kernels.h"
#include <math.h>
#include <string.h>
#include <time.h>

/* ---- what was measured where ---- */

/* The first line of a command's output, without its end; "" when there is none. */
static void first_line(FILE *f, char *out, size_t size)
{
	if (!fgets(out, (int)size, f))
		*out = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static void read_cpu(char *out, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256];

	snprintf(out, size, "unknown");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(out, size, "%s", strchr(line, ':') + 2);
			break;
		}
	if (f)
		fclose(f);
}

void machine_read(struct machine *m)
{
	FILE *git = popen("git describe --always --dirty --abbrev=10 2>/dev/null", "r");
	const time_t now = time(NULL);
	struct tm tm;

	*m = (struct machine){ .isa = kernels_isa() };
	read_cpu(m->cpu, sizeof(m->cpu));
	if (git) {
		first_line(git, m->commit, sizeof(m->commit));
		pclose(git);
	}
	strftime(m->date, sizeof(m->date), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
}

/* ---- rows ---- */

void row_derive(struct row *row, double work, const struct peak *p)
{
	const double peak = p->gflops[row->threads > 1];

	row->gflops = work > 0 ? work * row->per_s / 1e9 : NAN;
	row->fraction = work > 0 && peak > 0 ? row->gflops / peak : NAN;
}

json_t *rows_json(const struct rows *r)
{
	json_t *all = json_array();

	for (int i = 0; i < r->n; i++) {
		const struct row *row = &r->at[i];
		json_t *o = json_object();

		jset_str(o, "job", row->job);
		jset_int(o, "threads", row->threads);
		jset_num(o, "images_per_s", row->per_s);
		jset_num(o, "gflops", row->gflops);
		jset_num(o, "peak_fraction", row->fraction);
		jset_num(o, "peak_rss_mib", row->rss);
		jset_str(o, "unit", row->unit);
		jset_num(o, "best_per_s", row->best);
		jset_num(o, "scaling", row->scaling);
		jset_num(o, "scaling_of_processes", row->ceiling);
		json_array_append_new(all, o);
	}
	return all;
}

/* ---- the table ---- */

void table_head(FILE *out, const struct machine *m, const struct peak *p, double seconds)
{
	fprintf(out, "%s, kernels %s, commit %s, %.2g s a row\n", m->cpu, m->isa, *m->commit ? m->commit : "unknown", seconds);
	fprintf(out, "sgemm's peak: %.1f GFLOP/s on one thread", p->gflops[0]);
	if (p->gflops[1] > 0)
		fprintf(out, ", %.1f by two processes at once", p->gflops[1]);
	fprintf(out, " (OpenBLAS core: %s)\n\n", *p->core ? p->core : "its own choice");
	fprintf(out, "%-18s %3s %10s %9s %-9s %8s %6s %6s %6s %6s %7s\n", "job", "thr", "per second", "best", "unit", "GFLOP/s", "of", "1->2",
		"two", "peak", "change");
	fprintf(out, "%69s %13s %6s\n", "peak", "procs", "MiB");
}

/* value as text by format, a dash where there is none. */
static const char *cell(char buf[24], const char *format, double value)
{
	if (isnan(value))
		return "-";
	if (!strcmp(format, "%"))
		snprintf(buf, 24, "%.0f %%", 100 * value);
	else if (!strcmp(format, "+%"))
		snprintf(buf, 24, "%+.0f %%", 100 * value);
	else if (!strcmp(format, "x"))
		snprintf(buf, 24, "%.2fx", value);
	else
		snprintf(buf, 24, value < 1000 ? "%.1f" : "%.0f", value);
	return buf;
}

void table_row(FILE *out, const struct row *r)
{
	char t[8][24];

	fprintf(out, "%-18s %3d %10s %9s %-9s %8s %6s %6s %6s %6s %7s\n", r->job, r->threads, cell(t[0], "", r->per_s), cell(t[1], "", r->best),
		r->unit, cell(t[2], "", r->gflops), cell(t[3], "%", r->fraction), cell(t[4], "x", r->scaling), cell(t[5], "x", r->ceiling),
		cell(t[6], "", r->rss), cell(t[7], "+%", r->change));
	fflush(out);
}

void table_foot(FILE *out, const struct rows *r)
{
	int slower = 0;

	for (int i = 0; i < r->n; i++)
		if (r->at[i].change < -0.1)
			fprintf(out, "%s%s on %d", slower++ ? ", " : "\nslower than before by more than 10 %: ", r->at[i].job,
				r->at[i].threads);
	fprintf(out, "%s\nper second: median slice. GFLOP/s: 2 x multiply-accumulates of the direct convolution, training as\n"
		"3 forward passes, crafting as 2. of peak: sgemm's by as many processes. 1->2: two threads by one,\n"
		"measured in turn; two procs: two processes of one thread together by one. change: to earlier runs.\n",
		slower ? "\n" : "");
}
