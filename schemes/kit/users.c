/* Who is enrolled and who is revoked: two tables of one column. */
#include "schemes/kit/users.h"

#include "schemes/kit/table.h"

static void list(struct bundle *pub, const char *name, const int *user, int n)
{
	struct bundle *rows = bundle_new();

	bundle_put_i32(rows, name, n, user);
	table_add(pub, name, rows);
	bundle_free(rows);
}

void users_enrol(struct bundle *pub, const int *user, int n)
{
	list(pub, "enrolled", user, n);
}

bool users_enrolled(const struct bundle *pub, int user)
{
	return table_find(pub, "enrolled", DT_I32, 1, &user) >= 0;
}

bool users_revoked(const struct bundle *pub, int user)
{
	return table_find(pub, "revoked", DT_I32, 1, &user) >= 0;
}

int users_revoke(const void *conf, struct locked *l, int user)
{
	(void)conf;
	list(l->pub, "revoked", &user, 1);
	return 0;
}

double users_unlimited(const void *conf, int classes)
{
	(void)conf, (void)classes;
	return 2147483648.0;
}
