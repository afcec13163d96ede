/* A second claim on the same network: marks that thieves put beside the owner's, and keys that they fit to the network as it is. Of all
 * attacks on a scheme together; see study.h. */
#include "metrics/study.h"

#include <math.h>

#include "metrics/metric.h"

#define READ 0.9  /* share of his own symbols with which a thief has a mark to show */

static bool overwriting(const struct finding *f)
{
	return f->aspect == STUDY_MARK && f->overwrites && f->loss <= STUDY_LOSS;
}

static int overwriting_survived(const struct study *s, struct value *v)
{
	double least = 100;
	long n = 0;

	for (int i = 0; i < s->n; i++)
		if (overwriting(&s->f[i])) {
			least = fmin(least, s->f[i].value);
			n++;
		}
	return study_say(least, n, v);
}

const struct metric metric_overwriting_survived = {
	.drv = { .name = "overwriting_survived", .version = 1,
		 .summary = "seeds in which the owner's mark still verifies in a network that a thief put a mark of his own into, by the "
			    "overwriting that did the most",
		 .source = "reference 6.15 (a); Uchida et al., ICMR 2017, IV-E. Differs: whether the mark verifies, not rescaled to models "
			   "without it; at a loss of at most 5 points of accuracy" },
	.title = "Mark, overwritten", .unit = "%", .survey = "2021 survey, Table II: ownership piracy",
	.min = 0, .max = 100, .better = 1, .from = FROM_STUDY, .least = 3, .least_of = "overwritings at 5 points or less",
	.over = overwriting_survived,
};

static int rival_keys(const struct study *s, struct value *v)
{
	double most = 0;
	long n = 0;

	for (int i = 0; i < s->n; i++)
		if (s->f[i].aspect == STUDY_CLAIM) {
			most = fmax(most, s->f[i].value);
			n++;
		}
	return study_say(most, n, v);
}

const struct metric metric_rival_keys = {
	.drv = { .name = "rival_keys", .version = 1,
		 .summary = "keys that somebody fitted to the marked network as it is, and with which it works as with the owner's, by the "
			    "attack that fared best; where keys carry the mark",
		 .source = "reference 6.13, 6.14, 6.18 (F0, F1, keys learnt from noise). Differs: the key works in the network; no judge compares "
			   "commitments, which no scheme here makes; attacks that start from a leaked key do not count" },
	.title = "Rival keys", .unit = "%",
	.survey = "2021 survey, Table II: unforgeability, non-ownership piracy, verifiability, non-invertible",
	.min = 0, .max = 100, .better = -1, .from = FROM_STUDY, .least = 3, .least_of = "attacks that fit keys", .over = rival_keys,
};

static int second_marks(const struct study *s, struct value *v)
{
	long read = 0, n = 0;

	for (int i = 0; i < s->n; i++)
		if (overwriting(&s->f[i])) {
			read += s->f[i].own_read >= READ;
			n++;
		}
	return study_say(n ? 100 * (double)read / (double)n : 0, n, v);
}

const struct metric metric_second_marks = {
	.drv = { .name = "second_marks", .version = 1,
		 .summary = "overwritings that leave a mark of the thief's own to be read; where the owner's is there as well, nothing in the "
			    "network says whose came first",
		 .source = "reference 6.15 (b). Differs: no judge with time stamps, which no scheme here has; a thief's mark stands when 90 % "
			   "of it is read; what removing it would cost (c) is not looked at" },
	.title = "Thief's mark, read", .unit = "%", .survey = "2021 survey, Table II: unforgeability, ownership piracy",
	.min = 0, .max = 100, .better = -1, .from = FROM_STUDY, .least = 3, .least_of = "overwritings at 5 points or less",
	.over = second_marks,
};
