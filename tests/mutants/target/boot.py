# SPDX-License-Identifier: BSD-2-Clause
"""
Defects of boot/, one section per architecture. Many of them show in the first lines of the log,
which the boot tests read; the harness counts a boot that does not end well as detected.
"""

from . import Defect

RV, ARM, SVM = "riscv64", "aarch64", "svm"
GOOD_TABLES = "the firmware of the emulators gives correct tables"
ROOM = "no emulator's firmware gives a map with so many pieces"

DEFECTS = [
	# --- riscv64 ---
	Defect("rv-image-not-reserved", ("boot/riscv64/boot.c", ".kind = BOOT_RESERVED,", ".kind = BOOT_RAM,"), on=RV, cases="memory.zero.*"),
	Defect("rv-image-half-reserved", ("boot/riscv64/boot.c", "(uint64_t)(image_end - image_start)),", "(uint64_t)(image_end - image_start) / 2),"), on=RV, cases="memory.zero.*"),
	Defect("rv-boot-hart-0", ("boot/riscv64/boot.c", "info.boot_cpu = hart;", "info.boot_cpu = 0;"), on=RV, cases="cpus.*"),
	Defect("rv-start-cycles", ("boot/riscv64/boot.c", "info.start_cycles = start_cycles;", ""), on=RV, cases="riscv.machine.*"),
	Defect("rv-error-ignored", ("boot/riscv64/boot.c", "if (error != FDT_OK) info.error = fdt_error_name(error);", "(void)error;"), on=RV,
	       unseen="a good tree has no error; tests/boot/riscv64-bad-input.t detects it"),
	Defect("rv-tree-limit", ("boot/riscv64/boot.c", "#define FDT_MAX_BYTES (UINT64_C(2) << 20)", "#define FDT_MAX_BYTES (UINT64_C(2) << 10)"), on=RV, cases="cpus.*"),
	Defect("rv-link-address", ("boot/riscv64/head.S", "sub	t0, t0, t1", "sub	t0, t1, t0"), on=RV,
	       unseen="QEMU loads the image where it is linked: tests/boot/riscv64-address.t detects it"),
	Defect("rv-no-relocation", ("boot/riscv64/head.S", "1:	bgeu	t1, t2, 2f", "1:	j 2f"), on=RV,
	       unseen="QEMU loads the image where it is linked: tests/boot/riscv64-address.t detects it"),
	Defect("rv-bss-not-cleared", ("boot/riscv64/head.S", "bgeu	t0, t1, 2f\n1:	sd	zero, 0(t0)", "j 2f\n1:	sd	zero, 0(t0)"), on=RV, cases="cpus.*",
	       unseen="QEMU's memory is zero at power-on"),
	Defect("rv-stack-wrong", ("boot/riscv64/head.S", "la	sp, boot_stack_top", "la	sp, image_start"), on=RV, cases="cpus.*"),
	Defect("rv-every-hart-boots", ("boot/riscv64/head.S", "beqz	t1, 1f\n	tail	secondary_start", "j 1f\n	tail	secondary_start"), on=RV,
	       unseen="OpenSBI starts one hart here; only a race of an old version does more"),
	Defect("rv-no-hart-boots", ("boot/riscv64/head.S", "beqz	t1, 1f", "bnez	t1, 1f"), on=RV, cases="cpus.*"),
	Defect("rv-tp", ("boot/riscv64/head.S", "la	tp, cpu_table", "li	tp, 0"), on=RV, cases="cpus.*"),
	Defect("rv-header-magic", ("boot/riscv64/head.S", '.ascii	"RSC\\x05"', '.ascii	"RSC\\x04"'), on=RV, unseen="QEMU loads the image without a look at the header"),
	Defect("rv-interrupts-on", ("boot/riscv64/head.S", "csrw	sie, zero", "nop"), on=RV, unseen="OpenSBI enters with sie 0"),

	# --- aarch64 ---
	Defect("arm-image-not-reserved", ("boot/aarch64/boot.c", "(struct boot_region){arm_image(), BOOT_RESERVED};", "(struct boot_region){arm_image(), BOOT_RAM};"), on=ARM, cases="memory.zero.*"),
	Defect("arm-affinity", ("boot/aarch64/boot.c", "#define MPIDR_AFFINITY (GENMASK(39, 32) | GENMASK(23, 0))", "#define MPIDR_AFFINITY (GENMASK(39, 32) | GENMASK(31, 0))"), on=ARM, cases="cpus.*"),
	Defect("arm-el1-goes-on", ("boot/aarch64/boot.c", "if (el != 2) stop_without_el2();", "if (el == 0) stop_without_el2();"), on=ARM,
	       unseen="the machines have EL2: tests/boot/aarch64.t detects it"),
	Defect("arm-firmware-error", ("boot/aarch64/boot.c", "if (error != FDT_OK) info->error = fdt_error_name(error);", ""), on=ARM,
	       unseen="a good tree has no error; tests/boot/aarch64-bad-input.t detects it"),
	Defect("arm-mmu-not-started", ("boot/aarch64/boot.c", "error = arm_mmu_start(&info);", "error = NULL;"), on=ARM, cases="cpus.*"),
	Defect("arm-cpu-not-initialised", ("boot/aarch64/boot.c", "arm_boot_cpu_init(&info);", ""), on=ARM, cases="cpus.*"),
	Defect("arm-relocation-type", ("boot/aarch64/head.S", "cmp	x13, #1027", "cmp	x13, #1026"), on=ARM, cases="cpus.*"),
	Defect("arm-relocation-addend", ("boot/aarch64/head.S", "add	x14, x14, x9", "mov	x14, x9"), on=ARM, cases="cpus.*"),
	Defect("arm-el-shift", ("boot/aarch64/head.S", "lsr	x1, x1, #2", "lsr	x1, x1, #3"), on=ARM, cases="cpus.*"),
	Defect("arm-tree-lost", ("boot/aarch64/head.S", "mov	x0, x19", "mov	x0, xzr"), on=ARM, cases="cpus.*"),
	Defect("arm-stack", ("boot/aarch64/head.S", "mov	sp, x1", "mov	sp, xzr"), on=ARM, cases="cpus.*"),
	Defect("arm-bss-not-cleared", ("boot/aarch64/head.S", "stp	xzr, xzr, [x10, #16]", "nop"), on=ARM, unseen="QEMU's memory is zero at power-on"),
	Defect("arm-image-size", ("boot/aarch64/head.S", ".quad	_image_end - _image_start	// image_size", ".quad	0	// image_size"), on=ARM,
	       unseen="QEMU leaves more room than the image needs"),

	# --- x86_64 ---
	Defect("x86-start-page", ("boot/x86_64/efi_main.c", "info.start_page = take_start_page(system);", "info.start_page = mm_hpa_at(0);"), on=SVM, cases="cpus.*"),
	Defect("x86-start-page-high", ("boot/x86_64/efi_main.c", "EFI_PHYSICAL_ADDRESS page = 0x9ffff;", "EFI_PHYSICAL_ADDRESS page = 0x9fffff;"), on=SVM, cases="cpus.*"),
	Defect("x86-cmdline-not-read", ("boot/x86_64/efi_main.c", "files_read_cmdline(system, image, &info);", ""), on=SVM, cases="cpus.*"),
	Defect("x86-exit-once", ("boot/x86_64/efi_main.c", "#define EXIT_TRIES 4", "#define EXIT_TRIES 1"), on=SVM, unseen="OVMF's map does not change while it is read"),
	Defect("x86-boot-services-not-ended", ("boot/x86_64/efi_main.c", "if (!EFI_ERROR(system->BootServices->ExitBootServices(image, map->key)))", "if (system != NULL)"), on=SVM,
	       unseen="OVMF's timer is masked soon afterwards, and it does nothing else"),
	Defect("x86-low-gibs", ("boot/x86_64/paging.c", "uint64_t pds = gibs < LOW_GIBS ? LOW_GIBS : gibs;", "uint64_t pds = gibs;"), on=SVM, cases="cpus.*"),
	Defect("x86-page-not-large", ("boot/x86_64/paging.c", "i * MM_LEVEL_SIZE(1) | LARGE_ENTRY;", "i * MM_LEVEL_SIZE(1) | TABLE_ENTRY;"), on=SVM, cases="cpus.*"),
	Defect("x86-page-read-only", ("boot/x86_64/paging.c", "#define LARGE_ENTRY (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE)", "#define LARGE_ENTRY (ENTRY_PRESENT | ENTRY_LARGE)"), on=SVM, cases="cpus.*"),
	Defect("x86-tables-not-cleared", ("boot/x86_64/paging.c", "table_at(pml5, 0)[i] = 0;", "table_at(pml5, 0)[i] |= 0;"), on=SVM, unseen="nothing uses the entries behind the last one"),
	Defect("x86-second-pdpt", ("boot/x86_64/paging.c", "uint64_t pdpts = div_up(pds, ENTRIES);", "uint64_t pdpts = 1;"), on=SVM, unseen="the emulator has less than 512 GiB"),
	Defect("x86-loader-memory-is-ram", ("boot/x86_64/memory_map.c", "if (!add_all(info, map, BOOT_RESERVED, is_loaded))", "if (false)"), on=SVM, cases="memory.zero.*"),
	Defect("x86-ram-without-boot-services", ("boot/x86_64/memory_map.c", "case EfiBootServicesCode: case EfiBootServicesData: return true;", "return true;"), on=SVM,
	       unseen="less memory, and still enough"),
	Defect("x86-runtime-memory-is-ram", ("boot/x86_64/memory_map.c", "default: return is_loaded(d); } }", "default: return true; } }"), on=SVM, cases="memory.zero.*"),
	Defect("x86-regions-merged", ("boot/x86_64/memory_map.c", "if (last->kind == kind && last->range.start.raw + last->range.size == range.start.raw) {", "if (last->kind == kind) {"), on=SVM, cases="memory.zero.*"),
	Defect("x86-regions-full", ("boot/x86_64/memory_map.c", "if (info->region_count == BOOT_REGIONS) return false;", ""), on=SVM, unseen=ROOM),
	Defect("x86-map-stride", ("boot/x86_64/memory_map.c", "index * map->stride);", "index * sizeof(EFI_MEMORY_DESCRIPTOR));"), on=SVM, cases="memory.*"),
	Defect("x86-apic-disabled-used", ("boot/x86_64/acpi.c", "(apic->flags & MADT_ENABLED) && apic->id != BROADCAST_XAPIC)", "apic->id != BROADCAST_XAPIC)"), on=SVM, unseen="QEMU lists no disabled CPU"),
	Defect("x86-cpus-from-firmware-only", ("boot/x86_64/cpus.c", "acpi_for_each_cpu(system, info, add_cpu);", "(void)acpi_for_each_cpu;"), on=SVM, unseen="each of the two lists has all CPUs"),
	Defect("x86-cpus-twice", ("boot/x86_64/cpus.c", "if (info->cpu_ids[i] == id) return;", "if (info->cpu_ids[i] == id + 1000) return;"), on=SVM, cases="cpus.*"),
	Defect("x86-boot-cpu-not-first", ("boot/x86_64/cpus.c", "add_cpu(info, info->boot_cpu);", ""), on=SVM, unseen="QEMU's lists begin with the boot CPU"),
	Defect("x86-acpi-checksum", ("boot/x86_64/acpi.c", "return sum == 0;", "return true;"), on=SVM, unseen=GOOD_TABLES),
	Defect("x86-cmdline-name", ("boot/x86_64/files.c", "for (UINTN i = name_length(text, count); i < count", "for (UINTN i = 0; i < count"), on=SVM,
	       unseen="the boot tests give a file: no shell puts the name first"),
	Defect("x86-cmdline-end", ("boot/x86_64/files.c", "while (length > 0 && info->cmdline[length - 1] == ' ') length--;", ""), on=SVM, unseen="the parser skips blanks"),
	Defect("x86-guest-size", ("boot/x86_64/files.c", "info->guest_image = mm_hpa_range(mm_hpa_at(where), size);", "info->guest_image = mm_hpa_range(mm_hpa_at(where), size - 1);"), on=SVM,
	       unseen="no case gives a guest image; tests/boot/x86_64-svm.t does"),
	Defect("x86-stack", ("boot/x86_64/enter.S", "leaq stack_top(%rip), %rsp", "leaq stack(%rip), %rsp"), on=SVM, cases="cpus.*"),
	Defect("x86-interrupts-on", ("boot/x86_64/enter.S", "cli", "nop"), on=SVM, unseen="machine_init() loads its own interrupt table before a timer tick comes, or it does not: a race"),
	Defect("x86-pml4-not-linked", ("boot/x86_64/paging.c", "link_tables(pml4, pdpt, pdpts);", "link_tables(pml5, pdpt, pdpts);"), on=SVM, cases="cpus.*"),
	Defect("x86-levels-swapped", ("boot/x86_64/paging.c", "return five_levels() ? pml5 : pml4;", "return five_levels() ? pml4 : pml5;"), on=SVM, cases="cpus.*"),
	Defect("x86-pd-overlaps", ("boot/x86_64/paging.c", "pd = pdpt + pdpts * MM_PAGE_SIZE;", "pd = pdpt;"), on=SVM, cases="cpus.*"),
	Defect("x86-links-one-table", ("boot/x86_64/paging.c", "(next + i * MM_PAGE_SIZE) | TABLE_ENTRY;", "next | TABLE_ENTRY;"), on=SVM, cases="cpus.*"),
	Defect("arm-tree-limit", ("boot/aarch64/boot.c", "#define FDT_MAX_BYTES (2U << 20)", "#define FDT_MAX_BYTES (2U << 10)"), on=ARM, cases="cpus.*"),
	Defect("rv-tree-argument", ("boot/riscv64/boot.c", "error = fdt_read_boot(blob, FDT_MAX_BYTES, &info);", "error = fdt_read_boot(image_start, FDT_MAX_BYTES, &info);"), on=RV, cases="cpus.*"),
]
