#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run-qemu.sh: which emulator, firmware and accelerator it chooses, and which it refuses.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/fake-emulators.sh
. "$top/tests/fake-emulators.sh"

# A fake host: RUN_HOST is its root folder. At first it has no KVM and no firmware.
host=$scratch/host
mkdir -p "$host/proc" "$host/dev" "$host/sys/module" "$scratch/uname"
echo 'flags : fpu' >"$host/proc/cpuinfo"
echo 'root=/dev/vda' >"$host/proc/cmdline"
printf '#!/bin/sh\nprintenv FAKE_MACHINE\n' >"$scratch/uname/uname"
chmod +x "$scratch/uname/uname"
on() { # MACHINE OPTIONS...
	local machine=$1
	shift
	PATH=$scratch/uname:$PATH FAKE_MACHINE=$machine RUN_HOST=$host \
		"$top/scripts/run-qemu.sh" --image "$image" --dry-run "$@"
}
has_firmware() { # PATH below the root
	mkdir -p "$host/$(dirname "$1")"
	echo firmware >"$host/$1"
}

# --- other binaries ---
other=$scratch/with\ space,\ comma
mkdir -p "$other"
sed 's/1\.2\.3/4.5.6/' "$scratch/bin/qemu" >"$other/qemu-system-riscv64"
sed 's/1\.2\.3/4.5.6/' "$scratch/bin/bochs" >"$other/my bochs"
cp "$other/qemu-system-riscv64" "$other/my qemu"
cp "$other/qemu-system-riscv64" "$other/qemu-system-x86_64"
chmod +x "$other"/*
echo firmware >"$other/my firmware"

runs 0 "--qemu FILE" plan --arch riscv64 --qemu "$other/my qemu"
shows "is what would be run" 'my\\ qemu -M virt'
shows "its version is asked" 'emulator=qemu-4\.5\.6'
runs 0 "--qemu DIRECTORY" plan --arch riscv64 --qemu "$other"
shows "has one for each architecture" '/qemu-system-riscv64 -M virt .*emulator=qemu-4\.5\.6'
runs 0 "QEMU= of the environment" env QEMU="$other/my qemu" "$top/scripts/run-qemu.sh" \
	--image "$image" --dry-run --arch riscv64
shows "is the same" 'my\\ qemu -M virt .*emulator=qemu-4\.5\.6'
in_other() {
	cd "$other" && plan "$@"
}
runs 0 "a path that is not absolute" in_other --arch riscv64 --qemu "./my qemu"
shows "is of the folder that we are in" 'comma/\./my\\ qemu -M virt'
runs 0 "a run with it" boot "$good" 0 --arch riscv64 --qemu "$other/my qemu"
runs 0 "--bochs FILE" boot "$good" 0 --arch x86_64 --bochs "$other/my bochs"
shows "its version is asked" 'emulator=bochs-4\.5\.6'
runs 0 "BOCHS= of the environment" env BOCHS="$other/my bochs" FAKE_LOG="$good" FAKE_END=0 \
	"$top/scripts/run-qemu.sh" --image "$image" --arch x86_64 --emulator bochs
shows "is the same" 'emulator=bochs-4\.5\.6'
runs 0 "--qemu chooses QEMU on x86-64 too" plan --arch x86_64 --qemu "$other"
shows "and not Bochs" '/qemu-system-x86_64 -M q35'
runs 2 "a --qemu that is not there" plan --arch riscv64 --qemu "$scratch/none"
shows "is named" "no program '.*/none'"
runs 2 "a --qemu that is no program" plan --arch riscv64 --qemu "$image"
runs 2 "a folder without a QEMU for it" plan --arch aarch64 --qemu "$other"
runs 2 "--bochs beside --emulator qemu" plan --arch x86_64 --emulator qemu --bochs "$other/my bochs"
runs 2 "--qemu beside --emulator bochs" plan --arch x86_64 --emulator bochs --qemu "$other"
runs 2 "--bochs for another architecture" plan --arch riscv64 --bochs "$other/my bochs"
sed 's/fake emulator.*1\.2\.3/what?/' "$scratch/bin/qemu" >"$other/odd"
printf '#!/bin/sh\nexit 1\n' >"$other/broken"
chmod +x "$other/odd" "$other/broken"
runs 0 "an emulator that does not say its version" plan --arch riscv64 --qemu "$other/odd"
shows "is of an unknown one" 'emulator=qemu-unknown'
runs 0 "an emulator that fails to say its version" plan --arch riscv64 --qemu "$other/broken"

