#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The command of each emulator: command_ARCH, command_bochs and command_spike fill the array
# `command`. run-qemu.sh sources this file. Its variables hold the options.
# shellcheck disable=SC2034,SC2154 # the variables are run-qemu.sh's

# --mem in KiB.
mem_kib() {
	local number=${mem%[KMG]}
	case $mem in
	*K) echo "$number" ;;
	*M) echo $((number << 10)) ;;
	*) echo $((number << 20)) ;;
	esac
}

# More memory than the host has: the host allocates each page when the guest writes to it.
exceeds_host() {
	local total
	total=$(sed -nE 's/^MemTotal: +([0-9]+) kB$/\1/p' "$host/proc/meminfo" 2>/dev/null || true)
	[ -n "$total" ] && [ "$(mem_kib)" -gt "$total" ]
}

qemu_common() {
	if exceeds_host && [[ $1 != *memory-backend=* ]]; then
		command+=("$program" -M "$1,memory-backend=ram")
		command+=(-object "memory-backend-ram,id=ram,size=$mem,reserve=off")
	else
		command+=("$program" -M "$1")
	fi
	command+=(-accel "$accel" -smp "$smp" -m "$mem")
	[ -z "$cpu" ] || command+=(-cpu "$cpu")
	command+=(-display none ${first_serial+"${first_serial[@]}"} -serial stdio)
	command+=(-monitor none -no-reboot)
	# Counted time, and a clock that starts at the same date in each run.
	[ -z "$icount" ] || command+=(-icount "shift=$icount,sleep=off" -rtc "base=2000-01-01,clock=vm")
	[ -z "$gdb" ] || command+=(-S -gdb "tcp:localhost:${GDB_PORT:-1234}")
}

qemu_linux_style() {
	command+=(-kernel "$image")
	[ -z "$append" ] || command+=(-append "$append")
	[ -z "$initrd" ] || command+=(-initrd "$initrd")
	[ -z "$dtb" ] || command+=(-dtb "$dtb")
}

command_riscv64() {
	machine=${machine:-virt} mem=${mem:-256M} smp=${smp:-2}
	# With one hart QEMU 7.2 reports AMOs that fault as load faults.
	[ "$smp" -ge 2 ] || smp=2
	case $machine in
	virt*) ;;
	# Without a time source for stimecmp, QEMU 10 raises an illegal instruction at it, also in
	# the firmware. Its ISA string still names Sstc.
	spike* | sifive_u*) cpu=${cpu:-rv64,sstc=off} ;;
	esac
	qemu_common "$machine"
	[ -z "$firmware" ] || command+=(-bios "$firmware")
	case $machine in
	# There is no test device that could end a run.
	spike* | sifive_u*) command+=(-semihosting) ;;
	esac
	qemu_linux_style
}

# A device tree for boards whose loader passes none. QEMU adds the command line to it.
add_board_tree() {
	[ -z "$dtb" ] && [ -r "$top/scripts/boards/$1.dts" ] || return 0
	command -v dtc >/dev/null || cannot_run "dtc is not installed (make setup)"
	command+=(-dtb "$run/board.dtb")
	[ "$dry_run" ] || dtc -q -I dts -O dtb -o "$run/board.dtb" "$top/scripts/boards/$1.dts"
}

command_aarch64() {
	machine=${machine:-virt}
	local board=${machine%%,*} sound=() help
	case $machine in
	virt) machine=virt,virtualization=on,gic-version=3 cpu=${cpu:-max} ;;
	virt,*) cpu=${cpu:-max} ;;
	raspi3b) smp=4 mem=1G ;; # the boards have only this configuration
	raspi3ap) smp=4 mem=512M board=raspi3b ;;
	raspi4b) smp=4 mem=2G ;;
	imx8mp-evk) smp=4 mem=${mem:-1G} ;;
	xlnx-zcu102 | xlnx-zcu102,*)
		[[ $machine = *virtualization=* ]] || machine+=,virtualization=on
		mem=${mem:-1G}
		# Otherwise QEMU looks for a sound card. QEMU 10 also requires the audio device of
		# the machine.
		sound=(-audiodev "none,id=none")
		help=$(timeout -s KILL 20 "$program" -M xlnx-zcu102,help 2>&1 </dev/null || true)
		[[ $help != *audiodev=* ]] || machine+=,audiodev=none
		;;
	xlnx-versal-virt) smp=4 mem=${mem:-1G} ;; # two of the four are of another type
	sbsa-ref)
		mem=${mem:-1G}
		# QEMU writes the address into one cell, and RAM is above 1 TiB.
		[ -z "$initrd" ] || cannot_run "sbsa-ref loses the guest image's address"
		;;
	esac
	smp=${smp:-1} mem=${mem:-256M}
	[ "$accel" != kvm ] || [ "$cpu" != max ] || cpu=host
	[ "$board" != imx8mp-evk ] || first_serial=(-serial null) # its console is the second UART
	qemu_common "$machine"
	# Semihosting gives the exit status on every emulated Arm machine.
	[ "$accel" = kvm ] || command+=(-semihosting)
	command+=(${sound+"${sound[@]}"})
	qemu_linux_style
	add_board_tree "$board"
}

