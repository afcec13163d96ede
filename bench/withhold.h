/* Cells without what only their owner may know: the options that a scheme declares as secret (scheme.h), ActiveGuard's
 * digits, a passport's signature, a chaotic key. Stores keep them; bundles, which are given away, do not.
 *
 * In place of the value stands "withheld-" and 8 hexadecimal digits of a hash over it, so that cells of the same value
 * stay together and others apart, in reports and comparisons too. A value that says "drawn at random" or "none" (the
 * word random, an empty text or list) is no secret and stays. A withheld cell
 *   - keeps its key. That is a hash over all settings, the secret one included: whoever guesses a value can check it,
 *     so a secret needs to be long (a hash keeps no secret of 13 digits).
 *   - has the member "withheld": the sha256 of the cell as its store has it; its own sha256 is of what is left.
 * Whoever knows the value can put it back, and has the first cell again, to the byte. What the owner drew by the
 * study's seed is in no cell; but the seed is, and anybody can draw it again. */
#ifndef LB_BENCH_WITHHOLD_H
#define LB_BENCH_WITHHOLD_H

#include <jansson.h>
#include <stdbool.h>

/* A cell, or the point of a failure, without: new, the caller decrefs. Equal to what was given where nothing is
 * secret. */
json_t *withhold(const json_t *point);
/* Does something stand in it that withhold() put there? */
bool withheld(const json_t *point);
/* Every option withheld: {scheme: {option: option}} gets more of them. */
void withheld_note(json_t *set, const json_t *point);

/* Values to try, beside those that are published: "schemes.passport.signature=TEXT". 0, or -1 after error() when one of
 * these texts is no secret option's or not a value of it. */
int withheld_check_values(const char *const *set, int n);
/* The cell with its values: new, the caller decrefs. NULL without error(): none of the values known is the one that was
 * withheld of *lacks ("schemes.passport.signature"; size of the text). */
json_t *withheld_restore(const json_t *cell, const char *const *set, int n, char lacks[160]);
/* Does a cell say rightly what is withheld, and does it, with a value that is published, give the first cell again?
 * 0; 1 where the value is not known here; -1 after error(). */
int withheld_check(const json_t *cell);

#endif
