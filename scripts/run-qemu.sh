#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Boots Faultline in an emulator, shows its serial log while it runs, and checks the log.
#
# The log decides the result (scripts/check-log defines a good log). An emulator's exit status can
# only turn a good result into a bad one. Each run has its own directory under build/run/
# ($RUN_DIR), so that any number of runs can be active. The directory is kept if the run fails. The
# last 20 are kept.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/run-qemu.sh --arch ARCH [option]...

  --arch A          riscv64, aarch64 or x86_64
  --emulator E      qemu; bochs (x86_64: the default where there is no nested KVM); spike
                    (riscv64: $SPIKE, or spike on PATH; $OPENSBI, its firmware)
  --qemu FILE       this QEMU, or the one in this directory ($QEMU)
  --bochs FILE      this Bochs ($BOCHS)
  --firmware FILE   x86_64: this OVMF ($OVMF); riscv64: this OpenSBI
  --accel A         auto (the default), kvm or tcg
  --virt V          x86_64: vmx or svm; without it, what the emulator has
  --machine M       a machine of QEMU's: docs/testing.md has the list
  --cpu C           a CPU model of the emulator's; Bochs: haswell, skylake_x, ... for short
  --smp N           CPUs
  --mem M           memory, such as 256M, 2G or (QEMU) 66564K; it may be more than the host has
  --append "..."    Faultline's command line
  --initrd FILE     a guest image to run
  --dtb FILE        QEMU, riscv64 and aarch64: this device tree, not the machine's own
  --image FILE      another image than the one under build/
  --icount N        QEMU: one instruction is 2^N ns; two runs are the same
  --expect REGEX    must be seen in the log; several: in this order
  --reject REGEX    must not be seen in the log
  --status N        the guest is to end with this status, not 0, and its verdict to be FAIL
  --from REGEX      show the log from the first line that matches (all of it if none does)
  --timeout S       seconds, 600 by default ($RUN_SECONDS); for hangs
  --save FILE       keep the serial log there, whatever the result
  --gdb             QEMU: wait for gdb on port 1234 ($GDB_PORT); no time-out
  --dry-run         print what would be run, in the run's own directory

exit status: 0 the log is good   1 it is not   2 usage   77 cannot run here   124 time-out
END
}

say() { printf 'run-qemu: %s\n' "$*" >&2; }
usage_error() { say "$*; see --help"; exit 2; }
cannot_run() { say "cannot run here: $*"; exit 77; }

top=$(cd "$(dirname "$0")/.." && pwd)

options="--arch --emulator --qemu --bochs --firmware --accel --virt --machine --cpu --smp --mem"
options+=" --append --initrd --dtb --image --icount --expect --reject --status --from --timeout --save"
options+=" --gdb --dry-run --help"

# The end of an error message: the most similar valid word, if there is one.
did_you_mean() { # WORD CANDIDATE...
	local near
	near=$("$top/scripts/suggest.sh" "$@")
	[ -z "$near" ] || printf ", did you mean '%s'?" "$near"
}

# shellcheck disable=SC2086 # $options is a list
unknown() { usage_error "$1 '$2'$(did_you_mean "${3-$2}" $options)"; }

# The options of this run without the command line: for the rerun of a case.
rerun=(scripts/run-qemu.sh)

arch='' emulator='' accel=auto virt='' machine='' cpu='' smp='' mem='' append='' initrd='' dtb='' image=''
icount='' save='' wanted_status=0 seconds=${RUN_SECONDS:-600} gdb='' dry_run=''
qemu='' bochs='' firmware=''
check=()

