/* Job files as a whole. See job.h; the pieces: job_parts.h. */
#include "bench/job_parts.h"

#include "base/file.h"

#define FILE_MAX ((size_t)1 << 20)

static int read_blocks(struct parser *ps, const struct yaml *blocks, const struct grid *header)
{
	if (job_want(blocks, YAML_LIST, "blocks") < 0)
		return -1;
	if (!blocks->n)
		return yaml_error(blocks, "'blocks' is empty");
	for (int i = 0; i < blocks->n; i++) {
		struct grid g = *header;

		if (job_want(blocks->item[i], YAML_MAP, "a block") < 0 || job_read_members(ps, blocks->item[i], false, &g) < 0)
			return -1;
		if (!*g.dataset)
			return yaml_error(blocks->item[i], "no dataset is given; see `lockbench data list`");
		if (job_add_grid(ps, &g) < 0)
			return -1;
	}
	return 0;
}

static int read_job(struct parser *ps)
{
	const struct yaml *blocks;
	struct grid g;

	if (ps->root->kind != YAML_MAP)
		return yaml_error(ps->root, "a job is a map of names and values");
	if (job_read_head(ps) < 0)
		return -1;
	job_tier_grid(ps, &g);
	if (job_read_members(ps, ps->root, true, &g) < 0)
		return -1;
	blocks = yaml_get(ps->root, "blocks");
	if (blocks)
		return read_blocks(ps, blocks, &g);
	if (!*g.dataset)
		return yaml_error(ps->root, "no dataset is given; see `lockbench data list`");
	return job_add_grid(ps, &g);
}

int job_parse(struct job *j, const char *text, size_t len, const char *where, const char *const *sets, int nsets)
{
	struct parser ps = { .job = j };
	int ret = -1;

	*j = (struct job){ 0 };
	ps.root = yaml_parse(&ps.mem, text, len, where);
	if (ps.root) {
		ret = 0;
		for (int i = 0; i < nsets && !ret; i++)
			ret = job_apply_set(&ps, sets[i]);
		if (!ret)
			ret = read_job(&ps);
	}
	arena_release(&ps.mem);
	return ret;
}

int job_load(struct job *j, const char *path, const char *const *sets, int nsets, const char *data_dir)
{
	size_t len;
	char *text = file_read(path, FILE_MAX, &len);
	int ret;

	*j = (struct job){ 0 };
	if (!text)
		return -1;
	ret = job_parse(j, text, len, path, sets, nsets);
	free(text);
	return ret < 0 ? -1 : job_resolve(j, data_dir);
}

void job_release(struct job *j)
{
	for (int i = 0; i < j->n; i++) {
		point_release(&j->cells[i].p);
		free(j->cells[i].inapplicable);
	}
	free(j->cells);
	free(j->command);
	*j = (struct job){ 0 };
}
