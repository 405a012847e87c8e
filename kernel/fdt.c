/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree reader: see fdt.h.
 *
 *	header    magic, sizes and offsets of the three blocks below
 *	reserved  (address, size) pairs of 64 bits, up to one that is all zero
 *	structure BEGIN name, PROP length name-offset data, ... END; nodes are nested
 *	strings   the names of the properties
 *
 * fdt_open() checks every token up to the end of the structure. The other functions repeat the same
 * steps over the same bytes, which do not change, and check nothing.
 */
#include "fdt.h"

#include "kernel/string.h"

#define HEADER_BYTES 40
#define MAGIC        0xd00dfeedU
#define VERSION      17

enum token {
	TOKEN_BEGIN = 1,
	TOKEN_END_NODE = 2,
	TOKEN_PROP = 3,
	TOKEN_NOP = 4,
	TOKEN_END = 9,
};

const char *fdt_error_name(enum fdt_error error)
{
	static const char *const names[] = {
		[FDT_OK] = "no error",
		[FDT_BAD_MAGIC] = "no device tree: wrong magic",
		[FDT_BAD_VERSION] = "unknown version",
		[FDT_BAD_HEADER] = "a block lies outside the tree, or the tree is too large",
		[FDT_BAD_RESERVATION] = "the reservation block does not end or does not fit",
		[FDT_BAD_TOKEN] = "a token that may not stand where it does",
		[FDT_BAD_NAME] = "a name that does not end inside its block",
		[FDT_BAD_PROPERTY] = "a property of an impossible length or form",
		[FDT_TOO_DEEP] = "nodes nested too deep",
		[FDT_BAD_CELLS] = "address or size cells that cannot be read",
		[FDT_BAD_RANGE] = "a range that wraps",
		[FDT_MEMORY_OVERLAPS] = "two memory ranges overlap",
		[FDT_NO_MEMORY] = "no memory node",
		[FDT_BAD_CPU] = "no CPU nodes, one twice, or not the boot CPU's",
		[FDT_TOO_MANY] = "too many memory regions",
	};

	return (unsigned)error < MM_ARRAY_SIZE(names) ? names[error] : "unknown error";
}

/* --- bytes --- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* A cell has 4 bytes. Every token, name and property of the structure begins at a cell. */
static uint32_t cell_up(uint32_t bytes)
{
	return (bytes + 3) & ~3U;
}

static uint32_t structure_cell(const struct fdt *fdt, uint32_t at)
{
	return be32(fdt->blob + fdt->structure + at);
}

/* --- opening --- */

static bool block_fits(uint32_t offset, uint32_t size, uint32_t total)
{
	return offset >= HEADER_BYTES && offset <= total && size <= total - offset;
}

static enum fdt_error check_header(struct fdt *fdt, const uint8_t *blob, size_t max_bytes)
{
	if (max_bytes < HEADER_BYTES || be32(blob) != MAGIC)
		return FDT_BAD_MAGIC;
	if (be32(blob + 20) < VERSION || be32(blob + 24) > VERSION)
		return FDT_BAD_VERSION;

	*fdt = (struct fdt){
		.blob = blob,
		.total_size = be32(blob + 4),
		.structure = be32(blob + 8),
		.structure_size = be32(blob + 36),
		.strings = be32(blob + 12),
		.strings_size = be32(blob + 32),
		.reservations = be32(blob + 16),
	};
	if (fdt->total_size > max_bytes || fdt->total_size < HEADER_BYTES)
		return FDT_BAD_HEADER;
	if (!block_fits(fdt->structure, fdt->structure_size, fdt->total_size) ||
	    !block_fits(fdt->strings, fdt->strings_size, fdt->total_size) ||
	    !block_fits(fdt->reservations, 0, fdt->total_size))
		return FDT_BAD_HEADER;
	if (fdt->structure % 4 != 0 || fdt->reservations % 8 != 0)
		return FDT_BAD_HEADER;
	return FDT_OK;
}

static enum fdt_error check_reservations(const struct fdt *fdt)
{
	for (uint32_t at = fdt->reservations; fdt->total_size - at >= 16; at += 16) {
		struct mm_hpa_range range =
			mm_hpa_range(mm_hpa_at(be64(fdt->blob + at)), be64(fdt->blob + at + 8));

		if (range.start.raw == 0 && range.size == 0)
			return FDT_OK;
		if (range.size != 0 && !mm_hpa_range_valid(range))
			return FDT_BAD_RESERVATION;
	}
	return FDT_BAD_RESERVATION;
}