while [ $# -gt 0 ]; do
	option=$1
	shift
	case $option in
	--gdb) gdb=yes && continue ;;
	--dry-run) dry_run=yes && continue ;;
	-h | --help) usage && exit 0 ;;
	--*=*)
		[[ " $options " == *" ${option%%=*} "* ]] ||
			unknown "unknown option" "${option%%=*}"
		usage_error "$option: write ${option%%=*} ${option#*=}"
		;;
	--*)
		[[ " $options " == *" $option "* ]] || unknown "unknown option" "$option"
		[ $# -gt 0 ] || usage_error "$option needs a value"
		;;
	*) unknown "unknown word" "$option" "--$option" ;;
	esac
	value=$1
	shift
	case $option in
	--append | --save | --expect | --reject | --from | --status) ;;
	*) rerun+=("$option" "$value") ;;
	esac
	case $option in
	--arch) arch=$value ;;
	--emulator) emulator=$value ;;
	--qemu) qemu=$value ;;
	--bochs) bochs=$value ;;
	--firmware) firmware=$value ;;
	--accel) accel=$value ;;
	--virt) virt=$value ;;
	--machine) machine=$value ;;
	--cpu) cpu=$value ;;
	--smp) smp=$value ;;
	--mem) mem=$value ;;
	--append) append=$value ;;
	--initrd) initrd=$value ;;
	--dtb) dtb=$value ;;
	--image) image=$value ;;
	--icount) icount=$value ;;
	--status) wanted_status=$value ;;
	--timeout) seconds=$value ;;
	--save) save=$value ;;
	--expect | --reject | --from) check+=("$option" "$value") ;;
	esac
done

one_of() { # VALUE LIST OPTION
	# shellcheck disable=SC2086 # a list of words
	[[ " $2 " == *" $1 "* ]] ||
		usage_error "$3 is one of: $2 (not '$1')$(did_you_mean "$1" $2)"
}

# An input file must be readable and not empty.
readable() { # OPTION FILE
	[ -e "$2" ] || usage_error "$1: no file '$2'"
	[ ! -d "$2" ] || usage_error "$1: '$2' is a directory"
	[ -r "$2" ] || usage_error "$1: cannot read '$2'"
	[ ! -f "$2" ] || [ -s "$2" ] || usage_error "$1: '$2' is empty"
}

