# SPDX-License-Identifier: BSD-2-Clause
# Fake emulators for the tests of run-qemu.sh: they produce every kind of end. Source this file
# after tests/tap.sh.
#
#	boot LOG END OPTIONS...		run-qemu.sh with an emulator that prints LOG (a format of
#					printf's) and ends with status END; or END is hang or crash
#	plan OPTIONS...			the command that run-qemu.sh would run
# shellcheck shell=bash
: "${top:?}" "${scratch:?}" # tap.sh's

image=$scratch/image
echo image >"$image"
mkdir "$scratch/bin"
export RUN_DIR=$scratch/run
PATH=$scratch/bin:$PATH

# The fakes print $FAKE_LOG and end as $FAKE_END says.
cat >"$scratch/bin/qemu" <<'END'
#!/bin/bash
[ "$1" != --version ] || { echo "fake emulator version 1.2.3" && exit; }
printf "$FAKE_LOG"
[ -z "$FAKE_PID" ] || echo $$ >"$FAKE_PID"
case $FAKE_END in
hang) exec sleep 6000 ;;
crash) kill -SEGV $$ ;;
*) exit "${FAKE_END:-0}" ;;
esac
END
cat >"$scratch/bin/bochs" <<'END'
#!/bin/bash
[ "$1" != --version ] || { echo "fake emulator version 1.2.3" && exit; }
[ "$1" != --help ] || { echo "usage: a fake, without a debugger" && exit; }
while [ "$1" != -f ]; do shift; done
serial=$(sed -n 's/^com1:.*dev=//p' "$2")
esp=$(sed -n 's/^ata0-master:.*path=\([^,]*\),.*/\1/p' "$2")
echo "chatter of Bochs"
{ printf "$FAKE_LOG"; echo; echo "# cmdline=$(cat "$esp/EFI/faultline/cmdline.txt")"; ls "$esp"/*/*; } |
	sed '/RESULT/{h;d};${G}' >"$serial"
[ "$FAKE_END" = hang ] && exec sleep 6000
exit "$FAKE_END"
END
chmod +x "$scratch"/bin/*
for arch in riscv64 aarch64 x86_64; do
	ln -s qemu "$scratch/bin/qemu-system-$arch"
done

boot() { # LOG END OPTIONS...
	local log=$1 end=$2
	shift 2
	FAKE_LOG=$log FAKE_END=$end "$top/scripts/run-qemu.sh" --image "$image" "$@"
}
plan() {
	"$top/scripts/run-qemu.sh" --image "$image" --dry-run "$@"
}

# shellcheck disable=SC2034 # for the tests
good='1..1\nok 1 - a\n# RESULT: PASS\n' bad='1..1\nnot ok 1 - a\n# RESULT: FAIL\n'
