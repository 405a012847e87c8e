/*
 * A reader of flattened device trees (Devicetree Specification v0.4, chapter 5). Firmware hands
 * one over, and nothing in it is trusted: fdt_open() walks the whole blob once, and refuses it
 * unless every token, name, property and offset lies where the header says it may. Whatever it
 * accepts can then be read without a further check, so the accessors below cannot fail in an
 * interesting way.
 *
 * Pure: no allocation, no globals, no alignment demanded of the blob. Concurrent reads are fine.
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
	FDT_BAD_TOKEN,       /* an unknown token, or a known one where it may not stand */
	FDT_BAD_NAME,        /* a node or property name that does not end inside its block */
	FDT_BAD_PROPERTY,    /* a property longer than what is left, or not as its name demands */
	FDT_TOO_DEEP,        /* more than FDT_DEPTH nested nodes */
	FDT_BAD_CELLS,       /* #address-cells or #size-cells that no reg here can be read with */
	FDT_BAD_RANGE,       /* a memory, reserved or initrd range that wraps */
	FDT_MEMORY_OVERLAPS, /* two memory ranges share bytes */
	FDT_NO_MEMORY,       /* no memory node with a byte in it */
	FDT_BAD_CPU,         /* no usable CPU node, one named twice, or the boot CPU unnamed */
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

/* A node, and the way down to it: for the cells that its reg is read with. */
struct fdt_node {
	uint32_t offset; /* of its first token after the name */
	unsigned depth;  /* 1 is the root; 0: before the first node */
	const char *name;
	struct {
		uint8_t address_cells;
		uint8_t size_cells;
	} cells[FDT_DEPTH + 1]; /* cells[d]: what a node at depth d gives to its children */
	uint32_t offsets[FDT_DEPTH + 1]; /* offsets[d]: of the node at depth d on the way down */
};

struct fdt_property {
	const char *name;
	const uint8_t *data; /* big-endian cells or text; unaligned */
	uint32_t bytes;
};

/* "a property is longer than what is left", never NULL. */
const char *fdt_error_name(enum fdt_error error);

/* Checks a blob of at most max_bytes readable bytes, and makes *fdt of it. */
enum fdt_error fdt_open(struct fdt *fdt, const void *blob, size_t max_bytes) MM_MUST_CHECK;

/* The node before the first; then each fdt_next() goes to the next one, parents first. False
 * after the last. */
struct fdt_node fdt_start(const struct fdt *fdt);
bool fdt_next(const struct fdt *fdt, struct fdt_node *node);

/* A property of this node by its name. */
bool fdt_get(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             struct fdt_property *out);
/* The properties of a node in turn: `*at` begins as node->offset. */
bool fdt_next_property(const struct fdt *fdt, uint32_t *at, struct fdt_property *out);

/* A property that is one cell, or one or two cells. False if it is neither, or absent. */
bool fdt_get_u32(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint32_t *out);
bool fdt_get_u64(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint64_t *out);
/* Is `text` (one of) the NUL-terminated strings of the property? */
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
             struct hpa_range *out);

/* The first enabled node whose compatible lists this. */
bool fdt_find_compatible(const struct fdt *fdt, const char *compatible, struct fdt_node *out);
/* The node at this path: "/chosen", "/cpus". Unit addresses may be left off. */
bool fdt_find_path(const struct fdt *fdt, const char *path, struct fdt_node *out);
/* The node that /chosen's stdout-path names, by path or by alias; options after ':' ignored. */
bool fdt_find_stdout(const struct fdt *fdt, struct fdt_node *out);

/* The reservation block's entries in turn: `*index` begins as 0. */
bool fdt_next_reservation(const struct fdt *fdt, unsigned *index, struct hpa_range *out);

/*
 * What a boot path wants of it. The caller has set info->boot_cpu, and may have added regions
 * (its own image); this appends the memory nodes as BOOT_RAM, reservations, /reserved-memory,
 * the initrd and the blob itself as BOOT_RESERVED; sets cmdline, cpus, cpu_ids, guest_image and
 * fdt. CPUs that are disabled are left out, and the boot CPU comes first.
 */
enum fdt_error fdt_read_boot(const void *blob, size_t max_bytes,
                             struct boot_info *info) MM_MUST_CHECK;

#endif