# Some emulators are started in the run's directory.
absolute() {
	case $1 in
	/* | '') printf '%s' "$1" ;;
	*) printf '%s' "$PWD/$1" ;;
	esac
}

one_of "$arch" "riscv64 aarch64 x86_64" --arch
one_of "$accel" "auto kvm tcg" --accel
[ -z "$emulator" ] || one_of "$emulator" "qemu bochs spike" --emulator
[ -z "$virt" ] || one_of "$virt" "vmx svm" --virt
[ -z "$virt" ] || [ "$arch" = x86_64 ] || usage_error "--virt is for x86_64"
[ "$emulator$bochs" = "${emulator#bochs}" ] || [ "$arch" = x86_64 ] ||
	usage_error "Bochs emulates only x86_64"
[ "$emulator" != spike ] || [ "$arch" = riscv64 ] || usage_error "Spike emulates only riscv64"
[[ $smp =~ ^([1-9][0-9]*)?$ ]] || usage_error "--smp takes a number"
[[ $icount =~ ^[0-9]*$ ]] || usage_error "--icount takes a number"
[[ $wanted_status =~ ^[0-9]+$ ]] || usage_error "--status takes a number"
[[ $seconds =~ ^[1-9][0-9]*$ ]] || usage_error "--timeout takes seconds, at least 1"
[[ $mem =~ ^([0-9]+[KMG])?$ ]] || usage_error "--mem takes a number and K, M or G"
[[ $mem != *K ]] || [ $((${mem%K} % 4)) -eq 0 ] || usage_error "--mem $mem is no multiple of 4K"
[ -z "$initrd" ] || readable --initrd "$initrd"
[ -z "$dtb" ] || readable --dtb "$dtb"
[ -z "$dtb" ] || [ "$arch" != x86_64 ] || usage_error "--dtb is for riscv64 and aarch64"
[ -z "$icount" ] || [ "$accel" != kvm ] || usage_error "KVM does not count instructions: --icount is for tcg"
[ "$emulator" != bochs ] || [ "$accel" != kvm ] || usage_error "Bochs has no KVM"
[ "$emulator" != bochs ] || [ -z "$qemu" ] || usage_error "--qemu is not for --emulator bochs"
[ "$emulator" != qemu ] || [ -z "$bochs" ] || usage_error "--bochs is not for --emulator qemu"
[ -z "$qemu" ] || [ -z "$bochs" ] || usage_error "one of --qemu and --bochs"
[ -z "$firmware" ] || [ "$arch" != aarch64 ] || usage_error "--firmware is for x86_64 and riscv64"
if [ ${#check[@]} -gt 0 ]; then
	status=0
	"$top/scripts/check-log" "${check[@]}" </dev/null >/dev/null 2>&1 || status=$?
	[ "$status" -ne 2 ] || usage_error "$(
		"$top/scripts/check-log" "${check[@]}" </dev/null 2>&1 | sed -n 's/^check-log: error: argument //p'
	)"
fi

# An option that names a binary also selects that emulator. The environment variable only names the
# binary for the case that this emulator is selected.
[ "$arch" != x86_64 ] || [ -z "$qemu" ] || emulator=qemu
[ -z "$bochs" ] || emulator=bochs
if [ "$arch" = x86_64 ] && [ -z "$emulator" ] && [ "$accel" != kvm ]; then
	case ${QEMU:+qemu}${BOCHS:+bochs} in
	qemu) emulator=qemu ;;
	bochs) emulator=bochs ;;
	esac
fi
qemu=${qemu:-${QEMU-}} bochs=${bochs:-${BOCHS-}}
[ "$arch" != x86_64 ] || firmware=${firmware:-${OVMF-}}
[ -z "$firmware" ] || readable --firmware "$firmware"
initrd=$(absolute "$initrd") dtb=$(absolute "$dtb") image=$(absolute "$image") firmware=$(absolute "$firmware")

# OVMF needs this much memory: with less it ends without a message, or stays in its menu.
if [ "$arch" = x86_64 ] && { { [[ $mem = *M ]] && [ "${mem%M}" -lt 64 ]; } ||
	{ [[ $mem = *K ]] && [ "${mem%K}" -lt 65536 ]; }; }; then
	usage_error "--mem $mem: the UEFI firmware does not start with less than 64M; give --mem 64M or more"
fi

# --- what is installed, and the choice ---

# The host's files are searched below $RUN_HOST, for the tests. It is empty otherwise.
host=${RUN_HOST-}

kvm_opens() {
	# Checked first, because opening it for reading and writing would create it.
	{ [ -e "$host/dev/kvm" ] && : <>"$host/dev/kvm"; } 2>/dev/null || { no_kvm="/dev/kvm cannot be opened" && return 1; }
}

# Nested virtualization that KVM offers to the image: vmx, svm, or nothing with a reason.
no_kvm=
nested_kvm() {
	local v module
	[ "$(uname -m)" = x86_64 ] || { no_kvm="the host is not x86-64" && return 1; }
	kvm_opens || return 1
	for v in vmx:kvm_intel svm:kvm_amd; do
		module=${v#*:} v=${v%:*}
		grep -qsw "$v" "$host/proc/cpuinfo" || continue
		grep -qs '^[Y1]' "$host/sys/module/$module/parameters/nested" ||
			{ no_kvm="nesting is off (modprobe $module nested=1)" && return 1; }
		host_virt=$v
		return 0
	done
	no_kvm="the host's CPU lists neither vmx nor svm" && return 1
}

# KVM offers EL2 to a guest if this was enabled at boot, on CPUs with FEAT_NV2.
nested_kvm_arm() {
	case $(uname -m) in
	aarch64 | arm64) ;;
	*) no_kvm="the host is not AArch64" && return 1 ;;
	esac
	kvm_opens || return 1
	grep -qsw 'kvm-arm.mode=nested' "$host/proc/cmdline" ||
		{ no_kvm="nesting is off (boot the host with kvm-arm.mode=nested)" && return 1; }
	[ -z "$machine" ] || [[ $machine =~ ^virt(,|$) ]] ||
		{ no_kvm="KVM has only the machine virt, not $machine" && return 1; }
}

choose_x86_64() {
	local host_virt=''
	if [ "$emulator" != bochs ] && [ "$accel" != tcg ] && [ -z "$icount" ]; then
		if nested_kvm && [ "${virt:-$host_virt}" = "$host_virt" ]; then
			emulator=qemu accel=kvm virt=$host_virt
			return
		fi
		[ "$accel" != kvm ] || cannot_run "${no_kvm:-KVM here gives $host_virt, not $virt}"
	fi
	if [ -z "$emulator" ] && [ "$accel" = auto ] && [ "$virt" != svm ]; then
		emulator=bochs
	fi
	accel=tcg emulator=${emulator:-qemu}
	[ "$emulator" != qemu ] || [ "$virt" != vmx ] ||
		cannot_run "QEMU's own emulation has no VMX (${no_kvm:-KVM was not requested}); use Bochs"
}

case $arch in
x86_64) choose_x86_64 ;;
aarch64)
	# Emulation unless KVM is requested. With KVM the CPU is the host's.
	if [ "$accel" = kvm ]; then
		nested_kvm_arm || cannot_run "$no_kvm"
	else
		accel=tcg
	fi
	emulator=qemu
	;;
riscv64)
	[ "$accel" != kvm ] || cannot_run "KVM does not nest on RISC-V"
	accel=tcg emulator=${emulator:-qemu}
	;;
esac

[ "$emulator" = qemu ] || [[ $mem != *K ]] || usage_error "--mem $mem: $emulator takes whole MiB"
[ "$emulator" = qemu ] || [ -z "$machine$icount$gdb$dtb" ] ||
	usage_error "--machine, --icount, --dtb and --gdb are for QEMU"

case $emulator in
bochs) program=$bochs name=bochs ;;
spike) program=${SPIKE:-} name=spike ;;
qemu) program=$qemu name=qemu-system-$arch ;;
esac
if [ -z "$program" ]; then
	program=$name
	command -v "$program" >/dev/null || case $name in
	spike) cannot_run "spike is not installed: build it from its source, and name it in SPIKE=FILE" ;;
	*) cannot_run "$program is not installed (make setup)" ;;
	esac
else
	[[ $program == */* ]] || program=$(command -v "$program" || echo "./$program")
	program=$(absolute "$program")
	[ ! -d "$program" ] || program=${program%/}/$name
	[ -e "$program" ] || usage_error "no program '$program'"
	[ -x "$program" ] || usage_error "'$program' is not executable"
	case ${program##*/} in
	qemu-system-"$arch") ;;
	qemu-system-*) usage_error "'$program' is not for $arch: give one for it, or a directory of them" ;;
	esac
