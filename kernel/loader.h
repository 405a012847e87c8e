/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest images: those that are linked into the hypervisor, and the checks on every image before it
 * is loaded.
 */
#ifndef KERNEL_LOADER_H
#define KERNEL_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guests/abi.h"
#include "mm/addr.h"
#include "mm/compiler.h"

struct guest_image {
	const char *name;
	const void *start; /* begins with a struct guest_header */
	size_t bytes;
};

/* Finds a linked image by its name. False: there is none. */
bool guest_image_find(const char *name, struct guest_image *out);

/* Offers the names of all linked images to a search that nearest_begin() started. */
struct nearest;
void guest_image_nearest(struct nearest *near);

/*
 * NULL if the image can run as `arch` in ram_bytes of guest memory (0: as much as it requests);
 * else what is wrong, as a sentence. The header is copied to *header, and only the copy is read:
 * the image may be in memory that others can write.
 */
const char *guest_image_check(const struct guest_image *image, enum guest_arch arch,
                              uint64_t ram_bytes, struct guest_header *header);

/* This machine's guest architecture, by machine_arch's name. */
enum guest_arch guest_arch_of(const char *machine);

#endif
