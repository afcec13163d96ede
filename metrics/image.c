/* Image quality: what a channel does to the images that pass it. */
#include "metrics/compute.h"

static int channel_psnr(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_psnr", v);
}

const struct metric metric_channel_psnr = {
	.drv = {
		.name = "channel_psnr",
		.summary = "mean over the test images of the peak signal-to-noise ratio after the attack's channel",
		.source = "ITU-T J.340. Differs: identical images count as 100 dB",
		.version = 1,
	},
	.title = "PSNR of the channel",
	.unit = "dB",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 0,
	.compute = channel_psnr,
};

static int channel_bytes(const struct observations *o, struct value *v)
{
	return number_of(o, "channel_bytes", v);
}

const struct metric metric_channel_bytes = {
	.drv = {
		.name = "channel_bytes",
		.summary = "mean bytes of a test image as the attack's channel stores it (8 bytes/pixels: bits per pixel)",
		.source = "none. Differs: whole files, headers and tables included",
		.version = 1,
	},
	.title = "Stored image",
	.unit = "bytes",
	.survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0,
	.max = 1e9,
	.better = 0,
	.compute = channel_bytes,
};
