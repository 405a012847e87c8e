/*
 * The console: a 16550 where /chosen's stdout-path names one, and otherwise the firmware's own
 * (SBI legacy console_putchar), which every machine has. The firmware has set the line up.
 */
#include "machine/riscv64/console.h"

#include "machine.h"
#include "machine/riscv64/sbi.h"
#include "mm/bits.h"

#define UART_THR      0 /* transmitter holding register */
#define UART_LSR      5 /* line status register */
#define UART_LSR_THRE BIT(5)
#define UART_LSR_TEMT BIT(6) /* holding and shift register empty: the last bit is out */

static uintptr_t uart; /* 0: the firmware's console */
static unsigned reg_shift;
static bool wide; /* registers are 32 bits */

static uint32_t uart_read(unsigned reg)
{
	uintptr_t at = uart + ((uintptr_t)reg << reg_shift);

	return wide ? *(volatile uint32_t *)at : *(volatile uint8_t *)at;
}

static void uart_write(unsigned reg, uint8_t value)
{
	uintptr_t at = uart + ((uintptr_t)reg << reg_shift);

	if (wide)
		*(volatile uint32_t *)at = value;
	else
		*(volatile uint8_t *)at = value;
}

static void uart_wait(uint64_t status)
{
	while ((uart_read(UART_LSR) & status) != status)
		machine_relax();
}

void console_init(const struct fdt *fdt)
{
	struct fdt_node node;
	struct hpa_range range;
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
	uart = (uintptr_t)range.start.raw;
}

void machine_console_put(char c)
{
	if (uart == 0) {
		sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0, 0, 0);
		return;
	}
	uart_wait(UART_LSR_THRE);
	uart_write(UART_THR, (uint8_t)c);
}

void machine_console_drain(void)
{
	if (uart != 0)
		uart_wait(UART_LSR_TEMT);
}
