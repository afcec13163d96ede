/* bench/matrix.c: every attack meets every scheme, and who is n/a has a reason; the page says what the program says. */
#include <check.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "bench/applies.h"
#include "bench/matrix.h"

START_TEST(every_pair_is_there_with_its_reason)
{
	json_t *all = matrix_json(), *j;
	size_t i, na = 0, ns = 0, refused = 0;

	while (attacks[na])
		na++;
	while (schemes[ns])
		ns++;
	ck_assert_uint_eq(json_array_size(all), na * ns);
	json_array_foreach(all, i, j) {
		const bool applies = jget_bool(j, "applies", 0);

		ck_assert_int_eq(applies, !*jget_str(j, "why", "?"));
		refused += !applies;
	}
	ck_assert_uint_gt(refused, 0);
	json_decref(all);
}
END_TEST

/* Known answers: there is no credential of an open network to forge, and pairs come from clients that prepare images only. */
static const struct { const char *attack, *scheme; int applies; } known[] = {
	{ "forge", "none", 0 }, { "forge", "keycheck", 1 }, { "replay", "sample-specific", 1 }, { "replay", "activeguard", 0 },
	{ "distill", "none", 0 }, { "prune", "none", 1 }, { "strip", "activeguard", 1 }, { "chaos-search", "chaotic", 1 },
};

START_TEST(known_answers)
{
	json_t *all = matrix_json(), *j;
	size_t i;
	int found = 0;

	json_array_foreach(all, i, j)
		if (!strcmp(jget_str(j, "attack", ""), known[_i].attack) && !strcmp(jget_str(j, "scheme", ""), known[_i].scheme)) {
			ck_assert_int_eq(jget_bool(j, "applies", 0), known[_i].applies);
			found++;
		}
	ck_assert_int_eq(found, 1);
	json_decref(all);
}
END_TEST

/* `make docs` was run. */
START_TEST(the_page_is_not_stale)
{
	char *text = NULL, *page, *body, *end;
	size_t n = 0, len;
	FILE *f = open_memstream(&text, &n);

	matrix_print(f);
	fclose(f);
	page = file_read("docs/matrix.md", 1 << 20, &len);
	ck_assert_ptr_nonnull(page);
	body = strstr(page, "<!-- matrix -->\n");
	end = strstr(page, "<!-- /matrix -->");
	ck_assert(body && end);
	*end = '\0';
	ck_assert_msg(!strcmp(body + strlen("<!-- matrix -->\n"), text), "docs/matrix.md is stale: run make docs");
	free(page);
	free(text);
}
END_TEST

Suite *suite_matrix(void);
Suite *suite_matrix(void)
{
	Suite *s = suite_create("matrix");
	TCase *tc = tcase_create("matrix");

	tcase_add_test(tc, every_pair_is_there_with_its_reason);
	tcase_add_loop_test(tc, known_answers, 0, ARRAY_LEN(known));
	tcase_add_test(tc, the_page_is_not_stale);
	suite_add_tcase(s, tc);
	return s;
}
