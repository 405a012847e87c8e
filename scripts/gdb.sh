#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Boots Faultline in QEMU, stopped at its first instruction. gdb is attached, and the symbols are at
# the address that firmware chooses. See docs/debugging.md.
#
# Firmware chooses the address of the image and does not report it. So the machine is booted twice
# with the same options. The first boot prints the address of kernel_main(). The second boot runs
# under gdb.
#
# usage: scripts/gdb.sh --arch ARCH [option of run-qemu.sh]... [-- gdb's arguments...]
#
# $GDB is the debugger (gdb-multiarch), $GDB_PORT the port (a free one).
set -euo pipefail

say() { printf 'gdb.sh: %s\n' "$*" >&2; }
top=$(cd "$(dirname "$0")/.." && pwd)
gdb=${GDB:-gdb-multiarch}

arch='' options=() append=''
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--arch) arch=${2-} ;;
	--virt) [ "${2-}" = svm ] || { say "--virt is svm here: QEMU emulates no VMX" && exit 2; } ;;
	--append) append=${2-} && shift 2 && continue ;;
	esac
	options+=("$1")
	shift
done
[ $# -eq 0 ] || shift
case $arch in
riscv64 | aarch64) symbols=$top/build/$arch/faultline.elf ;;
x86_64)
	symbols=$top/build/$arch/faultline.efi
	# Bochs has no gdb stub in Debian's build.
	options+=(--emulator qemu --accel tcg --virt svm)
	;;
*)
	say "--arch is one of: riscv64 aarch64 x86_64"
	exit 2
	;;
esac
command -v "$gdb" >/dev/null || { say "$gdb is not installed (make setup, or GDB=PROGRAM)" && exit 77; }

taken() { (: <>"/dev/tcp/localhost/$1") 2>/dev/null; }
port=${GDB_PORT:-1234}
while taken "$port"; do
	[ -z "${GDB_PORT-}" ] || { say "port $port is taken: give another GDB_PORT" && exit 2; }
	port=$((port + 1))
done

work=$(mktemp -d "${TMPDIR:-/tmp}/faultline-gdb.XXXXXX")
emulator=
clean_up() {
	[ -z "$emulator" ] || kill "$emulator" 2>/dev/null || true
	[ -z "$emulator" ] || wait "$emulator" 2>/dev/null || true
	rm -rf "$work"
}
trap clean_up EXIT

say "booting once, to see where firmware puts the image"
RUN_DIR=$work "$top/scripts/run-qemu.sh" "${options[@]}" --append 'list test=lazy.read.64' \
	--save "$work/log" >"$work/out" 2>&1 </dev/null || true
here=$(sed -n 's/^# image kernel_main=\(0x[0-9a-f]*\)$/\1/p' "$work/log" 2>/dev/null || true)
[ "$here" ] || { tail -n 5 "$work/out" >&2 && say "the image did not say where it is" && exit 1; }
linked=$(llvm-nm "$symbols" | sed -n 's/^\([0-9a-f]*\) T kernel_main$/0x\1/p')
offset=$((here - linked))

log=$top/build/gdb.log
say "kernel_main is at $here; port $port; the serial line is in ${log#"$PWD/"}"
GDB_PORT=$port RUN_DIR=$work "$top/scripts/run-qemu.sh" "${options[@]}" \
	${append:+--append "$append"} --gdb >"$log" 2>&1 </dev/null &
emulator=$!
# gdb treats a backslash before a blank as a shell does.
quoted=$(printf '%s' "$symbols" | sed 's/[^[:alnum:]_./-]/\\&/g')
"$gdb" -q -ex 'set confirm off' -ex "symbol-file -o $offset $quoted" \
	-ex 'set tcp connect-timeout 600' -ex "target remote localhost:$port" "$@"
