#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Machines with odd, small and large memory. Cases that need more memory are skipped with the
# reason, and none fails. 64 GiB may be more than the host has.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
: "${top:?}"

sizes() { # EXTENSION OPTIONS...
	local extension=$1 mem
	shift
	for mem in 64M 66564K 68M 72M 80M 64G; do
		runs 0 "$extension: $mem" "$top/scripts/run-qemu.sh" "$@" --mem "$mem" \
			--append 'test=*lazy*' --timeout 200
	done
}

sizes hext --arch riscv64
sizes el2 --arch aarch64
sizes svm --arch x86_64 --emulator qemu --accel tcg --virt svm

done_testing