# The EFI system partition is a directory with the application, its command line and the guest. The
# user's paths may contain any character, so they are not used in arguments that are lists of
# parameters. The emulator is started in the run's directory, and the paths are relative.
make_esp() {
	in_run=yes
	[ -n "$firmware" ] || find_firmware
	local joined=''
	if [ "$(needs_variables)" ] && [ -r "$(variables)" ]; then
		joined=yes
	fi
	if [ -z "$dry_run" ]; then
		mkdir -p "$run/esp/EFI/BOOT" "$run/esp/EFI/faultline"
		cp "$image" "$run/esp/EFI/BOOT/BOOTX64.EFI"
		printf '%s' "$append" >"$run/esp/EFI/faultline/cmdline.txt"
		[ -z "$initrd" ] || cp "$initrd" "$run/esp/EFI/faultline/guest.bin"
		if [ "$joined" ]; then
			cat "$(variables)" "$firmware" >"$run/firmware.fd"
		else
			ln -s "$firmware" "$run/firmware.fd"
		fi
	fi
	[ -z "$joined" ] || firmware=firmware.fd
}

command_x86_64() {
	smp=${smp:-1} mem=${mem:-256M}
	make_esp
	case $accel in
	kvm) cpu=${cpu:-host} ;;
	tcg) cpu=${cpu:-max} ;;
	esac
	qemu_common "${machine:-q35}"
	command+=(-nodefaults -bios "$firmware" -device "isa-debug-exit,iobase=0xf4,iosize=4")
	command+=(-drive "if=none,id=esp,format=raw,readonly=on,file=fat:esp")
	command+=(-device "virtio-blk-pci,drive=esp")
}

bochs_cpu() {
	case $1 in
	haswell) echo corei7_haswell_4770 ;;
	skylake_x | icelake_u) echo "corei7_$1" ;;
	sandy_bridge) echo corei7_sandy_bridge_2600k ;;
	trinity) echo trinity_apu ;;
	phenom) echo phenom_8650_toliman ;;
	ivy_bridge) echo corei7_ivy_bridge_3770k ;;
	*) echo "$1" ;;
	esac
}

# Bochs's VGA BIOS: in the same folder as Bochs, or in the folder of the distribution.
find_vga_bios() {
	local file prefix
	prefix=$(dirname "$(command -v "$program")")/../share
	for file in "$prefix"/{bochs/VGABIOS-lgpl-latest{,.bin},vgabios/vgabios.bin} \
		/usr/share/{bochs/VGABIOS-lgpl-latest{,.bin},vgabios/vgabios.bin}; do
		[ ! -r "$file" ] || break
	done
	[ -r "$file" ] || cannot_run "Bochs's VGA BIOS is not installed (make setup)"
	[ "$dry_run" ] || ln -s "$file" "$run/vgabios"
}

command_bochs() {
	local panic=''
	[ -n "$cpu" ] || case $virt in
	svm) cpu=ryzen ;;
	*) cpu=haswell ;;
	esac
	# A guest's triple fault first panics Bochs. Then it is an exit of SVM.
	case $virt,$cpu in
	svm,* | *,ryzen | *,trinity* | *,zambezi | *,phenom* | *,turion* | *,athlon*) panic=', cpu0=report' ;;
	esac
	smp=${smp:-1} mem=${mem:-256M}
	case $mem in
	*G) mem=$((${mem%G} * 1024)) ;;
	*M) mem=${mem%M} ;;
	esac
	make_esp
	find_vga_bios
	command=("$program" -q -f bochsrc -rc bochs.rc)
	# Bochs 3 starts its debugger only on request. 2.7 always starts it if it has one.
	local help
	help=$(timeout -s KILL 600 "$program" --help 2>&1 </dev/null || true)
	[[ $help != *-debugger* ]] || command+=(-debugger)
	bochsrc=$(sed -e "s|@CPU@|$(bochs_cpu "$cpu")|; s|@SMP@|$smp|; s|@MEM@|$mem|g" \
		-e "s|@PANIC@|$panic|" \
		"$top/scripts/bochsrc.in")
	[ "$dry_run" ] && return
	printf '%s\n' "$bochsrc" >"$run/bochsrc"
	# The debugger also stops at a triple fault. Continue at most this number of times.
	printf 'c\n%.0s' {1..8} >"$run/bochs.rc"
	echo q >>"$run/bochs.rc"
}

# Spike, the RISC-V reference simulator. Its clock counts instructions.
command_spike() {
	opensbi=${OPENSBI:-}
	if [ -z "$opensbi" ]; then
		opensbi=usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf
		if [ -r "$top/build/second/qemu-10/root/$opensbi" ]; then
			opensbi=$top/build/second/qemu-10/root/$opensbi
		else
			opensbi=/$opensbi
		fi
	fi
	[ -r "$opensbi" ] || cannot_run "no $opensbi (package opensbi, or OPENSBI=)"
	command -v dtc >/dev/null || cannot_run "dtc is not installed (make setup)"
	cpu=${cpu:-rv64imafdch_zicsr_zifencei_zicntr_zihpm_sstc_svadu} smp=${smp:-2} mem=${mem:-256M}
	case $mem in
	*G) mem=$((${mem%G} * 1024)) ;;
	*M) mem=${mem%M} ;;
	esac
	command=("$program" "--isa=$cpu" "-m$mem" "-p$smp" "--kernel=$image" "--bootargs=$append")
	[ -z "$initrd" ] || command+=("--initrd=$initrd")
	command+=("$opensbi")
}
