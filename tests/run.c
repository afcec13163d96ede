/* Runs every suite whose file is in tests/: the lists are made by the Makefile from the file names.
 * CK_RUN_SUITE=name runs one. Exit status 1 when any test failed or none ran. */
#include <check.h>
#include <stdlib.h>

#define SUITE(x) Suite *suite_##x(void);
#include SUITES
#undef SUITE

int main(void)
{
	SRunner *sr = srunner_create(NULL);
	int failed, ran;

#define SUITE(x) srunner_add_suite(sr, suite_##x());
#include SUITES
#undef SUITE
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	ran = srunner_ntests_run(sr);
	srunner_free(sr);
	return failed || !ran ? EXIT_FAILURE : EXIT_SUCCESS;
}
