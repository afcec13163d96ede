/* Image quality: what a channel does to the images that pass it. */
#include "metrics/metric.h"

const struct metric metric_channel_bytes = {
	.drv = { .name = "channel_bytes", .version = 1,
		 .summary = "mean bytes of a test image as the attack's channel stores it (8 bytes/pixels: bits per pixel)",
		 .source = "none. Differs: whole files, headers and tables included" },
	.title = "Stored image", .unit = "bytes", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 1e9, .better = 0, .number = "channel_bytes",
};

const struct metric metric_channel_gmsd = {
	.drv = { .name = "channel_gmsd", .version = 1,
		 .summary = "mean GMSD between the first 100 images and what the attack's channel makes of them",
		 .source = "Xue et al., IEEE TIP 23 (2014); constants: metrics/image/imagequality.h. Differs: see there" },
	.title = "GMSD, channel", .unit = "ratio", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 1, .better = 0, .number = "channel_gmsd",
};

const struct metric metric_channel_haarpsi = {
	.drv = { .name = "channel_haarpsi", .version = 1,
		 .summary = "mean HaarPSI between the first 100 images and what the attack's channel makes of them",
		 .source = "Reisenhofer et al. 2018; constants: metrics/image/imagequality.h. Differs: see there" },
	.title = "HaarPSI, channel", .unit = "ratio", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 1, .better = 0, .number = "channel_haarpsi",
};

const struct metric metric_channel_ms_ssim_2 = {
	.drv = { .name = "channel_ms_ssim_2", .version = 1,
		 .summary = "mean MS-SSIM_2 between the first 100 images and what the attack's channel makes of them",
		 .source = "Wang, Simoncelli and Bovik, Asilomar 2003, two scales; constants: metrics/image/imagequality.h. Differs: "
			   "see there" },
	.title = "MS-SSIM_2, channel", .unit = "ratio", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 1, .better = 0, .number = "channel_ms_ssim_2",
};

const struct metric metric_channel_psnr = {
	.drv = { .name = "channel_psnr", .version = 1,
		 .summary = "mean over the test images of the peak signal-to-noise ratio after the attack's channel",
		 .source = "ITU-T J.340. Differs: identical images count as 100 dB" },
	.title = "PSNR of the channel", .unit = "dB", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 0, .number = "channel_psnr",
};

const struct metric metric_channel_ssim = {
	.drv = { .name = "channel_ssim", .version = 1,
		 .summary = "mean SSIM between the first 100 images and what the attack's channel makes of them",
		 .source = "Wang et al., IEEE TIP 13 (2004); constants: metrics/image/imagequality.h. Differs: see there" },
	.title = "SSIM, channel", .unit = "ratio", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = -1, .max = 1, .better = 0, .number = "channel_ssim",
};
