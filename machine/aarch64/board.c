/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the devices of the board. A device tree lists them. Boards whose loader gives none are in a
 * table, and are recognised by the image's load address and the CPU's identification registers.
 */
#include "machine/aarch64/board.h"

#include "fdt.h"
#include "machine/aarch64/arm_boot.h"
#include "machine/aarch64/sysreg.h"
#include "mm/bits.h"
#include "mm/compiler.h"

/* Arm ARM D17.2.101; DDI 0500 (Cortex-A53), 4.3.73; DDI 0488 (Cortex-A57), 4.3.69 (as A72). */
SYSREG_READ(midr_el1, "midr_el1")
SYSREG_READ(cbar_el1, "S3_1_C15_C3_0")
#define MIDR_IMPLEMENTER GENMASK(31, 24)
#define MIDR_PART        GENMASK(15, 4)
#define CORTEX_A53       (FIELD_PREP(MIDR_IMPLEMENTER, 0x41) | FIELD_PREP(MIDR_PART, 0xd03))
#define CORTEX_A72       (FIELD_PREP(MIDR_IMPLEMENTER, 0x41) | FIELD_PREP(MIDR_PART, 0xd08))
#define CBAR_COMPARED    GENMASK(31, 25) /* lower bits differ between a board and its emulator */

#define FDT_MAX_BYTES (2U << 20)

struct board board;

/* --- from the device tree --- */

static void add_device(struct mm_hpa_range range)
{
	if (range.size != 0 && board.device_count < BOARD_DEVICES)
		board.devices[board.device_count++] = range;
}

static const struct {
	const char *compatible;
	enum board_uart kind;
} uarts[] = {
	{"arm,pl011", UART_PL011},         {"arm,sbsa-uart", UART_PL011},
	{"cdns,uart-r1p12", UART_CADENCE}, {"xlnx,xuartps", UART_CADENCE},
	{"fsl,imx6q-uart", UART_IMX}, /* in the device trees of the i.MX 8M, too */
};

static bool use_uart(const struct fdt *fdt, const struct fdt_node *node, enum board_uart kind)
{
	struct mm_hpa_range range;

	if (!fdt_reg(fdt, node, 0, &range))
		return false;
	board.uart = kind;
	board.uart_base = range.start;
	add_device(range);
	return true;
}

