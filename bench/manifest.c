/* See manifest.h. */
#include "bench/manifest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/dir.h"
#include "base/error.h"
#include "base/hash.h"
#include "bench/store.h"

#define BYTES_MAX ((size_t)1 << 28) /* more than a store may have files */
#define HEX ((size_t)HASH_HEX - 1)

struct entry { const char *hash, *path; }; /* path NULL: dropped */

struct manifest {
	char *text;          /* what entries that were read point into */
	struct entry *e;     /* by path; behind `sorted` those that were added */
	size_t n, sorted, room;
	bool changed;
};

struct manifest *manifest_new(void)
{
	struct manifest *m = xcalloc(1, sizeof(*m));

	m->changed = true;
	return m;
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	for (size_t i = m->sorted; i < m->n; i++)
		free((char *)(uintptr_t)m->e[i].hash); /* one allocation with the path */
	free(m->e);
	free(m->text);
	free(m);
}

static struct entry *new_entry(struct manifest *m)
{
	if (m->n == m->room) {
		m->room = m->room ? 2 * m->room : 256;
		m->e = xrealloc(m->e, m->room, sizeof(*m->e));
	}
	return &m->e[m->n++];
}

/* "HASH  PATH" with a NUL at its end. */
static bool read_line(struct manifest *m, char *line)
{
	struct entry *last = m->n ? &m->e[m->n - 1] : NULL, e;
	char key[HASH_HEX];

	if (strspn(line, "0123456789abcdef") != HEX || strncmp(line + HEX, "  ", 2) != 0)
		return false;
	line[HEX] = '\0';
	e = (struct entry){ line, line + HEX + 2 };
	if (!store_rel_kind(e.path, key) || (last && strcmp(last->path, e.path) >= 0))
		return false;
	*new_entry(m) = e;
	return true;
}

static int read_lines(struct manifest *m, char *text, size_t len, const char *where)
{
	size_t number = 1;

	for (char *line = text, *end; line < text + len; line = end + 1, number++) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (end)
			*end = '\0';
		if (!end || strlen(line) != (size_t)(end - line) || !read_line(m, line))
			return error(EXIT_UNEVALUABLE, "%s/%s:%zu: damaged: no line of a manifest, or not in order",
				     where, MANIFEST_NAME, number);
	}
	return 0;
}

int manifest_read(const struct dir *d, struct manifest **m)
{
	int there = dir_there(d, MANIFEST_NAME, NULL);
	size_t len;
	char *text = there == DIR_FILE ? dir_read(d, MANIFEST_NAME, BYTES_MAX, &len) : NULL;

	*m = NULL;
	if (there == 0)
		return 0;
	if (there == DIR_FOLDER)
		return error(EXIT_UNEVALUABLE, "%s/%s: damaged: it is a folder", dir_name(d), MANIFEST_NAME);
	if (!text)
		return -1;
	*m = xcalloc(1, sizeof(**m));
	(*m)->text = text;
	if (read_lines(*m, text, len, dir_name(d)) == 0) {
		(*m)->sorted = (*m)->n;
		return 1;
	}
	(*m)->sorted = (*m)->n;
	manifest_free(*m);
	*m = NULL;
	return -1;
}

/* Where the path is, or would be, among those that were read; dropped ones keep their place by the order of their
 * hash's text behind which the path still stands. */
static const char *path_of(const struct entry *e)
{
	return e->hash + HEX + 2;
}

static struct entry *find(const struct manifest *m, const char *rel)
{
	size_t low = 0, high = m ? m->sorted : 0;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;
		const int d = strcmp(path_of(&m->e[mid]), rel);

		if (d == 0)
			return m->e[mid].path ? &m->e[mid] : NULL;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const char *manifest_hash(const struct manifest *m, const char *rel)
{
	const struct entry *e = find(m, rel);

	return e ? e->hash : NULL;
}

size_t manifest_count(const struct manifest *m)
{
	return m->sorted;
}

const char *manifest_path(const struct manifest *m, size_t i)
{
	BUG_ON(i >= m->sorted);
	return m->e[i].path;
}

void manifest_add(struct manifest *m, const char *rel, const char *hash)
{
	char *text = xasprintf("%s  %s", hash, rel);

	BUG_ON(strlen(hash) != HEX);
	text[HEX] = '\0';
	*new_entry(m) = (struct entry){ text, text + HEX + 2 };
	m->changed = true;
}

bool manifest_drop(struct manifest *m, const char *rel)
{
	struct entry *e = find(m, rel);

	if (!e)
		return false;
	e->path = NULL;
	m->changed = true;
	return true;
}

static int by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

int manifest_publish(struct manifest *m, const struct dir *d)
{
	struct entry *all = xmalloc(m->n + 1, sizeof(*all));
	size_t n = 0, bytes = 0, at = 0;
	char *text;
	int ret;

	if (!m->changed) {
		free(all);
		return 0;
	}
	for (size_t i = 0; i < m->n; i++)
		if (m->e[i].path) {
			all[n++] = m->e[i];
			bytes += HEX + 2 + strlen(m->e[i].path) + 1;
		}
	qsort(all, n, sizeof(*all), by_path);
	text = xmalloc(bytes + 1, 1);
	for (size_t i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, "%s  %s\n", all[i].hash, all[i].path);
	ret = dir_publish(d, MANIFEST_NAME, text, at);
	if (ret == 0)
		m->changed = false;
	free(text);
	free(all);
	return ret;
}
