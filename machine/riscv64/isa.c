/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the ISA from the device tree. Names are in lower case, as the device tree bindings demand.
 */
#include "machine/riscv64/isa.h"

#include <stddef.h>

static const char *isa_string = "";
/* The value of "riscv,isa-extensions": NUL-terminated names, one after the other. */
static const char *list;
static uint32_t list_bytes;
static uint32_t zero_block_bytes;

/* A property may lack its final NUL: then the answer is "". */
static const char *string_property(const struct fdt *fdt, const struct fdt_node *node,
                                   const char *name)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) || property.bytes == 0 ||
	    property.data[property.bytes - 1] != 0)
		return "";
	return (const char *)property.data;
}

void isa_init(const struct fdt *fdt, uint64_t hart)
{
	struct fdt_node node = fdt_start(fdt);
	struct fdt_property property;
	struct mm_hpa_range reg;

	while (fdt_next(fdt, &node)) {
		if (!fdt_has_string(fdt, &node, "device_type", "cpu") ||
		    !fdt_reg(fdt, &node, 0, &reg) || reg.start.raw != hart)
			continue;
		isa_string = string_property(fdt, &node, "riscv,isa");
		(void)fdt_get_u32(fdt, &node, "riscv,cboz-block-size", &zero_block_bytes);
		if (*string_property(fdt, &node, "riscv,isa-extensions") != '\0' &&
		    fdt_get(fdt, &node, "riscv,isa-extensions", &property)) {
			list = (const char *)property.data;
			list_bytes = property.bytes;
		}
		return;
	}
}

/* Does `text` begin with `name`, followed by NUL or an underscore? */
static bool is_word(const char *text, const char *name)
{
	while (*name != '\0')
		if (*text++ != *name++)
			return false;
	return *text == '\0' || *text == '_';
}

static bool in_list(const char *name)
{
	for (uint32_t at = 0; at < list_bytes; at++)
		if ((at == 0 || list[at - 1] == '\0') && is_word(list + at, name))
			return true;
	return false;
}

/* "rv64imafdch_zicsr_sstc": single letters up to the first underscore, then words. */
static bool in_string(const char *name)
{
	const char *at = isa_string;
	bool letter = name[1] == '\0';

	if (at[0] == '\0' || at[1] == '\0' || at[2] == '\0' || at[3] == '\0')
		return false;
	for (at += 4; *at != '\0' && *at != '_'; at++)
		if (letter && *at == name[0])
			return true;
	for (; *at != '\0'; at++)
		if (*at == '_' && is_word(at + 1, name))
			return true;
	return false;
}

bool isa_has(const char *extension)
{
	return in_list(extension) || in_string(extension);
}

uint32_t isa_zero_block_bytes(void)
{
	return zero_block_bytes;
}
