/* UTF-8. See utf8.h. Source: RFC 3629; Unicode 15, 23.2 and UAX #9 for the characters without a shape. */
#include "base/utf8.h"

#include <string.h>

int utf8_next(const char *s, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s;
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	unsigned cp = n == 1 ? p[0] : n ? p[0] & (0xffu >> (n + 1)) : 0;

	*len = 1;
	if (!n)
		return -1;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) /* also the end of the string */
			return -1;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return -1;
	*len = n;
	return (int)cp;
}

int utf8_next_of(const char *s, size_t n, size_t *len)
{
	char four[5] = "";

	memcpy(four, s, n < 4 ? n : 4);
	return utf8_next(four, len);
}

size_t utf8_width(const char *s)
{
	size_t width = 0, len;

	for (; *s; s += len, width++)
		utf8_next(s, &len);
	return width;
}

bool utf8_is_control(int cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

bool utf8_is_hidden(int cp)
{
	static const struct { int first, last; } ranges[] = {
		{ 0x61c, 0x61c }, { 0x180e, 0x180e }, { 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x202a, 0x202e },
		{ 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	return false;
}