# --- firmware ---
runs 0 "--firmware FILE" plan --arch x86_64 --emulator qemu --accel tcg --firmware "$other/my firmware"
shows "is what would be booted" '-bios .*my\\ firmware'
runs 0 "OVMF= of the environment" env OVMF="$other/my firmware" "$top/scripts/run-qemu.sh" \
	--image "$image" --dry-run --arch x86_64 --virt svm --accel tcg
shows "is the same" '-bios .*my\\ firmware'
runs 0 "--firmware on RISC-V" plan --arch riscv64 --firmware "$other/my firmware"
shows "is another OpenSBI" '-bios .*my\\ firmware'
runs 2 "--firmware on AArch64" plan --arch aarch64 --firmware "$other/my firmware"
runs 2 "firmware that is not there" plan --arch x86_64 --firmware "$scratch/none"
runs 2 "firmware that is a folder" plan --arch x86_64 --firmware "$scratch"
svm=(--arch x86_64 --virt svm --accel tcg)
runs 77 "no firmware anywhere" on x86_64 "${svm[@]}"
shows "says how to name it" 'no OVMF firmware found.*--firmware FILE'
for path in usr/share/qemu/ovmf-x86_64.bin usr/share/edk2/x64/OVMF.4m.fd usr/share/ovmf/OVMF.fd; do
	has_firmware "$path"
	runs 0 "/$path" on x86_64 "${svm[@]}"
	shows "is found" "-bios $host/$path"
	rm "$host/$path"
done
has_firmware usr/share/edk2/ovmf/OVMF_CODE.fd
runs 77 "one half of a firmware" on x86_64 "${svm[@]}"
has_firmware usr/share/edk2/ovmf/OVMF_VARS.fd
runs 0 "both halves" on x86_64 "${svm[@]}"
shows "are joined" '-bios firmware\.fd'
echo half >"$other/X_CODE.fd"
echo other >"$other/X_VARS.fd"
runs 0 "a run with both halves" boot "$good" 33 "${svm[@]}" --firmware "$other/X_CODE.fd"

