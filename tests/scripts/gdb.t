#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# make gdb's script on each architecture: a breakpoint in the hypervisor is hit, the stack is
# readable, and a step in a guest stays in the guest.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# It is called by a path with a space.
ln -s "$top" "$scratch/a tree"

# shellcheck disable=SC2016 # gdb's variables
debug() { # ARCH
	local pc
	pc=0x$(llvm-nm "$top/build/$1/guests/lazy.elf" | sed -n 's/^\([0-9a-f]*\) T guest_main$/\1/p')
	timeout -s KILL 3000 "$scratch/a tree/scripts/gdb.sh" --arch "$1" --append test=lazy.read.64 -- -batch \
		-ex "hbreak *$pc" -ex continue -ex 'printf "entered %d\n", $pc == '"$pc" \
		-ex stepi -ex 'printf "stepped %d\n", $pc > '"$pc && \$pc < $pc + 16" -ex 'delete' \
		-ex 'hbreak mm_aspace_fault' -ex continue -ex backtrace -ex kill
}

if ! command -v gdb-multiarch >/dev/null; then
	skip "gdb" "gdb-multiarch is not installed"
	done_testing
fi
for arch in riscv64 aarch64 x86_64; do
	if [ ! -e "$top/build/$arch/guests/lazy.elf" ]; then
		skip "$arch" "not built"
		continue
	fi
	runs 0 "$arch: gdb" debug $arch
	shows "$arch: the guest's first instruction is reached" '^entered 1'
	shows "$arch: one step stays in the guest" '^stepped 1'
	shows "$arch: a breakpoint in the hypervisor is hit" 'mm_aspace_fault \('
	shows "$arch: the stack goes back to kernel_main" '^#[0-9]+ .*kernel_main \('
done

runs 2 "a port that is taken" bash -c "python3 -c '
import socket, subprocess, sys, os
s = socket.create_server((\"localhost\", 0))
sys.exit(subprocess.run([\"$top/scripts/gdb.sh\", \"--arch\", \"riscv64\"],
    env=dict(os.environ, GDB_PORT=str(s.getsockname()[1]))).returncode)'"
shows "is named" 'port [0-9]+ is taken'

done_testing
