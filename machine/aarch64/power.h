/* The end of the machine. */
#ifndef MACHINE_AARCH64_POWER_H
#define MACHINE_AARCH64_POWER_H

/* The HLT of a semihosting call: where it traps, there is no debugger. */
extern const char semihosting_hlt[];

/* What is left when no debugger took the exit: the firmware, or waiting for ever. */
_Noreturn void power_off_by_firmware(void);

#endif
