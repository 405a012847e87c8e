/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as a command line, and as a pattern and a name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char error[CMDLINE_ERROR];
	struct cmdline parsed;

	memcpy(text, data, size);
	text[size] = '\0';
	memset(error, 'x', sizeof(error));
	/* Refused: then it says why, and within its bounds. */
	if (!cmdline_parse(text, &parsed, error) &&
	    (error[0] == '\0' || !memchr(error, '\0', sizeof(error))))
		abort();
	/* A few stars at most: what they match is looked for by trying. */
	size_t stars = 0;
	for (size_t i = 0; i < size / 2; i++)
		stars += text[i] == '*';
	if (stars <= 4 && size < 200) {
		char name[201];
		memcpy(name, &text[size / 2], size - size / 2 + 1);
		text[size / 2] = '\0';
		(void)glob_match(text, name);
	}
	free(text);
	return 0;
}
