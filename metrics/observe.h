/* Observations: the raw outcomes that an evaluation saw, by name. Metrics are computed from them and from
 * nothing else, so every number can be computed again from the cell file.
 *
 * Bits (one trial each, in a fixed order):
 *   reference_correct      test image classified right by the unprotected network
 *   authorised_correct     ... by the service for a user with a valid credential
 *   unauthorised_correct   ... by the service without a credential
 *   genuine_accepted       user-major: users x credentials_per_user issued credentials
 *   genuine_identified     ... accepted and taken for the right user
 *   zero_effort_accepted   clean test images submitted as credentials
 *   revoked_accepted       credentials of a revoked user after revocation
 *   forged_accepted        an attack's forged credentials;  forged_as_claimed: accepted as the claimed user
 *   colluded_accepted      a credential that colluders made of theirs, or lent, is accepted; colluded_traced: and taken for one of them,
 *                          colluded_framed: for a user who is none of them, colluded_nobody: for nobody who exists
 *   colluded_revoked_accepted  one that named a user (at most 20) is accepted after that user's revocation
 *   collusion_collateral   a valid credential of a user outside the coalition is refused after it
 *   attacked_correct       test image classified right by the attacker's model
 *   attacked_genuine_accepted  issued credentials against the service running the attacked model
 *   channel_authorised_correct, channel_unauthorised_correct, channel_genuine_accepted, channel_genuine_identified
 *                          the same through an attack's channel
 *   detector_clean_flagged, detector_genuine_flagged
 *                          clean test images, and issued credentials (or prepared queries), that the attack's detector flags
 *   protection_detected, protection_false_alarm
 *                          the deployed network, and the unprotected one, is said to carry a protection (one trial each)
 *   mark_matched           symbols of the owner's mark read right (in the locked, or the attacked, model)
 *   null_verified          does the owner's mark verify in models that never carried it (the base model, ...)
 *   genuine_check_NAME, zero_effort_check_NAME, channel_check_NAME, forged_check_NAME
 *                          the parts of a scheme's check ("class", "identity") that such credentials pass
 *   genuine_traced, genuine_named, channel_traced, channel_named
 *                          a query of an authorised user: traced to its sender, to anybody
 *   genuine_bits_read, channel_bits_read  a bit of an identity, read from a query
 * Numbers: users, credentials_per_user, users_analytic, users_measured, ownership_verified (0/1), parameters,
 *   reference_parameters, macs, reference_macs, credential_bytes, lock_forward_equivalents,
 *   reference_forward_equivalents, enrol_forward_equivalents, changed (share of product that differs), classes,
 *   changed_credentials (share of them that a channel changed), channel_psnr (dB), channel_bytes (of a stored image),
 *   detector_threshold (absent when it is infinite),
 *   protection_score, protection_clean_score, protection_threshold
 * Series: confidence_histogram (50 bins of top confidence over [0,1]), confidence_histogram_clean,
 *   wrong_key_accuracy (percent, one a key that nobody issued);
 *   detector_clean, detector_genuine: the detector's scores of the first 2,000 test images and of all credentials, or of queries that
 *   users' clients prepared (larger is more suspicious; flagged above detector_threshold) */
#ifndef LB_METRICS_OBSERVE_H
#define LB_METRICS_OBSERVE_H

#include <jansson.h>
#include <stddef.h>

struct obs_entry {
	char name[48];
	int kind;            /* 'b' bits, 'n' number, 's' series */
	size_t n;            /* trials, or length of the series */
	long k;              /* bits set */
	unsigned char *bits; /* (n), one byte a bit */
	double value;
	double *series;      /* (n) */
};
struct observations { struct obs_entry *e; int n; };

/* A zeroed struct is ready. Values are copied; a name given twice is replaced. */
void obs_bits(struct observations *o, const char *name, const unsigned char *bits, size_t n);
void obs_num(struct observations *o, const char *name, double v);
void obs_series(struct observations *o, const char *name, const double *v, size_t n);
const struct obs_entry *obs_get(const struct observations *o, const char *name, int kind); /* NULL when absent */
double obs_getnum(const struct observations *o, const char *name, double def);
void obs_release(struct observations *o);
json_t *obs_json(const struct observations *o); /* {"bits":{name:{"k","n","bits"}},"numbers":{},"series":{}} sorted */
/* Believes nothing: names are names, bits count what they say, numbers are at most OBS_NUMBER_MAX, so that sums of squares stay numbers.
 * -1 after error(), o is empty then. */
#define OBS_NUMBER_MAX 1e100
int obs_from_json(struct observations *o, const json_t *j);

#endif