/* The console that /chosen names, if it is a known UART; else the first known UART. */
static void find_uart(const struct fdt *fdt)
{
	struct fdt_node node;
	bool chosen = fdt_find_stdout(fdt, &node);

	for (size_t i = 0; chosen && i < MM_ARRAY_SIZE(uarts); i++) {
		if (fdt_has_string(fdt, &node, "compatible", uarts[i].compatible) &&
		    use_uart(fdt, &node, uarts[i].kind))
			return;
	}
	for (size_t i = 0; i < MM_ARRAY_SIZE(uarts); i++) {
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
		{"brcm,bcm2836-l1-intc", IRQ_BCM2836},
	};

	for (size_t i = 0; i < MM_ARRAY_SIZE(known); i++) {
		struct mm_hpa_range distributor;
		struct fdt_node node;

		if (!fdt_find_compatible(fdt, known[i].compatible, &node) ||
		    !fdt_reg(fdt, &node, 0, &distributor))
			continue;
		if (known[i].kind != IRQ_BCM2836 && !fdt_reg(fdt, &node, 1, &board.irq_cpu))
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

	for (size_t i = 0; i < MM_ARRAY_SIZE(versions); i++) {
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

/*
 * A board without a complete device tree. It is recognised by the load address of the image. If two
 * boards have the same load address, the CPU type and the base of its peripherals (CBAR_EL1)
 * decide.
 */
struct known_board {
	struct board board;
	struct mm_hpa_range loaded; /* the image begins in this range */
	uint64_t cpu;               /* CORTEX_A53, ...; 0: any, and CBAR_EL1 is not read */
	uint64_t peripherals;       /* the bits CBAR_COMPARED of CBAR_EL1 */
	struct mm_hpa_range ram;
	unsigned cpus; /* with affinities 0, 1, ... */
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
		.ram = {{UINT64_C(0x10000000000)}, 0x10000000},
		.cpus = 1,
	},
	{
		.board = {.name = "raspi3b",
                          .uart = UART_PL011,
                          .uart_base = {0x3f201000},
                          .irq = IRQ_BCM2836,
                          .irq_distributor = {0x40000000},
                          .spin_table = {0xd8}},
		.loaded = {{0}, 0x3b400000},
		.cpu = CORTEX_A53,
		.peripherals = 0x3f000000,
		/* What every such board has at least, the 3A+ among them: 512 MiB, 64 of them the
                 * graphics processor's. */
		.ram = {{0}, 0x1c000000},
		.cpus = 4,
	},
	{
		.board = {.name = "raspi4b",
                          .uart = UART_PL011,
                          .uart_base = {0xfe201000},
                          .irq = IRQ_GICV2,
                          .irq_distributor = {0xff841000},
                          .irq_cpu = {{0xff842000}, 0x2000},
                          .spin_table = {0xd8}},
		.loaded = {{0}, 0x3b400000},
		.cpu = CORTEX_A72,
		.peripherals = 0xfe000000,
		.ram = {{0},
                        0x3b400000}, /* 1 GiB at least, 76 MiB of it the graphics processor's */
		.cpus = 4,
	},
	{
		.board = {.name = "xlnx-zcu102",
                          .uart = UART_CADENCE,
                          .uart_base = {0xff000000},
                          .irq = IRQ_GICV2,
                          .irq_distributor = {0xf9010000},
                          .irq_cpu = {{0xf9020000}, 0x20000},
                          .psci = PSCI_SMC},
		.loaded = {{0}, 0x80000000},
		.cpu = CORTEX_A53,
		.peripherals = 0xf9000000,
		.ram = {{0}, 0x8000000}, /* what every such board has at least */
		.cpus = 4,
	},
};

/* CBAR_EL1 is read only on CPUs that are known to have it. */
static bool is_cpu_of(const struct known_board *known)
{
	return known->cpu == 0 ||
	       ((read_midr_el1() & (MIDR_IMPLEMENTER | MIDR_PART)) == known->cpu &&
	        ((read_cbar_el1() ^ known->peripherals) & CBAR_COMPARED) == 0);
}

static const struct known_board *known_board(void)
{
	for (size_t i = 0; i < MM_ARRAY_SIZE(known_boards); i++) {
		const struct known_board *known = &known_boards[i];

		if (mm_hpa_range_contains(known->loaded, arm_image().start) && is_cpu_of(known))
			return known;
	}
	return NULL;
}

/* Adds from the table what the device tree does not have. */
static void complete(const struct board *known)
{
	if (board.uart == UART_NONE) {
		board.name = known->name;
		board.uart = known->uart;
		board.uart_base = known->uart_base;
	}
	if (board.irq == IRQ_NONE) {
		board.irq = known->irq;
		board.irq_distributor = known->irq_distributor;
		board.irq_cpu = known->irq_cpu;
	}
	if (board.psci == PSCI_NONE) {
		board.psci = known->psci;
		board.spin_table = known->spin_table;
	}
}

void arm_board_find(const void *fdt)
{
	const struct known_board *known = known_board();
	struct fdt tree;

	if (fdt != NULL && fdt_open(&tree, fdt, FDT_MAX_BYTES) == FDT_OK)
		read_tree(&tree);
	if (known != NULL)
		complete(&known->board);
}

bool arm_board_describe(struct boot_info *info)
{
	const struct known_board *known = known_board();

	if (known == NULL || info->region_count + 2 > BOOT_REGIONS)
		return false;
	info->regions[info->region_count++] = (struct boot_region){known->ram, BOOT_RAM};
	/* The first page belongs to firmware: the CPUs that are not started execute it. */
	info->regions[info->region_count++] =
		(struct boot_region){mm_hpa_range(known->ram.start, MM_PAGE_SIZE), BOOT_RESERVED};
	for (info->cpus = 0; info->cpus < known->cpus; info->cpus++)
		info->cpu_ids[info->cpus] = info->cpus;
	return true;
}