fi

case $emulator,$arch in
spike,*) image=${image:-$top/build/riscv64/faultline.bin} ;;
esac
case $arch in
riscv64) image=${image:-$top/build/riscv64/faultline.elf} ;;
aarch64) image=${image:-$top/build/aarch64/faultline.img} ;;
x86_64) image=${image:-$top/build/x86_64/BOOTX64.EFI} ;;
esac
[ -e "$image" ] || usage_error "no image $image (make)"
readable --image "$image"

# OVMF's paths in distributions: Debian and Ubuntu, Arch, SUSE, Gentoo. Fedora has it in two files.
find_firmware() {
	local file
	for file in ovmf/OVMF.fd OVMF/OVMF.fd edk2/x64/OVMF.4m.fd edk2/x64/OVMF.fd edk2-ovmf/x64/OVMF.fd \
		qemu/ovmf-x86_64.bin qemu/ovmf-x86_64-4m.bin edk2-ovmf/OVMF.fd edk2/OvmfX64/OVMF.fd \
		edk2/ovmf/OVMF_CODE.fd edk2-ovmf/OVMF_CODE.fd OVMF/OVMF_CODE.fd OVMF/OVMF_CODE_4M.fd; do
		firmware=$host/usr/share/$file
		[ ! -r "$firmware" ] || [ -z "$(needs_variables)" ] || [ -r "$(variables)" ] || continue
		[ ! -r "$firmware" ] || return 0
	done
	cannot_run "no OVMF firmware found (make setup, or name it: --firmware FILE, OVMF=FILE)"
}
# A firmware file with code only has a file of variables in the same folder. Both are joined: first
# the variables, then the code.
needs_variables() { [[ ${firmware##*/} != *_CODE* ]] || echo yes; }
variables() { local name=${firmware##*/} && echo "${firmware%/*}/${name/_CODE/_VARS}"; }

# The suite has a list of known deviations of emulators (suite/deviations.c). The log names its
# emulator.
asked=$append
if [ "$accel" = tcg ] && [[ " $append " != *" emulator="* ]]; then
	case $emulator in
	spike) version=$(timeout -s KILL 600 "$program" --help 2>&1 </dev/null || true) ;; # no --version
	*) version=$(timeout -s KILL 600 "$program" --version 2>&1 </dev/null || true) ;;
	esac
	version=$(printf '%s\n' "$version" | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1 || true)
	append="${append:+$append }emulator=$emulator-${version:-unknown}"
	# QEMU then runs the CPUs in turn, which a guest can detect.
	[ -z "$icount" ] || append+=,thread=single
fi

# --- the command, by architecture and machine ---

runs=$(absolute "${RUN_DIR:-$top/build/run}")
if [ "$dry_run" ]; then
	run=$runs/$arch.dry-run
else
	mkdir -p "$runs" 2>/dev/null || true
	run=$(mktemp -d "$runs/$arch.XXXXXX" 2>/dev/null) ||
		cannot_run "cannot write $runs: set RUN_DIR to a folder that can be written"
fi
# A command that fails before the emulator starts is one that could not write.
if [ -z "$dry_run" ]; then
	trap 'status=$?; rm -rf "$run"; [ "$status" -ne 1 ] || cannot_run "cannot write $run: disk full?"' EXIT
fi
if [ "$save" ] && ! { : >>"$save"; } 2>/dev/null; then
	usage_error "--save: cannot write '$save'"
fi

command=() first_serial=() in_run=''

# shellcheck source=scripts/emulator-commands.sh
. "$top/scripts/emulator-commands.sh"

case $emulator in
bochs) command_bochs ;;
spike) command_spike ;;
qemu) "command_$arch" ;;
esac

if [ "$dry_run" ]; then
	printf '%q ' "${command[@]}"
	echo
	[ "$emulator" != bochs ] || printf '%s\n' "with $run/bochsrc:" "$bochsrc"
	exit 0
fi

# --- the run ---

# The last 20 failed runs are kept. An active run still has its pipe.
prune_runs() {
	local old count=0 removed=0
	while IFS= read -r old; do
		[ ! -p "$runs/$old/serial" ] || continue
		count=$((count + 1))
		[ "$count" -gt 20 ] || continue
		rm -rf "${runs:?}/$old"
		removed=$((removed + 1))
	done < <(cd "$runs" && find . -mindepth 1 -maxdepth 1 -type d -name '*64.??????' \
		-printf '%T@ %f\n' | sort -rn | cut -d ' ' -f 2)
	[ "$removed" -eq 0 ] || say "removed $removed old runs of ${runs#"$PWD/"}: the last 20 are kept"
}

# A shell command for each failed case: the words that the log prints, and this run's options.
print_reruns() {
	local words kept='' word
	for word in $asked; do
		case $word in
		test=* | seed=* | repeat=*) ;;
		*) kept+=" $word" ;;
		esac
	done
	while IFS= read -r words; do
		words+=$kept
		say "rerun: $(printf '%q ' "${rerun[@]}")--append '${words//\'/\'\\\'\'}'"
	done < <(sed -nE 's/^# +rerun: (test=.*)$/\1/p' "$run/serial.log" | tr -d '\r' | head -n 20)
}

