/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds a guest image that is linked into the hypervisor (guest_images.S) by its name. */
#include "kernel/loader.h"
#include "kernel/nearest.h"
#include "kernel/string.h"

#define GUEST(name) extern const uint8_t guest_##name##_start[], guest_##name##_end[];
#include "kernel/guest_list.inc"
#undef GUEST

static const struct {
	const char *name;
	const uint8_t *start;
	const uint8_t *end;
} images[] = {
#define GUEST(name) {#name, guest_##name##_start, guest_##name##_end},
#include "kernel/guest_list.inc"
#undef GUEST
};

void guest_image_nearest(struct nearest *near)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(images); i++)
		nearest_try(near, images[i].name);
}

bool guest_image_find(const char *name, struct guest_image *out)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(images); i++) {
		if (strcmp(images[i].name, name) == 0) {
			*out = (struct guest_image){
				.name = images[i].name,
				.start = images[i].start,
				.bytes = (size_t)(images[i].end - images[i].start),
			};
			return true;
		}
	}
	return false;
}
