#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-qemu.sh with fake emulators for every kind of end, and the commands that it would run.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# shellcheck source=tests/fake-emulators.sh
. "$top/tests/fake-emulators.sh"

# --- endings ---
runs 0 "a good run" boot "$good" 0 --arch riscv64
shows "shows its log" '^ok 1 - a$'
runs 0 "what is expected and seen" boot "$good" 0 --arch riscv64 --expect '^ok' --expect PASS
runs 1 "what is expected and not seen" boot "$good" 0 --arch riscv64 --expect PASS --expect '^ok'
runs 1 "what is rejected" boot "$good" 0 --arch riscv64 --reject 'ok 1'
runs 1 "a failed test" boot "$bad" 1 --arch riscv64
shows "its run is kept" 'kept for a look: .*/riscv64'
runs 1 "a failed case" boot '1..1\nnot ok 1 - a.b\n#   rerun: test=a.b seed=7\n# RESULT: FAIL\n' 1 \
	--arch riscv64 --smp 4 --cpu max --append 'test=a.* seed=7 geometry=sv48x4' --expect RESULT
shows "a whole command runs it again" \
	"^run-qemu: rerun: scripts/run-qemu.sh --image $image --arch riscv64 --smp 4 --cpu max --append 'test=a.b seed=7 geometry=sv48x4'\$"
mkdir "$RUN_DIR"/riscv64.old{001..030}
touch -d 2001-01-01 "$RUN_DIR"/riscv64.old*
runs 1 "one failed run more" boot "$bad" 1 --arch riscv64
shows "old ones are removed, and it is said" 'removed [0-9]+ old runs of .*: the last 20 are kept'
check "20 are left" test "$(find "$RUN_DIR" -mindepth 1 -maxdepth 1 | wc -l)" -eq 20
runs 1 "a truncated log" boot '1..2\nok 1 - a\n' 0 --arch riscv64
runs 1 "no verdict" boot '1..1\nok 1 - a\n' 0 --arch riscv64
runs 1 "a panic" boot '1..1\nBail out! panic\n# RESULT: FAIL\n' 2 --arch riscv64
shows "is called one" 'ended with status 2 \(panic\)'
runs 1 "a good log with a bad status" boot "$good" 3 --arch aarch64
runs 1 "an emulator that crashes" boot "$good" crash --arch aarch64
runs 124 "a hang" boot '1..2\nok 1 - a\n' hang --arch riscv64 --timeout 1
shows "says so" 'time-out: no end after 1 s'
runs 124 "a hang after a good log" boot "$good" hang --arch riscv64 --timeout 1
runs 0 "a status that was wanted" boot '# RESULT: FAIL\n' 4 --arch riscv64 --status 4
runs 1 "a status that was wanted and is another" boot '# RESULT: FAIL\n' 1 --arch riscv64 --status 4
runs 1 "a wanted status needs the verdict" boot '# nothing\n' 4 --arch riscv64 --status 4
runs 0 "x86-64: 33 is isa-debug-exit's 0x10 + 0" boot "$good" 33 --arch x86_64 --virt svm
runs 1 "x86-64: 35 is isa-debug-exit's 0x10 + 1" boot "$good" 35 --arch x86_64 --virt svm
runs 0 "x86-64: 39, if 3 was wanted" boot "# RESULT: FAIL" 39 --arch x86_64 --virt svm --status 3
runs 1 "x86-64: an emulator's own failure" boot "$good" 1 --arch x86_64 --virt svm
runs 1 "x86-64: switched off without a status" boot "$good" 0 --arch x86_64 --virt svm
runs 0 "--save keeps the log" boot "$good" 0 --arch riscv64 --save "$scratch/saved"
check "as it was" grep -q '^# RESULT: PASS' "$scratch/saved"

# --- Bochs ---
runs 0 "Bochs: a good run" boot "$good" 0 \
	--arch x86_64 --emulator bochs --append 'test=lazy.*' --initrd "$image"