mkfifo "$run/serial"
{
	[ -z "$in_run" ] || printf 'cd %q && ' "$run"
	printf '%q ' "${command[@]}"
} >"$run/command"
emulator_pid='' keep=yes
# Kills processes that the emulator left: its process group, and processes that have moved to
# another group and hold the serial line open. The log checker would wait for them.
kill_rest() {
	local fd pid
	[ -z "$1" ] || kill -KILL -- "-$1" 2>/dev/null || true
	for fd in /proc/[0-9]*/fd/*; do
		[ "$fd" -ef "$run/serial" ] || continue
		pid=${fd#/proc/} pid=${pid%%/*}
		# The last digit of the flags: 0 is a reader, that is the log checker or a part of
		# it.
		! grep -qs '^flags:.*0$' "/proc/$pid/fdinfo/${fd##*/}" || continue
		[ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null || true
	done
}
clean_up() {
	if [ "$emulator_pid" ]; then
		# timeout treats SIGALRM as its own alarm: it kills the emulator at once.
		kill -ALRM "$emulator_pid" 2>/dev/null || true
		wait "$emulator_pid" 2>/dev/null || true
		kill_rest "$emulator_pid"
	fi
	if [ "$keep" ]; then
		[ ! -s "$run/serial.log" ] || print_reruns
		rm -f "$run/serial"
		prune_runs
		say "kept for a look: ${run#"$PWD/"}"
	else
		rm -rf "$run"
	fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

limit=$seconds
if [ "$gdb" ]; then
	limit=0
	say "waiting for gdb-multiarch: target remote localhost:${GDB_PORT:-1234}"
fi

how=", $accel"
[ "$emulator" = qemu ] || how=
say "$arch in ${command[0]}: ${machine:+machine $machine, }cpu ${cpu:-default}$how"

verdict=PASS
[ "$wanted_status" -eq 0 ] || verdict=FAIL
"$top/scripts/check-log" --verdict "$verdict" --save "$run/serial.log" \
	${check+"${check[@]}"} <"$run/serial" &
checker_pid=$!

# QEMU writes the serial line to stdout. Bochs opens the pipe by name; its own messages matter only
# if it fails.
case $emulator in
qemu | spike) exec 3>"$run/serial" 4>&2 ;;
bochs) exec 3>"$run/bochs.out" 4>&3 5>"$run/serial" ;;
esac
started=$SECONDS
(
	[ -z "$in_run" ] || cd "$run"
	exec timeout -s KILL "$limit" "${command[@]}" </dev/null >&3 2>&4 3>&- 4>&-
) &
emulator_pid=$!
exec 3>&- 4>&- 5>&-

