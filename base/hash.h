/* SHA-256, HMAC (libcrypto) and hex. */
#ifndef LB_BASE_HASH_H
#define LB_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_LEN 32
#define HASH_HEX 65 /* with the NUL */

struct hash { void *ctx; }; /* private */
void hash_init(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t len);
void hash_end(struct hash *h, uint8_t out[HASH_LEN]); /* also releases */
void hash_end_hex(struct hash *h, char out[HASH_HEX]);

void sha256(const void *data, size_t len, uint8_t out[HASH_LEN]);
void sha256_hex(const void *data, size_t len, char out[HASH_HEX]);
/* HMAC-SHA256 (RFC 2104). */
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[HASH_LEN]);
void hex_encode(const uint8_t *in, size_t n, char *out); /* out: 2n + 1 bytes */
/* 0, or -1 when the text is not exactly 2n lower- or upper-case hex digits. */
int hex_decode(const char *in, uint8_t *out, size_t n);

#endif
