/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: a 16550, if /chosen's stdout-path names one. Otherwise the firmware's console (SBI
 * legacy console_putchar), which every machine has. Firmware has set the line up.
 */
#include "machine.h"
#include "machine/riscv64/init.h"
#include "machine/riscv64/sbi.h"
#include "machine/uart16550.h"

static uintptr_t base; /* 0: the firmware's console */
static unsigned reg_shift;
static bool wide; /* registers are 32 bits wide */

static uint32_t read_register(unsigned reg)
{
	uintptr_t at = base + ((uintptr_t)reg << reg_shift);

	return wide ? *(volatile uint32_t *)at : *(volatile uint8_t *)at;
}

static void write_register(unsigned reg, uint8_t value)
{
	uintptr_t at = base + ((uintptr_t)reg << reg_shift);

	if (wide)
		*(volatile uint32_t *)at = value;
	else
		*(volatile uint8_t *)at = value;
}

static const struct uart16550 uart = {read_register, write_register};

void console_init(const struct fdt *fdt)
{
	struct fdt_node node;
	struct mm_hpa_range range;
	uint32_t value;

	if (!fdt_find_stdout(fdt, &node) || !fdt_reg(fdt, &node, 0, &range))
		return;
	if (!fdt_has_string(fdt, &node, "compatible", "ns16550a") &&
	    !fdt_has_string(fdt, &node, "compatible", "ns16550") &&
	    !fdt_has_string(fdt, &node, "compatible", "snps,dw-apb-uart"))
		return;
	if (fdt_get_u32(fdt, &node, "reg-shift", &value) && value <= 3)
		reg_shift = value;
	wide = fdt_get_u32(fdt, &node, "reg-io-width", &value) && value == 4;
	base = (uintptr_t)range.start.raw;
}

void machine_console_put(char c)
{
	if (base == 0)
		sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0, 0, 0);
	else
		uart16550_put(&uart, c);
}

void machine_console_drain(void)
{
	if (base != 0)
		uart16550_drain(&uart);
}
