#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the command lines of docs/booting.md exactly as on the page. The comment before each block,
# <!-- run: EMULATOR [STATUS] -->, gives the expected exit status.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

page=$top/docs/booting.md
cd "$top" || exit 1

missing() { # EMULATOR: its requirements that this machine does not have
	case $1 in
	spike)
		command -v "${SPIKE:-spike}" >/dev/null || echo "Debian 12 has no package of Spike: give SPIKE=FILE"
		[ -r "${OPENSBI:-/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf}" ] ||
			echo "no fw_jump.elf (package opensbi, or OPENSBI=FILE)"
		;;
	bochs) command -v bochs >/dev/null || echo "bochs is not installed" ;;
	*) command -v "qemu-system-$1" >/dev/null || echo "qemu-system-$1 is not installed" ;;
	esac
	case $1 in
	bochs | x86_64) [ -r /usr/share/ovmf/OVMF.fd ] || echo "no /usr/share/ovmf/OVMF.fd" ;;
	esac
	[ "$1" != bochs ] || [ -r /usr/share/vgabios/vgabios.bin ] || echo "no vgabios"
}

run_block() { # FILE STATUS
	local status=0
	TMPDIR=$scratch timeout -s KILL 3000 bash "$1" >"$scratch/log" 2>"$scratch/err" </dev/null || status=$?
	sed -n '/^TAP version/,$p' "$scratch/log" | scripts/check-log >"$scratch/judged" 2>&1 &&
		[ "$status" -eq "$2" ] && return
	echo "status $status, and $2 is expected"
	tail -n 20 "$scratch/err" "$scratch/judged"
	return 1
}

# Each block becomes a file, N.EMULATOR.STATUS.
awk -v to="$scratch/block" '
	/^<!-- run: / { name = to "." ++n "." $3 "." ($4 == "-->" ? 0 : $4); next }
	/^```/ { inside = !inside; if (!inside) name = ""; next }
	inside && name { print >name }
	inside && !name { print "a block without a comment before it: " $0 >(to ".stray") }' "$page"

check "each block says where it runs" [ ! -e "$scratch/block.stray" ]
blocks=$(find "$scratch" -name 'block.[0-9]*' | sort -V)
# shellcheck disable=SC2001 # a regular expression
check "there are blocks for every emulator" \
	[ "$(sed 's/.*block.[0-9]*\.\(.*\)\.[0-9]*/\1/' <<<"$blocks" | sort -u | tr '\n' ' ')" = \
	"aarch64 bochs riscv64 spike x86_64 " ]
for block in $blocks; do
	IFS=. read -r number emulator status <<<"${block##*block.}"
	why=$(missing "$emulator")
	if [ "$why" ]; then
		skip "block $number: $emulator" "${why//$'\n'/, }"
	else
		check "block $number: $emulator" run_block "$block" "$status"
	fi
done

done_testing