/* Is there a NUL-terminated name at `at` that ends before `end`? */
static bool name_ends(const uint8_t *block, uint32_t at, uint32_t end)
{
	return at < end && strnlen((const char *)block + at, end - at) < end - at;
}

/* The state of the check of the structure. */
struct checker {
	uint32_t at; /* a multiple of 4 */
	unsigned depth;
	bool rooted;         /* the root has begun */
	bool properties_due; /* no child has begun yet, so properties are allowed */
};

static enum fdt_error check_begin(const struct fdt *fdt, struct checker *c)
{
	const uint8_t *block = fdt->blob + fdt->structure;
	uint32_t length;

	if (c->rooted && c->depth == 0)
		return FDT_BAD_TOKEN;
	if (c->depth == FDT_DEPTH)
		return FDT_TOO_DEEP;
	if (!name_ends(block, c->at, fdt->structure_size))
		return FDT_BAD_NAME;
	length = (uint32_t)strlen((const char *)block + c->at) + 1;
	if (cell_up(length) > fdt->structure_size - c->at)
		return FDT_BAD_NAME;
	c->at += cell_up(length);
	c->depth++;
	c->rooted = true;
	c->properties_due = true;
	return FDT_OK;
}

static enum fdt_error check_property(const struct fdt *fdt, struct checker *c)
{
	uint32_t length, name, left;

	if (!c->properties_due)
		return FDT_BAD_TOKEN;
	if (fdt->structure_size - c->at < 8)
		return FDT_BAD_PROPERTY;
	length = structure_cell(fdt, c->at);
	name = structure_cell(fdt, c->at + 4);
	c->at += 8;
	left = fdt->structure_size - c->at;
	if (length > left || cell_up(length) > left)
		return FDT_BAD_PROPERTY;
	if (!name_ends(fdt->blob + fdt->strings, name, fdt->strings_size))
		return FDT_BAD_NAME;
	c->at += cell_up(length);
	return FDT_OK;
}

static enum fdt_error check_end_node(struct checker *c)
{
	if (c->depth == 0)
		return FDT_BAD_TOKEN;
	c->depth--;
	c->properties_due = false;
	return FDT_OK;
}

static enum fdt_error check_structure(const struct fdt *fdt)
{
	struct checker c = {0};
	enum fdt_error error = FDT_OK;

	while (error == FDT_OK && fdt->structure_size - c.at >= 4) {
		uint32_t token = structure_cell(fdt, c.at);

		c.at += 4;
		if (token == TOKEN_BEGIN)
			error = check_begin(fdt, &c);
		else if (token == TOKEN_PROP)
			error = check_property(fdt, &c);
		else if (token == TOKEN_END_NODE)
			error = check_end_node(&c);
		else if (token == TOKEN_END)
			return c.rooted && c.depth == 0 ? FDT_OK : FDT_BAD_TOKEN;
		else if (token != TOKEN_NOP)
			error = FDT_BAD_TOKEN;
	}
	return error != FDT_OK ? error : FDT_BAD_TOKEN;
}

enum fdt_error fdt_open(struct fdt *fdt, const void *blob, size_t max_bytes)
{
	enum fdt_error error = check_header(fdt, blob, max_bytes);

	if (error == FDT_OK)
		error = check_reservations(fdt);
	if (error == FDT_OK)
		error = check_structure(fdt);
	return error;
}

/* --- properties --- */

bool fdt_next_property(const struct fdt *fdt, uint32_t *at, struct fdt_property *out)
{
	while (structure_cell(fdt, *at) == TOKEN_NOP)
		*at += 4;
	if (structure_cell(fdt, *at) != TOKEN_PROP)
		return false;
	out->bytes = structure_cell(fdt, *at + 4);
	out->name = (const char *)fdt->blob + fdt->strings + structure_cell(fdt, *at + 8);
	out->data = fdt->blob + fdt->structure + *at + 12;
	*at += 12 + cell_up(out->bytes);
	return true;
}

bool fdt_get(const struct fdt *fdt, const struct fdt_node *node, const char *name,
             struct fdt_property *out)
{
	struct fdt_property p;

	for (uint32_t at = node->offset; fdt_next_property(fdt, &at, &p);) {
		if (strcmp(p.name, name) == 0) {
			*out = p;
			return true;
		}
	}
	return false;
}

bool fdt_get_u32(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint32_t *out)
{
	struct fdt_property p;

	if (!fdt_get(fdt, node, name, &p) || p.bytes != 4)
		return false;
	*out = be32(p.data);
	return true;
}

