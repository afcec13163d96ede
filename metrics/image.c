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
	.survey = "active survey (2023), II.B: resistance to sample modification",
	.min = 0,
	.max = 100,
	.better = 0,
	.compute = channel_psnr,
};
