/* How well what identifies users is concealed in the images that carry it. */
#include "metrics/compute.h"
#include "metrics/metric.h"

#include <math.h>

static int concealment(const struct observations *o, struct value *v)
{
	static const char *const name[] = { "wire_auc_chi2", "wire_auc_rs", "wire_auc_spam162", "wire_auc_spam686" };
	double least = 1;
	int n = 0;

	for (int i = 0; i < 4; i++) {
		const struct obs_entry *e = obs_get(o, name[i], 'n');

		if (e) {
			least = fmin(least, 1 - 2 * fabs(e->value - 0.5));
			n++;
		}
	}
	*v = (struct value){ least, least, least, 0, 0, count_of(o, "wire_compared") };
	return n > 0;
}

const struct metric metric_concealment = {
	.drv = { .name = "concealment", .version = 1,
		 .summary = "how little detectors of hidden content see in what identifies users: 1 - 2 |AUC - 0.5| of the best "
			    "of four",
		 .source = "reference 5.1. Differs: chi-square, RS and SPAM-162/686; no autoencoder, which attacks have" },
	.title = "Concealment", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 1, .least = 100, .least_of = "images", .compute = concealment,
};

const struct metric metric_wire_auc_chi2 = {
	.drv = { .name = "wire_auc_chi2", .version = 1,
		 .summary = "how well the chi-square test of pairs of values tells credentials or queries from the clean images "
			    "that they were made from; 0.5 is nothing",
		 .source = "metrics/image/steganalysis.h; reference 5.1. Differs: see there" },
	.title = "AUC, chi-square", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 0, .least = 100, .least_of = "images", .number = "wire_auc_chi2", .seen = "wire_compared",
};

const struct metric metric_wire_auc_rs = {
	.drv = { .name = "wire_auc_rs", .version = 1,
		 .summary = "how well the RS analysis tells credentials or queries from the clean images that they were made "
			    "from; 0.5 is nothing",
		 .source = "metrics/image/steganalysis.h; reference 5.1. Differs: see there" },
	.title = "AUC, RS", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 0, .least = 100, .least_of = "images", .number = "wire_auc_rs", .seen = "wire_compared",
};

const struct metric metric_wire_auc_spam162 = {
	.drv = { .name = "wire_auc_spam162", .version = 1,
		 .summary = "how well the SPAM-162 features tells credentials or queries from the clean images that they were "
			    "made from; 0.5 is nothing",
		 .source = "metrics/image/steganalysis.h; reference 5.1. Differs: see there" },
	.title = "AUC, SPAM-162", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 0, .least = 100, .least_of = "images", .number = "wire_auc_spam162",
	.seen = "wire_compared",
};

const struct metric metric_wire_auc_spam686 = {
	.drv = { .name = "wire_auc_spam686", .version = 1,
		 .summary = "how well the SPAM-686 features tells credentials or queries from the clean images that they were "
			    "made from; 0.5 is nothing",
		 .source = "metrics/image/steganalysis.h; reference 5.1. Differs: see there" },
	.title = "AUC, SPAM-686", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 0, .least = 100, .least_of = "images", .number = "wire_auc_spam686",
	.seen = "wire_compared",
};

const struct metric metric_wire_gmsd = {
	.drv = { .name = "wire_gmsd", .version = 1,
		 .summary = "gradient magnitude similarity deviation, 0 is best between clean images and the credentials or "
			    "queries made from them; mean over images",
		 .source = "Xue et al., IEEE TIP 23 (2014); constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "GMSD", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = -1, .least = 50, .least_of = "images", .mean = "wire_gmsd",
};

const struct metric metric_wire_haarpsi = {
	.drv = { .name = "wire_haarpsi", .version = 1,
		 .summary = "Haar wavelet similarity between clean images and the credentials or queries made from them; mean "
			    "over images",
		 .source = "Reisenhofer et al. 2018; constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "HaarPSI", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 1, .least = 50, .least_of = "images", .mean = "wire_haarpsi",
};

const struct metric metric_wire_l0 = {
	.drv = { .name = "wire_l0", .version = 1,
		 .summary = "pixels that differ between clean images and the credentials or queries made from them; mean over "
			    "images",
		 .source = "reference 7.2; constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "L0", .unit = "%", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 100, .better = -1, .least = 50, .least_of = "images", .mean = "wire_l0",
};

const struct metric metric_wire_l2 = {
	.drv = { .name = "wire_l2", .version = 1,
		 .summary = "length of the difference, black 0 to white 1 between clean images and the credentials or queries "
			    "made from them; mean over images",
		 .source = "reference 7.2; constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "L2", .unit = "length", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1000, .better = -1, .least = 50, .least_of = "images", .mean = "wire_l2",
};

const struct metric metric_wire_linf = {
	.drv = { .name = "wire_linf", .version = 1,
		 .summary = "largest difference of a pixel between clean images and the credentials or queries made from them; "
			    "mean over images",
		 .source = "reference 7.2; constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "L-infinity", .unit = "/255", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 255, .better = -1, .least = 50, .least_of = "images", .mean = "wire_linf",
};

const struct metric metric_wire_ms_ssim_2 = {
	.drv = { .name = "wire_ms_ssim_2", .version = 1,
		 .summary = "structural similarity over two scales between clean images and the credentials or queries made from "
			    "them; mean over images",
		 .source = "Wang, Simoncelli and Bovik, Asilomar 2003, two scales; constants: metrics/image/imagequality.h. Differs: "
			   "of 8-bit images" },
	.title = "MS-SSIM_2", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 1, .better = 1, .least = 50, .least_of = "images", .mean = "wire_ms_ssim_2",
};

const struct metric metric_wire_psnr = {
	.drv = { .name = "wire_psnr", .version = 1,
		 .summary = "peak signal-to-noise ratio between clean images and the credentials or queries made from them; mean "
			    "over images",
		 .source = "ITU-T J.340; constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "PSNR", .unit = "dB", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 100, .better = 1, .least = 50, .least_of = "images", .mean = "wire_psnr",
};

const struct metric metric_wire_ssim = {
	.drv = { .name = "wire_ssim", .version = 1,
		 .summary = "structural similarity between clean images and the credentials or queries made from them; mean over "
			    "images",
		 .source = "Wang et al., IEEE TIP 13 (2004); constants: metrics/image/imagequality.h. Differs: of 8-bit images" },
	.title = "SSIM", .unit = "ratio", .survey = "2024 survey, II.B: concealment of user identity",
	.min = -1, .max = 1, .better = 1, .least = 50, .least_of = "images", .mean = "wire_ssim",
};

static int wire_visible(const struct observations *o, struct value *v)
{
	const struct obs_entry *p = obs_get(o, "wire_psnr", 's'), *q = obs_get(o, "wire_ssim", 's');
	long seen = 0;

	if (!p || !q || p->n != q->n)
		return 0;
	for (size_t i = 0; i < p->n; i++)
		seen += p->series[i] < 30 || q->series[i] < 0.95;
	return percent(seen, (long)p->n, v);
}

const struct metric metric_wire_visible = {
	.drv = { .name = "wire_visible", .version = 1,
		 .summary = "credentials or queries that visibly differ from clean images: PSNR under 30 dB or SSIM under 0.95",
		 .source = "reference 7.6. Differs: nothing" },
	.title = "Visibly changed", .unit = "%", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 100, .better = -1, .least = 50, .least_of = "images", .compute = wire_visible,
};
