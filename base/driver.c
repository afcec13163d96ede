/* Finding drivers and refusing incomplete ones. See driver.h. */
#include "base/driver.h"

#include <string.h>

#include "base/error.h"

#define NAME_MAX_LEN 64

const void *driver_find(const struct driver *const *table, const char *what, const char *name)
{
	const char **names;
	size_t n = 0;

	for (; table[n]; n++)
		if (!strcmp(table[n]->name, name))
			return table[n];
	names = xmalloc(n, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = table[i]->name;
	unknown_name(what, name, names, n);
	free(names);
	return NULL;
}

/* First character in `head`, the others in `tail`, at most max of them all. */
static bool well_named(const char *name, const char *head, const char *tail, size_t max)
{
	return name && *name && strchr(head, *name) && name[strspn(name, tail)] == '\0' && strlen(name) <= max;
}

bool driver_name_ok(const char *name)
{
	return well_named(name, "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz0123456789._-", NAME_MAX_LEN);
}

/* Upper and lower case are not checked: a line may begin with an acronym or a person's name. */
static bool one_line(const char *s)
{
	return s && *s && !strpbrk(s, "\n\r\t") && s[strlen(s) - 1] != '.';
}

static size_t value_size(enum opt_type t)
{
	static const size_t size[] = {
		[OPT_INT] = sizeof(int), [OPT_FLOAT] = sizeof(double), [OPT_BOOL] = sizeof(int),
		[OPT_CHOICE] = sizeof(int), [OPT_STRING] = OPT_STRING_MAX,
		[OPT_INTS] = sizeof(struct opt_ints), [OPT_FLOATS] = sizeof(struct opt_floats)
	};

	return (unsigned)t < ARRAY_LEN(size) ? size[t] : 0;
}

/* What the row lacks, or NULL. The default is tried apart, because that needs a conf. */
static const char *row_lacks(const struct driver *d, const struct opt *o)
{
	size_t size = value_size(o->type);

	if (!well_named(o->name, "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz0123456789-", NAME_MAX_LEN))
		return "a name of the form [a-z][a-z0-9-]*";
	if (!size)
		return "a known type";
	if (o->offset > d->conf_size || d->conf_size - o->offset < size)
		return "room in the conf (wrong offset or conf_size)";
	if (!o->def)
		return "a default";
	if (!one_line(o->help))
		return "one line of help without a full stop";
	if ((o->type == OPT_CHOICE) != (o->choices && *o->choices))
		return "choices (an OPT_CHOICE has them, no other type does)";
	if (!(o->min <= o->max))
		return "a range whose min is at most its max";
	return opt_find(d->opts, o->name) == o ? NULL : "a name of its own (another row has it)";
}

static int check_row(const struct driver *d, const struct opt *o, void *conf)
{
	const char *lacks = row_lacks(d, o);

	if (lacks)
		return error(EXIT_UNEVALUABLE, "driver '%s': option '%s' lacks %s", d->name, o->name, lacks);
	if (opt_set(d->opts, conf, o->name, o->def) < 0)
		return error_prefix("driver '%s': default refused", d->name);
	return 0;
}

static const char *driver_lacks(const struct driver *d)
{
	if (!one_line(d->summary))
		return "a summary of one line without a full stop";
	if (!d->source || !*d->source)
		return "a source";
	if (!strstr(d->source, "Differs:"))
		return "\"Differs:\" in its source (\"Differs: nothing\" when it follows the source exactly)";
	if (d->version < 1)
		return "a version of at least 1";
	if (!d->conf_size != !(d->opts && d->opts->name))
		return "options to match its conf_size";
	return NULL;
}

int driver_check(const struct driver *d)
{
	const char *lacks;
	void *conf;
	int ret = 0;

	if (!driver_name_ok(d->name))
		return error(EXIT_UNEVALUABLE, "driver '%s' lacks a name of the form [a-z0-9][a-z0-9._-]{0,63}",
			     d->name ? d->name : "(null)");
	lacks = driver_lacks(d);
	if (lacks)
		return error(EXIT_UNEVALUABLE, "driver '%s' lacks %s", d->name, lacks);
	conf = xcalloc(1, d->conf_size);
	for (const struct opt *o = d->opts; o && o->name && !ret; o++)
		ret = check_row(d, o, conf);
	free(conf);
	return ret;
}
