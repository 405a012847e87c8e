/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as a device tree: refused, or readable from end to end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fdt.h"

static volatile uint64_t sink;

static void read_node(const struct fdt *fdt, const struct fdt_node *node)
{
	struct fdt_property property;
	struct mm_hpa_range range;
	uint32_t at = node->offset, u32;
	uint64_t u64;
	sink += strlen(node->name) + fdt_is_enabled(fdt, node);
	while (fdt_next_property(fdt, &at, &property)) {
		sink += strlen(property.name);
		for (uint32_t i = 0; i < property.bytes; i++)
			sink += property.data[i];
		sink += fdt_get_u32(fdt, node, property.name, &u32);
		sink += fdt_get_u64(fdt, node, property.name, &u64);
		sink += fdt_has_string(fdt, node, property.name, "okay");
	}
	for (unsigned i = 0; i < 8 && fdt_reg(fdt, node, i, &range); i++)
		sink += range.size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of exactly this size, at an odd address: what is read beyond it is seen. */
	uint8_t *copy = malloc(size + 1);
	uint8_t *blob = copy + 1;
	struct boot_info *info = calloc(1, sizeof(*info));
	struct fdt fdt;
	struct fdt_node node;
	struct mm_hpa_range range;
	unsigned index = 0;

	memcpy(blob, data, size);
	if (fdt_open(&fdt, blob, size) == FDT_OK) {
		node = fdt_start(&fdt);
		while (fdt_next(&fdt, &node))
			read_node(&fdt, &node);
		while (fdt_next_reservation(&fdt, &index, &range))
			sink += range.size;
		sink += fdt_find_compatible(&fdt, "ns16550a", &node);
		sink += fdt_find_path(&fdt, "/cpus/cpu", &node);
		sink += fdt_find_stdout(&fdt, &node);
	}
	sink += fdt_read_boot(blob, size, info);
	free(info);
	free(copy);
	return 0;
}