shows "Bochs: the command line is a file" '^# cmdline=test=lazy\.\* emulator=bochs-1\.2\.3$'
shows "Bochs: the guest image is a file" '^guest\.bin$'
shows "Bochs: the application is where UEFI looks" '^BOOTX64\.EFI$'
runs 1 "Bochs: a failed test" boot "$bad" 1 --arch x86_64 --emulator bochs
runs 1 "Bochs: a good log, and a bad end" boot "$good" 1 --arch x86_64 --emulator bochs
runs 0 "Bochs: a bad end that was wanted" boot "# RESULT: FAIL\n" 1 --arch x86_64 --emulator bochs --status 4
RUN_DIR="$scratch/a run" runs 0 "Bochs: a path with a space, which it cannot read" boot "$good" 0 \
	--arch x86_64 --emulator bochs
runs 124 "Bochs: a hang" boot "$good" hang --arch x86_64 --emulator bochs --timeout 1

# --- a good run leaves no files, and parallel runs do not disturb each other ---
many() {
	local i pids=()
	for i in 1 2 3 4; do
		boot "$good" 0 --arch riscv64 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || return 1
	done
}
touch "$scratch/mark"
check "four at once" many
check "good runs leave nothing behind" test -z "$(find "$RUN_DIR" -name serial -o -newer "$scratch/mark" -name 'riscv64.*')"
interrupted() {
	FAKE_LOG=$good FAKE_END=hang FAKE_PID=$scratch/pid \
		"$top/scripts/run-qemu.sh" --image "$image" --arch riscv64 &
	local pid=$! tries=6000
	until [ -s "$scratch/pid" ] || [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.1
	done
	kill -TERM "$pid"
	wait "$pid"
	# A zombie has ended, even if its parent does not wait for it.
	[ "$tries" -gt 0 ] && ! grep -qs '^State:.*[RSDT] (' "/proc/$(cat "$scratch/pid")/status"
}
check "an interrupted run takes its emulator along" interrupted

# --- usage ---
runs 2 "no --arch" plan
runs 2 "an unknown --arch" plan --arch mips
runs 2 "an unknown option" plan --arch riscv64 --frob
runs 2 "an option without its value" plan --arch
runs 2 "a time-out that is no number" plan --arch riscv64 --timeout soon
runs 2 "memory that is no size" plan --arch riscv64 --mem lots
runs 2 "memory that is no whole page" plan --arch riscv64 --mem 65538K
runs 2 "Bochs with a part of a MiB" plan --arch x86_64 --emulator bochs --mem 66564K
runs 2 "x86_64: memory that firmware cannot start in" plan --arch x86_64 --mem 32M
shows "is said" 'does not start with less than 64M'
runs 0 "riscv64: the same memory" plan --arch riscv64 --mem 32M
runs 2 "a guest image that is not there" plan --arch riscv64 --initrd "$scratch/none"
runs 2 "Bochs for another architecture" plan --arch riscv64 --emulator bochs
runs 2 "Spike for another architecture" plan --arch aarch64 --emulator spike
runs 2 "Spike that is not there" env SPIKE="$scratch/none" "$top/scripts/run-qemu.sh" \
	--image "$image" --dry-run --arch riscv64 --emulator spike
runs 2 "an image that is not there" "$top/scripts/run-qemu.sh" --arch riscv64 --image "$scratch/none"
runs 0 "--help" plan --help
runs 77 "KVM where there is none of use" plan --arch riscv64 --accel kvm
runs 77 "VMX in QEMU's own emulation" plan --arch x86_64 --emulator qemu --accel tcg --virt vmx
mkdir "$scratch/few"
for program in dirname mkdir mktemp uname; do
	ln -s "$(command -v "$program")" "$scratch/few/"
done
runs 77 "an emulator that is not installed" env PATH="$scratch/few" "$(command -v bash)" \
	"$top/scripts/run-qemu.sh" --arch riscv64 --image "$image"
shows "is named" 'qemu-system-riscv64 is not installed'

# --- commands ---
runs 0 "riscv64" plan --arch riscv64
shows "riscv64: two harts at least" ' -M virt .*-smp 2 -m 256M'
runs 0 "riscv64: --append, --initrd" plan --arch riscv64 --append 'a b' --initrd "$image"
shows "riscv64: are QEMU's own" "-append a\\\\ b\\\\ emulator=qemu-1.2.3 -initrd $image"
runs 0 "riscv64: --icount" plan --arch riscv64 --icount 0
shows "riscv64: counts instructions" '-icount shift=0..?sleep=off'
shows "riscv64: says that the CPUs run in turn" 'emulator=qemu-1\.2\.3..?thread=single'
runs 0 "riscv64 spike" plan --arch riscv64 --machine spike
shows "riscv64 spike: no Sstc" '-M spike .*-cpu rv64..?sstc=off'
shows "riscv64 spike: ends by semihosting" '-M spike .*-semihosting'
runs 0 "aarch64" plan --arch aarch64
shows "aarch64: EL2 and a GICv3" '-M virt..?virtualization=on..?gic-version=3 .*-cpu max .*-semihosting'
runs 0 "aarch64 raspi3b with a tree of its own" plan --arch aarch64 --machine raspi3b --dtb "$image"
shows "aarch64 raspi3b: has that alone" "-M raspi3b .*-dtb $image *$"
runs 2 "x86_64 has no device tree" plan --arch x86_64 --accel tcg --emulator qemu --dtb "$image"
runs 0 "aarch64 raspi3b" plan --arch aarch64 --machine raspi3b
shows "aarch64 raspi3b: four CPUs, 1 GiB and a device tree" '-M raspi3b .*-smp 4 -m 1G .*-dtb '
runs 77 "aarch64 sbsa-ref with a guest image" plan --arch aarch64 --machine sbsa-ref --initrd /dev/null
runs 0 "aarch64: another CPU" plan --arch aarch64 --cpu cortex-a57 --smp 4 --mem 1G
shows "aarch64: another CPU, more of them" '-smp 4 -m 1G -cpu cortex-a57'
mkdir -p "$scratch/host/proc"
echo "MemTotal:        8000000 kB" >"$scratch/host/proc/meminfo"
runs 0 "more memory than the host has" env RUN_HOST="$scratch/host" \
	"$top/scripts/run-qemu.sh" --image "$image" --dry-run --arch aarch64 --mem 64G
shows "it is not reserved" 'memory-backend=ram -object memory-backend-ram.*size=64G.*reserve=off -accel .*-m 64G'
runs 0 "as much as the host has" env RUN_HOST="$scratch/host" \
	"$top/scripts/run-qemu.sh" --image "$image" --dry-run --arch aarch64 --mem 8000000K
shows "it is allocated as ever" 'gic-version=3 -accel .*-m 8000000K'
runs 0 "x86_64 svm" plan --arch x86_64 --virt svm --accel tcg
shows "x86_64 svm: QEMU, OVMF and a FAT directory" 'q35 -accel tcg .*-bios .*OVMF.fd .*fat:'
runs 0 "x86_64 vmx in Bochs" plan --arch x86_64 --emulator bochs --cpu skylake_x --smp 2 --mem 1G
shows "x86_64 vmx: the CPU model" '^cpu: model=corei7_skylake_x, count=2'
shows "x86_64 vmx: the memory in MiB" '^memory: guest=1024, host=1024'
for cpu in ryzen trinity_apu zambezi phenom; do
	runs 0 "x86_64 svm in Bochs: $cpu" plan --arch x86_64 --emulator bochs --cpu $cpu
	shows "x86_64 svm in Bochs, $cpu: a guest's triple fault is no end" '^panic: action=fatal, cpu0=report'
done
runs 0 "x86_64 svm in Bochs, by --virt" plan --arch x86_64 --emulator bochs --cpu new_model --virt svm
shows "x86_64 svm in Bochs, by --virt: the same" '^panic: action=fatal, cpu0=report'
runs 0 "--gdb" plan --arch riscv64 --gdb
shows "--gdb: stopped, and listening" '-S -gdb tcp:localhost:1234'

done_testing
