/*
 * Finds out what the board is made of. A device tree says it; for boards whose loader gives none
 * there is a table, keyed by where the image was loaded and by what the CPU says of itself.
 */
#include "board.h"

#include "arm_boot.h"
#include "fdt.h"
#include "mm/compiler.h"

#define FDT_MAX_BYTES (2U << 20)

struct board board;

/* --- from the device tree --- */

static void add_device(struct hpa_range range)
{
	if (range.size != 0 && board.device_count < BOARD_DEVICES)
		board.devices[board.device_count++] = range;
}

static const struct {
	const char *compatible;
	enum board_uart kind;
} uarts[] = {
	{"arm,pl011", UART_PL011},
	{"arm,sbsa-uart", UART_PL011},
	{"cdns,uart-r1p12", UART_CADENCE},
	{"xlnx,xuartps", UART_CADENCE},
};

static bool use_uart(const struct fdt *fdt, const struct fdt_node *node, enum board_uart kind)
{
	struct hpa_range range;

	if (!fdt_reg(fdt, node, 0, &range))
		return false;
	board.uart = kind;
	board.uart_base = range.start;
	add_device(range);
	return true;
}

/* The console that the tree chose, if it is of a kind known here; else the first that is. */
static void find_uart(const struct fdt *fdt)
{
	struct fdt_node node;
	bool chosen = fdt_find_stdout(fdt, &node);

	for (size_t i = 0; chosen && i < ARRAY_SIZE(uarts); i++) {
		if (fdt_has_string(fdt, &node, "compatible", uarts[i].compatible) &&
		    use_uart(fdt, &node, uarts[i].kind))
			return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(uarts); i++) {
		if (fdt_find_compatible(fdt, uarts[i].compatible, &node) &&
		    use_uart(fdt, &node, uarts[i].kind))
			return;
	}
}

static void find_irq(const struct fdt *fdt)
{
	static const struct {
		const char *compatible;
		enum board_irq kind;
	} known[] = {
		{"arm,gic-v3", IRQ_GICV3},
		{"arm,cortex-a15-gic", IRQ_GICV2},
		{"arm,gic-400", IRQ_GICV2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct hpa_range distributor;
		struct fdt_node node;

		if (!fdt_find_compatible(fdt, known[i].compatible, &node) ||
		    !fdt_reg(fdt, &node, 0, &distributor) ||
		    !fdt_reg(fdt, &node, 1, &board.irq_cpu))
			continue;
		board.irq = known[i].kind;
		board.irq_distributor = distributor.start;
		add_device(distributor);
		add_device(board.irq_cpu);
		return;
	}
}

static void find_psci(const struct fdt *fdt)
{
	static const char *const versions[] = {"arm,psci-1.0", "arm,psci-0.2"};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct fdt_node node;

		if (!fdt_find_compatible(fdt, versions[i], &node))
			continue;
		board.psci = fdt_has_string(fdt, &node, "method", "hvc") ? PSCI_HVC : PSCI_SMC;
		return;
	}
}

static void read_tree(const struct fdt *fdt)
{
	board.name = "device-tree";
	find_uart(fdt);
	find_irq(fdt);
	find_psci(fdt);
}

/* --- from the table --- */

/* A board that is recognised by where its loader puts images. */
struct known_board {
	struct board board;
	struct hpa_range loaded; /* the image begins in here */
	struct hpa_range ram;
	unsigned cpus;
};

static const struct known_board known_boards[] = {
	{
		.board = {.name = "sbsa-ref",
                          .uart = UART_PL011,
                          .uart_base = {0x60000000},
                          .irq = IRQ_GICV3,
                          .irq_distributor = {0x40060000},
                          .irq_cpu = {{0x40080000}, 0x4000000}},
		.loaded = {{UINT64_C(0x10000000000)}, UINT64_C(0x10000000000)},
		.ram = {{UINT64_C(0x10000000000)}, UINT64_C(0x10000000)},
		.cpus = 1,
	},
	{
		.board = {.name = "raspi3b", .uart = UART_PL011, .uart_base = {0x3f201000}},
		.loaded = {{0}, 0x3b400000},
		.ram = {{0}, 0x3b400000},
		.cpus = 1,
	},
};

static const struct known_board *known_board(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_boards); i++) {
		if (hpa_range_contains(known_boards[i].loaded, arm_image().start))
			return &known_boards[i];
	}
	return NULL;
}

void arm_board_find(const void *fdt)
{
	const struct known_board *known = known_board();
	struct fdt tree;

	if (fdt != NULL && fdt_open(&tree, fdt, FDT_MAX_BYTES) == FDT_OK)
		read_tree(&tree);
	else if (known != NULL)
		board = known->board;
}

bool arm_board_describe(struct boot_info *info)
{
	const struct known_board *known = known_board();

	if (known == NULL || info->region_count == BOOT_REGIONS)
		return false;
	info->regions[info->region_count++] = (struct boot_region){known->ram, BOOT_RAM};
	info->cpus = known->cpus;
	info->cpu_ids[0] = info->boot_cpu;
	return true;
}
