/* COM1 (console.c). machine.h has what the rest of the hypervisor sees of it. */
#ifndef MACHINE_X86_64_CONSOLE_H
#define MACHINE_X86_64_CONSOLE_H

/* Sets the line to 8N1, FIFOs on, interrupts off; leaves the speed as firmware set it. */
void console_init(void);

#endif
