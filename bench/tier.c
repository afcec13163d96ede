/* Tiers. See tier.h. */
#include "bench/tier.h"

#include <string.h>

#include "base/error.h"

const struct tier_defaults tier_table[3] = {
	[TIER_SMOKE] = { .seeds = 2, .limit_train = 18000, .limit_train_wrn = 2000, .limit_test = 2000, .per_user = 5, .epochs = 8,
			 .epochs_wrn = 2, .timeout = 900,
			 .attacker = { .level = LEVEL_WHITE, .budget = { .queries = 1000000, .submissions = 1000000, .forwards = 1e9 } } },
	[TIER_SHORT] = { .seeds = 1, .per_user = 100, .epochs = 20, .epochs_wrn = 15, .timeout = 3600,
			 .attacker = { .level = LEVEL_WHITE, .budget = { .queries = 10000000, .submissions = 10000000, .forwards = 1e11 } } },
	[TIER_PAPER] = { .seeds = 6, .per_user = 100, .epochs = 50, .epochs_wrn = 200, .timeout = 7 * 86400,
			 .attacker = { .level = LEVEL_WHITE, .search = 8 } },
};

int tier_parse(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(tier_names[i], name))
			return i;
	return unknown_name("tier", name, tier_names, 3);
}

void tier_apply(const struct driver *d, const char *overrides, void *conf)
{
	while (overrides && *overrides) {
		size_t n = strcspn(overrides, " "), eq = strcspn(overrides, "=");
		char name[64], value[OPT_STRING_MAX];

		BUG_ON(eq >= n || eq >= sizeof(name) || n - eq > sizeof(value));
		memcpy(name, overrides, eq);
		name[eq] = '\0';
		memcpy(value, overrides + eq + 1, n - eq - 1);
		value[n - eq - 1] = '\0';
		BUG_ON(opt_set(d->opts, conf, name, value) < 0);
		overrides += n + strspn(overrides + n, " ");
	}
}
