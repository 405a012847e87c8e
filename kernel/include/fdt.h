/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of flattened device trees (Devicetree Specification v0.4, chapter 5). The tree comes
 * from firmware and is not trusted: fdt_open() walks the whole blob once, and refuses it unless
 * every token, name, property and offset lies inside the block that the header gives. The other
 * functions read a blob that fdt_open() accepted, without further checks.
 *
 * Pure: no allocation and no globals. The blob may have any alignment. Several CPUs may read it.
 */
#ifndef FDT_H
#define FDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot_info.h"
#include "mm/addr.h"
#include "mm/compiler.h"

/* How deep nodes may nest: the root is at depth 1. Real trees stay below 8. */
#define FDT_DEPTH 16

enum fdt_error {
	FDT_OK = 0,
	FDT_BAD_MAGIC,       /* not a device tree at all */
	FDT_BAD_VERSION,     /* older than 17, or no longer compatible with it */
	FDT_BAD_HEADER,      /* a block lies outside the total size, or the size beyond max_bytes */
	FDT_BAD_RESERVATION, /* the reservation block does not end, or a range in it wraps */
	FDT_BAD_TOKEN,       /* an unknown token, or a token in a place where it is not allowed */
	FDT_BAD_NAME,        /* a node or property name that does not end inside its block */
	FDT_BAD_PROPERTY,    /* a property beyond its block, or of a wrong length for its name */
	FDT_TOO_DEEP,        /* more than FDT_DEPTH nested nodes */
	FDT_BAD_CELLS,       /* #address-cells or #size-cells other than 1 or 2 */
	FDT_BAD_RANGE,       /* a memory, reserved or initrd range that wraps */
	FDT_MEMORY_OVERLAPS, /* two memory ranges share bytes */
	FDT_NO_MEMORY,       /* no memory node with a byte in it */
	FDT_BAD_CPU,         /* a CPU node without reg, one CPU twice, or not the boot CPU */
	FDT_TOO_MANY,        /* more regions than struct boot_info holds */
};

/* A blob that fdt_open() accepted. Offsets count from `blob`. */
struct fdt {
	const uint8_t *blob;
	uint32_t total_size;
	uint32_t structure, structure_size;
	uint32_t strings, strings_size;
	uint32_t reservations;
};

/* A node, and its parents: their cells are needed to read its reg. */
struct fdt_node {
	uint32_t offset; /* of its first token after the name */
	unsigned depth;  /* 1 is the root; 0: before the first node */
	const char *name;
	struct {
		uint8_t address_cells;
		uint8_t size_cells;
	} cells[FDT_DEPTH + 1];          /* cells[d]: for the children of the node at depth d */
	uint32_t offsets[FDT_DEPTH + 1]; /* offsets[d]: of the parent at depth d */
};

struct fdt_property {
	const char *name;
	const uint8_t *data; /* big-endian cells or text; unaligned */
	uint32_t bytes;
};

/* "two memory ranges overlap", never NULL. */
const char *fdt_error_name(enum fdt_error error);

/* Checks a blob of at most max_bytes readable bytes, and fills *fdt. */
enum fdt_error fdt_open(struct fdt *fdt, const void *blob, size_t max_bytes) MM_MUST_CHECK;

/* fdt_start() is the position before the first node. Each fdt_next() goes to the next node, parents
 * before children. False after the last one. */
struct fdt_node fdt_start(const struct fdt *fdt);
bool fdt_next(const struct fdt *fdt, struct fdt_node *node);

/* A property of this node by its name. */
bool fdt_get(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             struct fdt_property *out);
/* The next property of a node. `*at` begins as node->offset. */
bool fdt_next_property(const struct fdt *fdt, uint32_t *at, struct fdt_property *out);

/* A property of one cell (u32), or of one or two cells (u64). False: absent, or another length. */
bool fdt_get_u32(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint32_t *out);
bool fdt_get_u64(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint64_t *out);
/* Is `text` one of the NUL-terminated strings of the property? */
bool fdt_has_string(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                    const char *text);
/* No status property, "okay" or "ok". */
bool fdt_is_enabled(const struct fdt *fdt, const struct fdt_node *node);

/*
 * Entry `index` of the node's reg; size 0 if reg has no size cells. Addresses are translated by
 * the `ranges` of each bus on the way up to the root (Devicetree Specification, 2.3.8). A bus
 * with an empty `ranges` has its parent's addresses. Without `ranges` they are not translated
 * further: CPU numbers, for example. False if there is no such entry, it wraps, or a bus on the
 * way does not map all of it.
 */
bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, unsigned index,
             struct mm_hpa_range *out);

/* The first enabled node whose compatible lists this. */
bool fdt_find_compatible(const struct fdt *fdt, const char *compatible, struct fdt_node *out);
/* The node at this path: "/chosen", "/cpus". Unit addresses may be left off. */
bool fdt_find_path(const struct fdt *fdt, const char *path, struct fdt_node *out);
/* The node that /chosen's stdout-path names, by path or by alias; options after ':' ignored. */
bool fdt_find_stdout(const struct fdt *fdt, struct fdt_node *out);

/* The next entry of the reservation block. `*index` begins as 0. */
bool fdt_next_reservation(const struct fdt *fdt, unsigned *index, struct mm_hpa_range *out);

/*
 * Reads what a boot path needs. The caller has set info->boot_cpu, and may have added regions (its
 * own image). Appends the memory nodes as BOOT_RAM; reservations, /reserved-memory, the initrd and
 * the blob itself as BOOT_RESERVED. Sets cmdline, cpus, cpu_ids, guest_image and fdt. CPUs that are
 * disabled are left out. The boot CPU comes first.
 */
enum fdt_error fdt_read_boot(const void *blob, size_t max_bytes,
                             struct boot_info *info) MM_MUST_CHECK;

#endif
