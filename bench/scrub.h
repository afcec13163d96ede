/* Texts that are given away: commands, reasons, job files and reports, without what only their owner may know and
 * without the names of machines, users and folders. Words are known from the store that they belong to; what a text
 * says in words of its own nobody can find. */
#ifndef LB_BENCH_SCRUB_H
#define LB_BENCH_SCRUB_H

#include <jansson.h>
#include <stddef.h>

struct scrub_word;
struct scrub { struct scrub_word *w; int n; }; /* a zeroed one is ready; scrub_release() at the end */

/* The secret options of a cell or of a failure's point, in every form that our own formats write them. */
void scrub_secrets(struct scrub *s, const json_t *point);
/* One such value, as a user typed it. */
void scrub_value(struct scrub *s, const char *option, const char *value);
/* A text that is known as a whole, and what it becomes. */
void scrub_phrase(struct scrub *s, const char *text, const char *instead);
/* The name of a machine (its first part as well); "": nothing. */
void scrub_host(struct scrub *s, const char *host);
/* This machine, and the folder of who is logged in. */
void scrub_here(struct scrub *s);

/* Secrets become "withheld", machines "HOST", folders of users "~", and of paths from / on only the last name
 * stays. New, NUL-terminated; *out (may be NULL): its length. */
char *scrub_text(const struct scrub *s, const char *text, size_t len, size_t *out);
/* A message as well, also without short names of machines and without any number that is a secret of `point` (a
 * failure's with its secrets, or NULL). */
char *scrub_message(const struct scrub *s, const char *text, const json_t *point);
/* A command as cli_command_text() writes it: of paths that lead anywhere else only the last name stays, and nothing
 * of what was set for a secret option. */
char *scrub_command(const struct scrub *s, const char *command);
void scrub_release(struct scrub *s);

#endif