# --- KVM: Intel, AMD, Arm, and hosts that do not nest ---
runs 77 "KVM without /dev/kvm" on x86_64 --arch x86_64 --accel kvm
shows "says so" '/dev/kvm cannot be opened'
: >"$host/dev/kvm"
runs 77 "KVM on a CPU without virtualization" on x86_64 --arch x86_64 --accel kvm
for row in vmx:kvm_intel svm:kvm_amd; do
	virt=${row%:*} module=${row#*:}
	echo "flags : fpu $virt" >"$host/proc/cpuinfo"
	mkdir -p "$host/sys/module/$module/parameters"
	echo N >"$host/sys/module/$module/parameters/nested"
	runs 77 "KVM that does not nest, $virt" on x86_64 --arch x86_64 --accel kvm
	shows "names the option" "$module nested=1"
	echo 1 >"$host/sys/module/$module/parameters/nested"
	runs 0 "KVM, $virt" on x86_64 --arch x86_64 --accel kvm
	shows "runs the image on the host's CPU" '-M q35 -accel kvm .*-cpu host'
	runs 0 "KVM is taken by itself where it nests, $virt" on x86_64 --arch x86_64 --virt "$virt"
	shows "with the host's CPU" '-accel kvm .*-cpu host'
	runs 77 "KVM of the other vendor" on x86_64 --arch x86_64 --accel kvm \
		--virt "$([ "$virt" = vmx ] && echo svm || echo vmx)"
	runs 0 "counted instructions are not KVM's, $virt" on x86_64 --arch x86_64 --virt svm --icount 0
	shows "they are emulation's" '-accel tcg'
done
runs 77 "another architecture's KVM" on x86_64 --arch aarch64 --accel kvm
runs 77 "an Arm host that does not nest" on aarch64 --arch aarch64 --accel kvm
shows "names the option" 'kvm-arm\.mode=nested'
echo 'root=/dev/vda kvm-arm.mode=nested quiet' >"$host/proc/cmdline"
runs 0 "an Arm host that nests" on aarch64 --arch aarch64 --accel kvm
shows "gives the guest EL2" '-M virt..?virtualization=on..?gic-version=3 -accel kvm .*-cpu host'
check "without semihosting, which KVM does not have" test -z "$(grep -e -semihosting <<<"$out")"
runs 77 "a board is not KVM's" on aarch64 --arch aarch64 --accel kvm --machine raspi3b
runs 77 "RISC-V's KVM does not nest" on riscv64 --arch riscv64 --accel kvm
shows "says so" 'KVM does not nest on RISC-V'
runs 2 "KVM does not count instructions" on x86_64 --arch x86_64 --accel kvm --icount 0
runs 2 "Bochs has no KVM" on x86_64 --arch x86_64 --emulator bochs --accel kvm

# --- errors, and the most similar valid word ---
suggests() { # NAME WORD OPTIONS...
	local name=$1 word=$2
	shift 2
	runs 2 "$name" plan "$@"
	shows "suggests $word" "did you mean '$word'\?"
}
suggests "an option" --append --arch riscv64 --appned 'test=*'
suggests "an option with =" --smp --arch riscv64 --spm=2
suggests "an architecture" riscv64 --arch riscv46
suggests "an emulator" bochs --arch x86_64 --emulator boochs
suggests "an accelerator" tcg --arch riscv64 --accel tgc
suggests "an extension" svm --arch x86_64 --virt svn
suggests "a word without --" --virt --arch x86_64 virt svm
runs 2 "nothing like it" plan --arch riscv64 --xyzzyxyzzy 1
check "suggests nothing" test -z "$(grep 'did you mean' <<<"$out")"

# --- guest images, expectations ---
: >"$scratch/empty"
runs 2 "an empty guest image" plan --arch riscv64 --initrd "$scratch/empty"
shows "is called one" "is empty"
runs 2 "a folder as guest image" plan --arch aarch64 --initrd "$scratch"
shows "is called one" 'is a directory'
runs 2 "an empty image" "$top/scripts/run-qemu.sh" --dry-run --arch riscv64 --image "$scratch/empty"
for option in --expect --reject --from; do
	runs 2 "a broken regular expression after $option" boot "$good" 0 --arch riscv64 $option '('
	check "and nothing is run" test -z "$(grep '^ok 1' <<<"$out")"
done

# --- paths that need quoting: the run's folder and the given files ---
# shellcheck disable=SC2016 # as it stands
awkward=$scratch/'a b, c;$d"e'"'f:g"
mkdir "$awkward"
cp "$image" "$awkward/image file"
cp "$image" "$awkward/guest file"
for options in "--arch riscv64" "--arch aarch64" "--arch x86_64 --virt svm --accel tcg" \
	"--arch x86_64 --emulator bochs"; do
	end=0
	[[ $options != *svm* ]] || end=33
	# shellcheck disable=SC2086 # they are words
	runs 0 "an awkward path, $options" env RUN_DIR="$awkward/runs" FAKE_LOG="$good" FAKE_END=$end \
		"$top/scripts/run-qemu.sh" --image "$awkward/image file" --initrd "$awkward/guest file" \
		--save "$awkward/saved file" --append "test='\"a*\"' seed=1" $options
	check "the log is saved" grep -q RESULT "$awkward/saved file"
	# shellcheck disable=SC2086 # they are words
	runs 1 "and a failed run, $options" env RUN_DIR="$awkward/runs" FAKE_LOG="$bad" FAKE_END=1 \
		"$top/scripts/run-qemu.sh" --image "$awkward/image file" $options
done
# Programs that parse a list of parameters get no path of the user's.
bochsrc=$(find "$awkward/runs" -name bochsrc | head -n 1)
check "Bochs's configuration has no path of the run's" test -z "$(grep -F "$awkward" "$bochsrc")"
runs 0 "QEMU's FAT disk" plan --arch x86_64 --virt svm --accel tcg
shows "has a relative path" 'file=fat:esp'

done_testing
