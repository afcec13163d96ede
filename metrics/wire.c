/* How well what identifies users is concealed in the images that carry it, and what channels do to images. */
#include "metrics/compute.h"

#include <math.h>

#include "metrics/effect.h"

/* Mean over images of a series, with Student's interval over them inside [min, max]. */
static int mean_over(const struct observations *o, const char *name, double min, double max, struct value *v)
{
	const struct obs_entry *e = obs_get(o, name, 's');
	struct summary s;

	if (!e || !e->n)
		return 0;
	summarise(e->series, (int)e->n, 0.95, &s);
	*v = (struct value){ s.mean, fmax(s.low, min), fmin(s.high, max), 0, 0, (long)e->n };
	return 1;
}

static int auc_of(const struct observations *o, const char *name, struct value *v)
{
	if (!number_of(o, name, v))
		return 0;
	v->seen = (long)obs_getnum(o, "wire_compared", 0);
	return 1;
}

/* ---- metrics ---- */

static int channel_gmsd(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_gmsd", v);
}

const struct metric metric_channel_gmsd = {
	.drv = {
		.name = "channel_gmsd",
		.summary = "mean GMSD between the first 100 images and what the attack's channel makes of them",
		.source = "Xue et al., IEEE TIP 23 (2014); constants: metrics/imagequality.h. Differs: see there",
		.version = 1,
	},
	.title = "GMSD, channel",
	.unit = "ratio",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 1,
	.better = 0,
	.compute = channel_gmsd,
};

static int channel_haarpsi(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_haarpsi", v);
}

const struct metric metric_channel_haarpsi = {
	.drv = {
		.name = "channel_haarpsi",
		.summary = "mean HaarPSI between the first 100 images and what the attack's channel makes of them",
		.source = "Reisenhofer et al. 2018; constants: metrics/imagequality.h. Differs: see there",
		.version = 1,
	},
	.title = "HaarPSI, channel",
	.unit = "ratio",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 1,
	.better = 0,
	.compute = channel_haarpsi,
};

static int channel_ms_ssim_2(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_ms_ssim_2", v);
}

const struct metric metric_channel_ms_ssim_2 = {
	.drv = {
		.name = "channel_ms_ssim_2",
		.summary = "mean MS-SSIM_2 between the first 100 images and what the attack's channel makes of them",
		.source = "Wang, Simoncelli and Bovik, Asilomar 2003, two scales; constants: metrics/imagequality.h. "
			  "Differs: see there",
		.version = 1,
	},
	.title = "MS-SSIM_2, channel",
	.unit = "ratio",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 1,
	.better = 0,
	.compute = channel_ms_ssim_2,
};

static int channel_ssim(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_ssim", v);
}

const struct metric metric_channel_ssim = {
	.drv = {
		.name = "channel_ssim",
		.summary = "mean SSIM between the first 100 images and what the attack's channel makes of them",
		.source = "Wang et al., IEEE TIP 13 (2004); constants: metrics/imagequality.h. Differs: see there",
		.version = 1,
	},
	.title = "SSIM, channel",
	.unit = "ratio",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = -1,
	.max = 1,
	.better = 0,
	.compute = channel_ssim,
};

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
	*v = (struct value){ least, least, least, 0, 0, (long)obs_getnum(o, "wire_compared", 0) };
	return n > 0;
}

const struct metric metric_concealment = {
	.drv = {
		.name = "concealment",
		.summary = "how little detectors of hidden content see in what identifies users: 1 - 2 |AUC - 0.5| of the "
			  "best of four",
		.source = "reference 5.1. Differs: chi-square, RS and SPAM-162/686; no autoencoder, which attacks have",
		.version = 1,
	},
	.title = "Concealment",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 1,
	.least = 100,
	.least_of = "images",
	.compute = concealment,
};

static int wire_auc_chi2(const struct observations *o, struct value *v)
{
	return auc_of(o, "wire_auc_chi2", v);
}

const struct metric metric_wire_auc_chi2 = {
	.drv = {
		.name = "wire_auc_chi2",
		.summary = "how well the chi-square test of pairs of values tells credentials or queries from the clean "
			  "images that they were made from; 0.5 is nothing",
		.source = "metrics/steganalysis.h; reference 5.1. Differs: see there",
		.version = 1,
	},
	.title = "AUC, chi-square",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 0,
	.least = 100,
	.least_of = "images",
	.compute = wire_auc_chi2,
};

static int wire_auc_rs(const struct observations *o, struct value *v)
{
	return auc_of(o, "wire_auc_rs", v);
}

const struct metric metric_wire_auc_rs = {
	.drv = {
		.name = "wire_auc_rs",
		.summary = "how well the RS analysis tells credentials or queries from the clean images that they were made "
			  "from; 0.5 is nothing",
		.source = "metrics/steganalysis.h; reference 5.1. Differs: see there",
		.version = 1,
	},
	.title = "AUC, RS",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 0,
	.least = 100,
	.least_of = "images",
	.compute = wire_auc_rs,
};

static int wire_auc_spam162(const struct observations *o, struct value *v)
{
	return auc_of(o, "wire_auc_spam162", v);
}

const struct metric metric_wire_auc_spam162 = {
	.drv = {
		.name = "wire_auc_spam162",
		.summary = "how well the SPAM-162 features tells credentials or queries from the clean images that they were "
			  "made from; 0.5 is nothing",
		.source = "metrics/steganalysis.h; reference 5.1. Differs: see there",
		.version = 1,
	},
	.title = "AUC, SPAM-162",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 0,
	.least = 100,
	.least_of = "images",
	.compute = wire_auc_spam162,
};

