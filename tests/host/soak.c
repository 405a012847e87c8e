/* SPDX-License-Identifier: BSD-2-Clause */
#include "soak.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECONDS_BETWEEN 30

uint64_t soak_setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 0) : otherwise;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct soak soak_begin(uint64_t of, const char *format, ...)
{
	struct soak soak = {.of = of, .started = now()};
	va_list args;
	va_start(args, format);
	vsnprintf(soak.what, sizeof(soak.what), format, args);
	va_end(args);
	soak.said = soak.started;
	return soak;
}

void soak_tell(struct soak *soak, uint64_t done)
{
	double at = now();
	if (!getenv("SOAK") || at - soak->said < SECONDS_BETWEEN)
		return;
	double rate = (double)done / (at - soak->started);
	soak->said = at;
	printf("# %s: %" PRIu64 " of %" PRIu64 ", %.0f a second, %.0f s to go\n", soak->what, done,
	       soak->of, rate, (double)(soak->of - done) / rate);
	fflush(stdout);
}

void soak_end(const struct soak *soak, uint64_t done)
{
	if (!getenv("SOAK"))
		return;
	printf("# %s: %" PRIu64 " done in %.0f s\n", soak->what, done, now() - soak->started);
	fflush(stdout);
}