# Debian's OpenSBI has no symbols, so that Spike does not recognise its power-off by HTIF. Spike is
# ended after the result line.
ended=''
if [ "$emulator" = spike ]; then
	while kill -0 "$emulator_pid" 2>/dev/null; do
		if grep -q '^# RESULT:' "$run/serial.log" 2>/dev/null; then
			sleep 0.2
			ended=yes
			kill -ALRM "$emulator_pid" 2>/dev/null || true
			break
		fi
		sleep 0.2
	done
fi

status=0
wait "$emulator_pid" 2>/dev/null || status=$?
took=$((SECONDS - started))
kill_rest "$emulator_pid"
emulator_pid=''
[ -z "$ended" ] || status=$wanted_status # Spike has no status of its own
log_status=0
wait "$checker_pid" || log_status=$?
[ "$log_status" -le 128 ] || say "the judge of the log was killed: status $log_status"
if [ "$save" ] && ! cp "$run/serial.log" "$save" 2>"$run/cp.err"; then
	cannot_run "cannot write $save: $(sed 's/.*: //' "$run/cp.err")"
fi
[ "$log_status" -ne 77 ] || cannot_run "the log cannot be written"

if [ "$limit" -ne 0 ] && [ "$took" -ge "$limit" ] && { [ "$status" -eq 137 ] || [ "$status" -eq 124 ]; }; then
	say "time-out: no end after $seconds s"
	exit 124
fi

# The guest's exit status, if the emulator reports it.
guest_status=$status
case $emulator,$arch in
bochs,*)
	# This machine reports only 0 or not 0: machine/x86_64/power.c.
	[ "$status" -eq 0 ] || [ "$wanted_status" -eq 0 ] || guest_status=$wanted_status
	;;
qemu,aarch64)
	# Under KVM a guest powers off without a status. The result is in the log.
	[ "$accel" != kvm ] || [ "$status" -ne 0 ] || guest_status=$wanted_status
	;;
qemu,x86_64)
	# isa-debug-exit returns (value << 1) | 1. The value is 0x10 + the status, so that the
	# result differs from QEMU's own 0 and 1.
	[ $((status % 2)) -eq 0 ] || [ "$status" -lt 33 ] || guest_status=$(((status >> 1) - 0x10))
	[ "$status" -ne 0 ] || guest_status=off
	;;
esac
if [ "$status" -gt 128 ] && [ "$status" -lt 160 ]; then
	say "the emulator was killed by signal $((status - 128)) ($(kill -l "$((status - 128))"))"
	log_status=1
elif [ "$guest_status" != "$wanted_status" ]; then
	case $guest_status in
	off) meaning=" (without a word)" ;;
	2) meaning=" (panic)" ;;
	3) meaning=" (no virtualization here)" ;;
	4) meaning=" (bad boot data or command line)" ;;
	*) meaning= ;;
	esac
	say "ended with status $guest_status$meaning, not $wanted_status"
	log_status=1
fi
if [ "$log_status" -ne 0 ]; then
	[ ! -s "$run/bochs.out" ] || tail -n 5 "$run/bochs.out" >&2
	exit 1
fi
keep=
