/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _VGPU_NUMBER_H
#define _VGPU_NUMBER_H

#include <linux/types.h>

/**
 * vgpu_number_parse() - read a decimal number in the one way that it is printed
 * @text: need not end in a null byte
 * @len: bytes of @text
 * @digits: how many it may have at most; nineteen cannot overflow
 * @number: the answer
 *
 * Return: false for anything else: a sign, a space, a zero in front
 */
static inline bool vgpu_number_parse(const char *text, size_t len,
				     size_t digits, u64 *number)
{
	size_t i;

	if (!len || len > digits || (len > 1 && text[0] == '0'))
		return false;
	*number = 0;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*number = *number * 10 + text[i] - '0';
	}
	return true;
}

#endif /* _VGPU_NUMBER_H */
