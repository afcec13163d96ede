/* Seconds: measured beside the cell by bench/overhead.c, for they do not repeat to the bit. Here is what they mean. */
#include "metrics/metric.h"

const struct metric metric_authentication_ms = {
	.drv = { .name = "authentication_ms", .version = 1,
		 .summary = "milliseconds to authenticate one credential",
		 .source = "reference 4.1. Differs: median of 31 calls after 5" },
	.title = "Authentication time", .unit = "ms", .survey = "2024 survey, II.B: overhead; 2021 survey, Table II: efficiency",
	.min = 0, .max = 1e9, .better = -1, .from = FROM_TIMING,
};

const struct metric metric_authorised_latency_ms_1 = {
	.drv = { .name = "authorised_latency_ms_1", .version = 1,
		 .summary = "milliseconds for an answer with a credential, one image at a time",
		 .source = "reference 4.1. Differs: the credential is checked in every call" },
	.title = "Latency, one image", .unit = "ms", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = -1, .from = FROM_TIMING,
};

const struct metric metric_authorised_latency_ms_64 = {
	.drv = { .name = "authorised_latency_ms_64", .version = 1,
		 .summary = "milliseconds for an answer with a credential, 64 images at a time, each",
		 .source = "reference 4.1. Differs: the credential is checked in every call" },
	.title = "Latency, 64 images", .unit = "ms", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = -1, .from = FROM_TIMING,
};

const struct metric metric_latency_ratio_1 = {
	.drv = { .name = "latency_ratio_1", .version = 1,
		 .summary = "the same over that of the unprotected network, one image at a time",
		 .source = "reference 4.1. Differs: median of 31 calls after 5" },
	.title = "Latency ratio, one", .unit = "ratio", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = -1, .from = FROM_TIMING,
};

const struct metric metric_latency_ratio_64 = {
	.drv = { .name = "latency_ratio_64", .version = 1,
		 .summary = "the same over that of the unprotected network, 64 images at a time",
		 .source = "reference 4.1. Differs: median of 31 calls after 5" },
	.title = "Latency ratio, 64", .unit = "ratio", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = -1, .from = FROM_TIMING,
};

const struct metric metric_reference_latency_ms_1 = {
	.drv = { .name = "reference_latency_ms_1", .version = 1,
		 .summary = "milliseconds for an answer of the unprotected network, one image at a time",
		 .source = "reference 4.1. Differs: nothing" },
	.title = "Unprotected, one image", .unit = "ms", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = 0, .from = FROM_TIMING,
};

const struct metric metric_reference_latency_ms_64 = {
	.drv = { .name = "reference_latency_ms_64", .version = 1,
		 .summary = "milliseconds for an answer of the unprotected network, 64 images at a time, each",
		 .source = "reference 4.1. Differs: nothing" },
	.title = "Unprotected, 64 images", .unit = "ms", .survey = "2024 survey, II.B: overhead",
	.min = 0, .max = 1e9, .better = 0, .from = FROM_TIMING,
};