bool fdt_get_u64(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                 uint64_t *out)
{
	struct fdt_property p;

	if (!fdt_get(fdt, node, name, &p) || (p.bytes != 4 && p.bytes != 8))
		return false;
	*out = p.bytes == 4 ? be32(p.data) : be64(p.data);
	return true;
}

bool fdt_has_string(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                    const char *text)
{
	size_t length = strlen(text) + 1;
	struct fdt_property p;
	size_t at = 0;

	if (!fdt_get(fdt, node, name, &p))
		return false;
	while (at < p.bytes) {
		if (length <= p.bytes - at && memcmp(p.data + at, text, length) == 0)
			return true;
		at += strnlen((const char *)p.data + at, p.bytes - at) + 1;
	}
	return false;
}

bool fdt_is_enabled(const struct fdt *fdt, const struct fdt_node *node)
{
	struct fdt_property p;

	return !fdt_get(fdt, node, "status", &p) || fdt_has_string(fdt, node, "status", "okay") ||
	       fdt_has_string(fdt, node, "status", "ok");
}

static uint64_t read_cells(const uint8_t *data, unsigned cells)
{
	if (cells == 0)
		return 0;
	return cells == 1 ? be32(data) : be64(data);
}

/* Translates *range by one entry of `ranges` (child address, parent address, size). False: the
 * entry does not contain all of it. */
static bool translate_entry(const uint8_t *entry, unsigned child, unsigned parent, unsigned size,
                            struct mm_hpa_range *range)
{
	uint64_t from = read_cells(entry, child);
	uint64_t to = read_cells(entry + 4 * (size_t)child, parent);
	uint64_t bytes = read_cells(entry + 4 * (size_t)(child + parent), size);
	uint64_t skip = range->start.raw - from;
	struct mm_hpa_range mapped = {mm_hpa_at(to + skip), range->size};

	if (range->start.raw < from || skip >= bytes || range->size > bytes - skip ||
	    to > UINT64_MAX - skip || (range->size != 0 && !mm_hpa_range_valid(mapped)))
		return false;
	*range = mapped;
	return true;
}

/* Translates by the `ranges` of the bus that is the parent at this depth. */
static bool translate_bus(const struct fdt_node *node, unsigned depth,
                          const struct fdt_property *ranges, struct mm_hpa_range *range)
{
	unsigned child = node->cells[depth].address_cells;
	unsigned size = node->cells[depth].size_cells;
	unsigned parent = node->cells[depth - 1].address_cells;
	uint32_t entry = 4 * (child + parent + size);

	if (child < 1 || child > 2 || parent < 1 || parent > 2 || size < 1 || size > 2)
		return false;
	for (uint32_t at = 0; entry <= ranges->bytes - at; at += entry) {
		if (translate_entry(ranges->data + at, child, parent, size, range))
			return true;
	}
	return false;
}

static bool translate(const struct fdt *fdt, const struct fdt_node *node,
                      struct mm_hpa_range *range)
{
	for (unsigned depth = node->depth - 1; depth > 1; depth--) {
		struct fdt_node bus = {.offset = node->offsets[depth]};
		struct fdt_property ranges;

		if (!fdt_get(fdt, &bus, "ranges", &ranges))
			return true;
		if (ranges.bytes != 0 && !translate_bus(node, depth, &ranges, range))
			return false;
	}
	return true;
}

bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, unsigned index,
             struct mm_hpa_range *out)
{
	unsigned address = node->cells[node->depth - 1].address_cells;
	unsigned size = node->cells[node->depth - 1].size_cells;
	uint32_t entry = 4 * (address + size);
	struct fdt_property p;
	struct mm_hpa_range range;

	if (address < 1 || address > 2 || size > 2 || !fdt_get(fdt, node, "reg", &p) ||
	    index >= p.bytes / entry)
		return false;
	p.data += (size_t)index * entry;
	range.start = mm_hpa_at(read_cells(p.data, address));
	range.size = read_cells(p.data + 4 * (size_t)address, size);
	if (range.size != 0 && !mm_hpa_range_valid(range))
		return false;
	if (!translate(fdt, node, &range))
		return false;
	*out = range;
	return true;
}

/* --- nodes --- */

/* A number of cells that is too large is stored as UINT8_MAX, which fdt_reg() refuses. */
static uint8_t cells_of(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                        uint8_t otherwise)
{
	uint32_t cells = otherwise;

	if (fdt_get_u32(fdt, node, name, &cells) && cells > UINT8_MAX)
		cells = UINT8_MAX;
	return (uint8_t)cells;
}

