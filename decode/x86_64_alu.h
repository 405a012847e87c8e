/*
 * The arithmetic that an emulated instruction does on a device's value, with the flags it
 * leaves: SDM vol. 1, 3.4.3.1 and appendix A. Pure.
 */
#ifndef DECODE_X86_64_ALU_H
#define DECODE_X86_64_ALU_H

#include <stdint.h>

#include "decode/x86_64.h"

/* left `op` right, cut to `width` bytes; *rflags gets the six status flags. For INSN_ADD, OR,
 * AND, SUB, XOR, CMP and TEST. */
uint64_t alu(enum insn_op op, uint64_t left, uint64_t right, unsigned width, uint64_t *rflags);

#endif
