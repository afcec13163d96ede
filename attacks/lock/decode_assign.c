/* See decode_assign.h. Costs are -2 count, less 1 on the diagonal. One row after the other by a shortest augmenting path over reduced costs u + v. */
#include "attacks/lock/decode_assign.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

void assign_most(const int *count, int k, int *to)
{
	const size_t m = (size_t)k + 1;
	int *u = xcalloc(m, 2 * sizeof(*u)), *v = u + m, *owner = xcalloc(m, 2 * sizeof(*owner)), *way = owner + m;
	int *least = xmalloc(m, sizeof(*least));
	bool *used = xmalloc(m, sizeof(*used));

	for (int row = 1; row <= k; row++) {
		int at = 0;

		owner[0] = row;
		for (int j = 0; j <= k; j++) {
			least[j] = INT32_MAX;
			used[j] = false;
		}
		do {
			int delta = INT32_MAX, next = 0;

			used[at] = true;
			for (int j = 1; j <= k; j++) {
				const int i = owner[at] - 1, cost = -2 * count[i * k + j - 1] - (i == j - 1) - u[i + 1] - v[j];

				if (used[j])
					continue;
				if (cost < least[j]) {
					least[j] = cost;
					way[j] = at;
				}
				if (least[j] < delta) {
					delta = least[j];
					next = j;
				}
			}
			for (int j = 0; j <= k; j++) {
				if (used[j]) {
					u[owner[j]] += delta;
					v[j] -= delta;
				} else {
					least[j] -= delta;
				}
			}
			at = next;
		} while (owner[at]);
		for (; at; at = way[at])
			owner[at] = owner[way[at]];
	}
	for (int j = 1; j <= k; j++)
		to[owner[j] - 1] = j - 1;
	free(u);
	free(owner);
	free(least);
	free(used);
}