struct fdt_node fdt_start(const struct fdt *fdt)
{
	(void)fdt;
	return (struct fdt_node){.name = ""};
}

static void enter(const struct fdt *fdt, struct fdt_node *node, uint32_t at)
{
	node->name = (const char *)fdt->blob + fdt->structure + at;
	node->offset = at + cell_up((uint32_t)strlen(node->name) + 1);
	node->depth++;
	node->offsets[node->depth] = node->offset;
	/* The defaults are the specification's, section 2.3.5. */
	node->cells[node->depth].address_cells = cells_of(fdt, node, "#address-cells", 2);
	node->cells[node->depth].size_cells = cells_of(fdt, node, "#size-cells", 1);
}

bool fdt_next(const struct fdt *fdt, struct fdt_node *node)
{
	struct fdt_property skipped;
	uint32_t at = node->offset;

	for (;;) {
		while (fdt_next_property(fdt, &at, &skipped))
			;
		switch (structure_cell(fdt, at)) {
		case TOKEN_BEGIN:
			enter(fdt, node, at + 4);
			return true;
		case TOKEN_END_NODE:
			node->depth--;
			at += 4;
			break;
		default: /* TOKEN_END: fdt_open() accepts no other token here */
			return false;
		}
	}
}

bool fdt_find_compatible(const struct fdt *fdt, const char *compatible, struct fdt_node *out)
{
	for (struct fdt_node node = fdt_start(fdt); fdt_next(fdt, &node);) {
		if (fdt_has_string(fdt, &node, "compatible", compatible) &&
		    fdt_is_enabled(fdt, &node)) {
			*out = node;
			return true;
		}
	}
	return false;
}

/* Is `name` this path component of `length` bytes, with or without its unit address? */
static bool is_component(const char *name, const char *component, size_t length)
{
	if (strnlen(name, length) < length || memcmp(name, component, length) != 0)
		return false;
	return name[length] == '\0' || name[length] == '@';
}

static size_t component_length(const char *path, size_t length)
{
	size_t n = 0;

	while (n < length && path[n] != '/')
		n++;
	return n;
}

/* A path of `length` bytes that begins with '/'. Matches one component after the other. Nodes that
 * are deeper than the next component are skipped. */
static bool find_path(const struct fdt *fdt, const char *path, size_t length, struct fdt_node *out)
{
	struct fdt_node node = fdt_start(fdt);
	unsigned matched = 1;

	if (length == 0 || *path != '/' || !fdt_next(fdt, &node))
		return false;
	path++, length--;
	while (length != 0) {
		size_t n = component_length(path, length);

		if (!fdt_next(fdt, &node) || node.depth <= matched)
			return false;
		if (node.depth != matched + 1 || !is_component(node.name, path, n))
			continue;
		matched++;
		path += n, length -= n;
		if (length != 0)
			path++, length--;
	}
	*out = node;
	return true;
}

bool fdt_find_path(const struct fdt *fdt, const char *path, struct fdt_node *out)
{
	return find_path(fdt, path, strlen(path), out);
}

bool fdt_find_stdout(const struct fdt *fdt, struct fdt_node *out)
{
	struct fdt_node node;
	struct fdt_property p, alias;
	size_t length = 0;

	if (!fdt_find_path(fdt, "/chosen", &node) || !fdt_get(fdt, &node, "stdout-path", &p))
		return false;
	while (length < p.bytes && p.data[length] != '\0' && p.data[length] != ':')
		length++;
	if (length != 0 && p.data[0] == '/')
		return find_path(fdt, (const char *)p.data, length, out);

	if (!fdt_find_path(fdt, "/aliases", &node))
		return false;
	for (uint32_t at = node.offset; fdt_next_property(fdt, &at, &alias);) {
		if (strlen(alias.name) == length && memcmp(alias.name, p.data, length) == 0)
			return find_path(fdt, (const char *)alias.data,
			                 strnlen((const char *)alias.data, alias.bytes), out);
	}
	return false;
}

bool fdt_next_reservation(const struct fdt *fdt, unsigned *index, struct mm_hpa_range *out)
{
	const uint8_t *entry = fdt->blob + fdt->reservations + (size_t)*index * 16;

	*out = mm_hpa_range(mm_hpa_at(be64(entry)), be64(entry + 8));
	if (out->start.raw == 0 && out->size == 0)
		return false;
	++*index;
	return true;
}
