# SPDX-License-Identifier: BSD-2-Clause
# A toolchain for a program without a C library: riscv64, ABI lp64. FAULTLINE_SUPPORT is the folder
# of bare.c and start_riscv64.S, which stand for the program's own.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_COMPILER clang)
set(CMAKE_ASM_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET riscv64-none-elf)
set(CMAKE_ASM_COMPILER_TARGET riscv64-none-elf)
set(CMAKE_C_FLAGS_INIT "-march=rv64imac -mabi=lp64 -mcmodel=medany -mno-relax -ffreestanding -fno-builtin")
set(CMAKE_ASM_FLAGS_INIT "-march=rv64imac -mabi=lp64")
set(CMAKE_C_LINK_EXECUTABLE "ld.lld -static -e _start <OBJECTS> -o <TARGET> <LINK_LIBRARIES>")
