/* What a channel's detector flags: clean images by mistake, credentials by intention. */
#include "metrics/metric.h"

const struct metric metric_detector_false_alarms = {
	.drv = { .name = "detector_false_alarms", .version = 1,
		 .summary = "clean test images that the attack's detector flags at its threshold",
		 .source = "Namba and Sakuma, AsiaCCS 2019; MagNet (Meng and Chen, CCS 2017). Differs: nothing" },
	.title = "False alarms", .unit = "%", .survey = "2024 survey, II.B: resistance to sample modification",
	.min = 0, .max = 100, .better = 0, .least = 1000, .least_of = "images", .same_images = true,
	.share = "detector_clean_flagged",
};

const struct metric metric_detector_hits = {
	.drv = { .name = "detector_hits", .version = 1,
		 .summary = "issued credentials that the attack's detector flags: read beside detector_false_alarms",
		 .source = "Namba and Sakuma, AsiaCCS 2019. Differs: credentials instead of a watermark's key images" },
	.title = "Credentials detected", .unit = "%", .survey = "2024 survey, II.B: concealment of user identity",
	.min = 0, .max = 100, .better = -1, .least = 100, .least_of = "credentials or queries",
	.share = "detector_genuine_flagged",
};

const struct metric metric_protection_detected = {
	.drv = { .name = "protection_detected", .version = 1,
		 .summary = "deployed networks that the attack's detector says to be protected: read beside "
			    "protection_false_alarms",
		 .source = "Wang and Kerschbaum, ICASSP 2019. Differs: for every kind of protection" },
	.title = "Protection detected", .unit = "%", .survey = "indistinguishability; cost of reverse analysis",
	.min = 0, .max = 100, .better = -1, .share = "protection_detected",
};

const struct metric metric_protection_false_alarms = {
	.drv = { .name = "protection_false_alarms", .version = 1,
		 .summary = "unprotected networks of the same recipe that the attack's detector says to be protected",
		 .source = "Wang and Kerschbaum, ICASSP 2019. Differs: the owner's unprotected network instead of a bank" },
	.title = "False detections", .unit = "%", .survey = "indistinguishability",
	.min = 0, .max = 100, .better = 0, .share = "protection_false_alarm",
};
