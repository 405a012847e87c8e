#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad command lines and guest images, from files on the EFI system partition.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/boot.sh
. "$top/tests/boot.sh"

# UEFI takes seconds to boot, and the refusals are the same on every architecture. So this test
# covers only the files on the EFI system partition.
machine=(--arch x86_64 --virt svm)
good=$top/build/x86_64/guests/hello.bin

refuse "command line: an unknown key" 4 "'frobnicate=1': unknown key" \
	"${machine[@]}" --append 'frobnicate=1'
refuse "command line: a key with a typing error" 4 "did you mean 'guest'[?]" \
	"${machine[@]}" --append 'gest=lazy'
refuse "guest image: beside a built-in guest" 4 'leave one out, or write guest=image' \
	"${machine[@]}" --initrd "$good" --append 'guest=lazy'
refuse "command line: longer than is read" 4 'too long' \
	"${machine[@]}" --append "test=$(printf '%0600d' 0)"

"$top/scripts/run-qemu.sh" "${machine[@]}" --initrd "$good" --expect 'hello from a guest' \
	>"$scratch/log" 2>&1 </dev/null
check "guest image: a good one runs" grep -q '^# RESULT: PASS' "$scratch/log"
head -c 200 "$good" >"$scratch/cut"
refuse "guest image: cut off" 1 'image truncated: shorter than its header says' \
	"${machine[@]}" --initrd "$scratch/cut"
refuse "guest image: for another architecture" 1 'image built for another architecture' \
	"${machine[@]}" --initrd "$top/build/riscv64/guests/hello.bin"

done_testing