static int wire_auc_spam686(const struct observations *o, struct value *v)
{
	return auc_of(o, "wire_auc_spam686", v);
}

const struct metric metric_wire_auc_spam686 = {
	.drv = {
		.name = "wire_auc_spam686",
		.summary = "how well the SPAM-686 features tells credentials or queries from the clean images that they were "
			  "made from; 0.5 is nothing",
		.source = "metrics/steganalysis.h; reference 5.1. Differs: see there",
		.version = 1,
	},
	.title = "AUC, SPAM-686",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 0,
	.least = 100,
	.least_of = "images",
	.compute = wire_auc_spam686,
};

static int wire_gmsd(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_gmsd", 0, 1, v);
}

const struct metric metric_wire_gmsd = {
	.drv = {
		.name = "wire_gmsd",
		.summary = "gradient magnitude similarity deviation, 0 is best between clean images and the credentials or "
			  "queries made from them; mean over images",
		.source = "Xue et al., IEEE TIP 23 (2014); constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "GMSD",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = -1,
	.least = 50,
	.least_of = "images",
	.compute = wire_gmsd,
};

static int wire_haarpsi(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_haarpsi", 0, 1, v);
}

const struct metric metric_wire_haarpsi = {
	.drv = {
		.name = "wire_haarpsi",
		.summary = "Haar wavelet similarity between clean images and the credentials or queries made from them; mean "
			  "over images",
		.source = "Reisenhofer et al. 2018; constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "HaarPSI",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 1,
	.least = 50,
	.least_of = "images",
	.compute = wire_haarpsi,
};

static int wire_l0(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_l0", 0, 100, v);
}

const struct metric metric_wire_l0 = {
	.drv = {
		.name = "wire_l0",
		.summary = "pixels that differ between clean images and the credentials or queries made from them; mean over "
			  "images",
		.source = "reference 7.2; constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "L0",
	.unit = "%",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 50,
	.least_of = "images",
	.compute = wire_l0,
};

static int wire_l2(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_l2", 0, 1000, v);
}

const struct metric metric_wire_l2 = {
	.drv = {
		.name = "wire_l2",
		.summary = "length of the difference, black 0 to white 1 between clean images and the credentials or queries "
			  "made from them; mean over images",
		.source = "reference 7.2; constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "L2",
	.unit = "length",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1000,
	.better = -1,
	.least = 50,
	.least_of = "images",
	.compute = wire_l2,
};

static int wire_linf(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_linf", 0, 255, v);
}

const struct metric metric_wire_linf = {
	.drv = {
		.name = "wire_linf",
		.summary = "largest difference of a pixel between clean images and the credentials or queries made from "
			  "them; mean over images",
		.source = "reference 7.2; constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "L-infinity",
	.unit = "/255",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 255,
	.better = -1,
	.least = 50,
	.least_of = "images",
	.compute = wire_linf,
};

static int wire_ms_ssim_2(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_ms_ssim_2", 0, 1, v);
}

const struct metric metric_wire_ms_ssim_2 = {
	.drv = {
		.name = "wire_ms_ssim_2",
		.summary = "structural similarity over two scales between clean images and the credentials or queries made "
			  "from them; mean over images",
		.source = "Wang, Simoncelli and Bovik, Asilomar 2003, two scales; constants: metrics/imagequality.h. "
			  "Differs: of 8-bit images",
		.version = 1,
	},
	.title = "MS-SSIM_2",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 1,
	.better = 1,
	.least = 50,
	.least_of = "images",
	.compute = wire_ms_ssim_2,
};

static int wire_psnr(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_psnr", 0, 100, v);
}

const struct metric metric_wire_psnr = {
	.drv = {
		.name = "wire_psnr",
		.summary = "peak signal-to-noise ratio between clean images and the credentials or queries made from them; "
			  "mean over images",
		.source = "ITU-T J.340; constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "PSNR",
	.unit = "dB",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 100,
	.better = 1,
	.least = 50,
	.least_of = "images",
	.compute = wire_psnr,
};

static int wire_ssim(const struct observations *o, struct value *v)
{
	return mean_over(o, "wire_ssim", -1, 1, v);
}

const struct metric metric_wire_ssim = {
	.drv = {
		.name = "wire_ssim",
		.summary = "structural similarity between clean images and the credentials or queries made from them; mean "
			  "over images",
		.source = "Wang et al., IEEE TIP 13 (2004); constants: metrics/imagequality.h. Differs: of 8-bit images",
		.version = 1,
	},
	.title = "SSIM",
	.unit = "ratio",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = -1,
	.max = 1,
	.better = 1,
	.least = 50,
	.least_of = "images",
	.compute = wire_ssim,
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
	.drv = {
		.name = "wire_visible",
		.summary = "credentials or queries that visibly differ from clean images: PSNR under 30 dB or SSIM under "
			  "0.95",
		.source = "reference 7.6. Differs: nothing",
		.version = 1,
	},
	.title = "Visibly changed",
	.unit = "%",
	.survey = "2024 survey, II.B: concealment of user identity",
	.min = 0,
	.max = 100,
	.better = -1,
	.least = 50,
	.least_of = "images",
	.compute = wire_visible,
};
