/* SPDX-License-Identifier: BSD-2-Clause */
/* Features by name: see feature.h. */
#include "suite/feature.h"

#include "kernel/string.h"

bool suite_has_feature(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->caps.feature_count; i++) {
		if (strcmp(host->caps.features[i].name, name) == 0)
			return host->caps.features[i].present;
	}
	return false;
}
