/* SHA-256 and hex. See hash.h. libcrypto fails here only when memory runs out or it is broken. */
#include "base/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/error.h"

static void must(int ok)
{
	if (!ok)
		die(EXIT_MEMORY, "libcrypto cannot compute SHA-256");
}

void hash_init(struct hash *h)
{
	h->ctx = EVP_MD_CTX_new();
	must(h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL));
}

void hash_add(struct hash *h, const void *data, size_t len)
{
	if (len)
		must(EVP_DigestUpdate(h->ctx, data, len));
}

void hash_end(struct hash *h, uint8_t out[HASH_LEN])
{
	must(EVP_DigestFinal_ex(h->ctx, out, NULL));
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void hash_end_hex(struct hash *h, char out[HASH_HEX])
{
	uint8_t raw[HASH_LEN];

	hash_end(h, raw);
	hex_encode(raw, HASH_LEN, out);
}

void sha256(const void *data, size_t len, uint8_t out[HASH_LEN])
{
	must(EVP_Digest(len ? data : "", len, out, NULL, EVP_sha256(), NULL));
}

void sha256_hex(const void *data, size_t len, char out[HASH_HEX])
{
	uint8_t raw[HASH_LEN];

	sha256(data, len, raw);
	hex_encode(raw, HASH_LEN, out);
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t out[HASH_LEN])
{
	must(HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL) != NULL);
}

void hex_encode(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *in, uint8_t *out, size_t n)
{
	if (strnlen(in, 2 * n + 1) != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_value(in[2 * i]), lo = hex_value(in[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return 0;
}
