# SPDX-License-Identifier: BSD-2-Clause
# Faultline. `make help` lists the commands.
#
# One explicit table of folders, and per architecture its target, flags and image. No configure
# step, no recursion. ARCH= restricts a command to one of them.

ARCHES := riscv64 aarch64 x86_64
ARCH   ?= $(ARCHES)

# A refusal ends with the nearest valid word, if one is near.
near = $(foreach w,$(shell scripts/suggest.sh '$(1)' $(2)),; did you mean $(3)$(w)?)
$(foreach a,$(filter-out $(ARCHES),$(ARCH)),$(error ARCH=$(a): one of $(ARCHES)$(call near,$(a),$(ARCHES),ARCH=)))
$(foreach v,$(filter-out vmx svm,$(VIRT)),$(error VIRT=$(v): vmx or svm$(call near,$(v),vmx svm,VIRT=)))
ifneq ($(VIRT),)
$(if $(filter x86_64,$(ARCH)),,$(error VIRT=$(VIRT) is for ARCH=x86_64, and ARCH is $(ARCH)))
endif

# As many jobs at once as there are CPUs, unless -j says otherwise. V=1 shows the commands.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
say = $(if $(V),,@printf '  %-5s %-8s %s\n' '$(1)' '$(2)' '$(3)';)

# Files of the build appear complete or not at all: @@ is a temporary name of the file.
MAKE_FILE := scripts/make-file.sh

# What setup installs, other commands need: given together, it comes first, before any rule runs.
ifneq ($(filter setup,$(MAKECMDGOALS)),)
ifneq ($(shell scripts/setup.sh >&2 || echo failed),)
$(error setup failed)
endif
endif

CLANG   := clang
LD      := ld.lld
OBJCOPY := llvm-objcopy
B       := build

# Without its tools nothing can be built, and each compilation would say so.
ifneq ($(filter-out setup second-opinion clean help report,$(or $(MAKECMDGOALS),all)),)
missing := $(foreach p,$(CLANG) $(LD) $(OBJCOPY),$(if $(shell command -v $(p) 2>/dev/null || :),,$(p)))
$(if $(strip $(missing)),$(error not installed: $(strip $(missing)); `make setup` installs what is missing))
endif

# In a tree that cannot be written, what is up to date can be run, and nothing else done.
ifneq ($(filter-out setup help report,$(or $(MAKECMDGOALS),all)),)
ifneq ($(TREE_CHECKED),yes)
unwritable := $(firstword $(shell mkdir -p $(B) 2>/dev/null || echo $(B); \
	find $(B) \( -name fresh -o -name second -o -name mutants -o -name mutants-target -o -name run \) -prune -o \
	-type d ! -writable -print -quit 2>/dev/null))
ifneq ($(unwritable),)
ifneq ($(filter-out setup help report all run gdb,$(MAKECMDGOALS))$(shell \
	$(MAKE) --question TREE_CHECKED=yes ARCH='$(ARCH)' all >/dev/null 2>&1 || echo old),)
$(error cannot write $(CURDIR)/$(unwritable): run make in a copy of this tree, where you may write)
endif
endif
endif
endif

WARN   := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          -Wvla -Wundef -Wimplicit-fallthrough
COMMON := -std=c17 -ffreestanding -O2 -g -fno-common -fno-strict-aliasing -fomit-frame-pointer \
          -I. -Imm/include -Ikernel/include $(WARN)

# --- the folders: what the build, lint, the library, scripts/report and compile_commands.json read ---
MM_DIRS      := mm mm/npt
SHARED_DIRS  := kernel suite $(MM_DIRS)
riscv64_DIRS := boot/riscv64 machine/riscv64 hext suite/riscv64
aarch64_DIRS := boot/aarch64 machine/aarch64 el2 suite/aarch64
x86_64_DIRS  := boot/x86_64 machine/x86_64 x86 vmx svm suite/x86_64
# One decoder for each architecture: decode/<architecture>*.c.
DECODE_DIR   := decode
HEADER_DIRS  := mm/include/mm kernel/include machine
GUEST_DIRS   := guests guests/lib
ALL_DIRS     := $(foreach a,$(ARCHES),$($(a)_DIRS)) $(SHARED_DIRS) $(DECODE_DIR) $(HEADER_DIRS) $(GUEST_DIRS) \
                $(addprefix guests/,agent $(ARCHES))

# --- riscv64: OpenSBI jumps to the lowest address of the ELF, in HS-mode ---
riscv64_TARGET := --target=riscv64-none-elf -march=rv64imac -mabi=lp64 -mcmodel=medany -mno-relax
riscv64_FLAGS  := -fno-pic
riscv64_IMAGE  := faultline.elf

# --- aarch64: a flat image with the Linux header, entered at EL2 ---
aarch64_TARGET := --target=aarch64-none-elf -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics
aarch64_FLAGS  := -fno-pic
aarch64_IMAGE  := faultline.img

# --- x86_64: a UEFI application; guests are ELF. C functions follow the Microsoft ABI there ---
x86_64_TARGET  := --target=x86_64-unknown-windows-gnu -mno-red-zone -mgeneral-regs-only -fshort-wchar
# -fdwarf-exceptions: call frames go to .debug_frame, which gdb reads, and not to .pdata.
x86_64_FLAGS   := -mno-stack-arg-probe -fdwarf-exceptions -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 -DGNU_EFI_USE_MS_ABI
x86_64_IMAGE   := BOOTX64.EFI
x86_64_GUEST_TARGET := --target=x86_64-none-elf -mno-red-zone -mgeneral-regs-only -mcmodel=small -fpie

IMAGES = $(foreach a,$(ARCH),$(B)/$(a)/$($(a)_IMAGE))

.PHONY: all setup run test bench bench-target report lint format gdb clean help
all: $(IMAGES) $(if $(filter riscv64,$(ARCH)),$(B)/riscv64/faultline.bin) ## build the images (of ARCH=, here and below)

# --- rules, once per architecture ---
define ARCH_RULES
$(1)_SRC := $$(sort $$(wildcard $$(foreach d,$$($(1)_DIRS) $$(SHARED_DIRS),$$(d)/*.c $$(d)/*.S) $(DECODE_DIR)/$(1)*.c))
$(1)_OBJ := $$(patsubst %,$(B)/$(1)/obj/%.o,$$($(1)_SRC))
$(1)_GUESTS := $$(patsubst guests/%.c,$(B)/$(1)/guests/%.bin,$$(wildcard guests/*.c))
$(1)_GUEST_LIB := $$(patsubst %,$(B)/$(1)/guest-obj/%.o,$$(sort $$(wildcard guests/lib/*.c guests/$(1)/*.c guests/$(1)/*.S)))
$(1)_AGENT := $$(patsubst %,$(B)/$(1)/guest-obj/%.o,guests/agent/stage1.c guests/agent/talk.c $$(sort $$(wildcard guests/agent/$(1)*.c guests/agent/$(1)*.S)))
$(1)_GUEST_FLAGS := $$(or $$($(1)_GUEST_TARGET),$$($(1)_TARGET))

$(B)/$(1)/obj/%.c.o: %.c Makefile
	$$(call say,CC,$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_TARGET) $$($(1)_FLAGS) $(COMMON) -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/$(1)/obj/%.S.o: %.S Makefile
	$$(call say,AS,$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_TARGET) $$($(1)_FLAGS) $(COMMON) -I$(B)/$(1)/guests -Wa,-I$(B)/$(1)/guests -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

# The image that holds the guests is assembled again when one of them changes.
$(B)/$(1)/obj/kernel/guest_images.S.o: $$($(1)_GUESTS)

$(B)/$(1)/guest-obj/%.c.o: %.c Makefile
	$$(call say,CC,$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_GUEST_FLAGS) $(COMMON) -Iguests -fno-pic -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/$(1)/guest-obj/%.S.o: %.S Makefile
	$$(call say,AS,$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_GUEST_FLAGS) $(COMMON) -Iguests -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/$(1)/guests/%.elf: $(B)/$(1)/guest-obj/guests/%.c.o $$($(1)_GUEST_LIB) guests/guest.ld
	$$(call say,LD,$(1),$$@)$(MAKE_FILE) $$@ $(LD) --build-id=none -static -nostdlib -T guests/guest.ld $$(filter %.o,$$^) -o @@

$(B)/$(1)/guests/agent.elf $(B)/$(1)/guests/fetch.elf: $$($(1)_AGENT)

$(B)/$(1)/guests/%.bin: $(B)/$(1)/guests/%.elf
	$$(call say,BIN,$(1),$$@)$(MAKE_FILE) $$@ $(OBJCOPY) -O binary $$< @@

$(1)_PAYLOADS := $$(patsubst guests/%.c,$(B)/$(1)/guest-obj/guests/%.c.o,$$(wildcard guests/*.c))
-include $$(patsubst %.o,%.d,$$($(1)_OBJ) $$($(1)_GUEST_LIB) $$($(1)_AGENT) $$($(1)_PAYLOADS))
.SECONDARY: $$($(1)_GUESTS:.bin=.elf) $$($(1)_GUEST_LIB) $$($(1)_AGENT) $$($(1)_PAYLOADS)
endef
$(foreach a,$(ARCHES),$(eval $(call ARCH_RULES,$(a))))

# --- images ---
$(B)/riscv64/faultline.elf: $(riscv64_OBJ) boot/riscv64/image.ld
	$(call say,LD,riscv64,$@)$(MAKE_FILE) $@ $(LD) --build-id=none -static -pie --no-dynamic-linker -z notext -nostdlib -T boot/riscv64/image.ld $(riscv64_OBJ) -o @@

# For loaders that take no ELF: runs at any 4 KiB aligned address, with the header of Linux.
$(B)/riscv64/faultline.bin: $(B)/riscv64/faultline.elf
	$(call say,BIN,riscv64,$@)$(MAKE_FILE) $@ $(OBJCOPY) -O binary $< @@

$(B)/aarch64/faultline.elf: $(aarch64_OBJ) boot/aarch64/image.ld
	$(call say,LD,aarch64,$@)$(MAKE_FILE) $@ $(LD) --build-id=none -static -pie --no-dynamic-linker -z notext -nostdlib -T boot/aarch64/image.ld $(aarch64_OBJ) -o @@

$(B)/aarch64/faultline.img: $(B)/aarch64/faultline.elf
	$(call say,BIN,aarch64,$@)$(MAKE_FILE) $@ $(OBJCOPY) -O binary $< @@

$(B)/x86_64/faultline.efi: $(x86_64_OBJ)
	$(call say,LD,x86_64,$@)$(MAKE_FILE) $@ lld-link /subsystem:efi_application /entry:efi_main /nodefaultlib /debug:dwarf /out:@@ $(x86_64_OBJ)

# Firmware reads all of the file, sector by sector: what it boots goes without the debugger's part.
$(B)/x86_64/BOOTX64.EFI: $(B)/x86_64/faultline.efi
	$(call say,STRIP,x86_64,$@)$(MAKE_FILE) $@ llvm-strip -o @@ $<

# --- running ---
# Each of these, if given, becomes an option of run-qemu.sh; QEMU=, BOCHS= and OVMF= reach it by
# its environment. TEST=GLOB is short for APPEND="test=GLOB". $(value): a dollar sign stays one.
RUN_OPTIONS := EMULATOR ACCEL MACHINE CPU SMP MEM APPEND INITRD DTB TIMEOUT
lower = $(shell printf '%s' '$(1)' | tr A-Z a-z)
quote = '$(subst ','\'',$(1))'
run_value = $(value $(1))$(if $(filter APPEND,$(1)),$(if $(TEST),$(if $(APPEND), )test=$(value TEST)))
run_flags = $(foreach o,$(RUN_OPTIONS),$(if $(call run_value,$(o)),--$(call lower,$(o)) $(call quote,$(call run_value,$(o)))))

# QEMU counts instructions, so that figures are exact and two runs are alike; Bochs always does.
ICOUNT ?= $(if $(filter kvm,$(ACCEL)),,0)

# Firmware's own lines are left out unless something goes wrong.
run: all ## boot each architecture in an emulator: TEST=GLOB VIRT=svm SMP=2 QEMU=FILE APPEND="..."
	@failed=; for arch in $(ARCH); do \
		scripts/run-qemu.sh --arch $$arch --from '^TAP version' $(run_flags) \
			$$(case $$arch in x86_64) echo $(if $(VIRT),--virt $(VIRT)) ;; \
				*) echo $(if $(ICOUNT),--icount $(ICOUNT)) ;; esac) || \
			failed="$$failed $$arch"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

gdb: all ## ARCH=...: boot it stopped, with gdb attached (GDB_PORT=N): docs/debugging.md
	@[ $(words $(ARCH)) -eq 1 ] || { echo 'which one? make gdb ARCH=riscv64' >&2; exit 2; }
	@scripts/gdb.sh --arch $(ARCH) $(if $(VIRT),--virt $(VIRT)) $(run_flags)

include mm/lib.mk
.PHONY: lib
lib: $(addprefix lib-,$(LIB_TARGETS)) ## mm/ alone, for another tree: archives, headers, pkg-config, CMake (docs/library.md)

# --- tests: programs that speak TAP; the slow ones first ---
include tests/host.mk
SCRIPT_TESTS := $(sort $(wildcard tests/scripts/*.t))
BOOT_TESTS   := $(sort $(foreach a,$(ARCH),$(wildcard tests/boot/$(a)*.t)))

test: all $(HOST_TESTS) $(LIB_FOR_TESTS) ## host tests, script tests, boot tests
	@scripts/run-tests $(BOOT_TESTS) $(SCRIPT_TESTS) $(HOST_TESTS)

# What runs on several CPUs, or several processes, first: if a result ever differs, it is there.
THREADED_TESTS := $(HOST_RACES) $(B)/host/asan/test_frozen
.PHONY: test-repeat
test-repeat: all $(HOST_TESTS) $(LIB_FOR_TESTS) ## all tests N=20 times under load, each round otherwise: which results differ? an interrupted run goes on
	@scripts/repeat-tests -n $(or $(N),20) $(or $(TESTS),$(SCRIPT_TESTS) $(THREADED_TESTS) $(BOOT_TESTS) \
		--then $(filter-out $(THREADED_TESTS),$(HOST_TESTS)))

.PHONY: test-fresh
test-fresh: ## the README's commands on a minimal Debian 12, without a network; root; ONLY=run: no tests; TIMES=3
	@tests/fresh $(if $(filter run,$(ONLY)),--run) $(if $(TIMES),--times $(TIMES))

# --- measuring ---
bench: bench-target ## what things cost, beside what they are to cost
bench-target: all
	@scripts/bench-target $(ARCH)

report: ## lines of code per folder
	@scripts/report $(ALL_DIRS) tests scripts

.PHONY: proofs
proofs: ## ranges (Frama-C) and table entries (Z3), for all values
	@tests/proofs/run

.PHONY: matrix soak
matrix: all ## the target suite on every machine and CPU model, as one table
	@scripts/matrix $(if $(ONLY),--only '$(ONLY)') $(if $(MACHINES),--machines '$(MACHINES)')

# Long: up to an hour per architecture where the emulator is slow.
soak: all ## 10 million lazy faults, 10,000 VMs, per architecture; the host tests at length
	@failed=; for arch in $(ARCH); do \
		case $$arch in x86_64) virts='$(or $(VIRT),vmx svm)' ;; *) virts=one ;; esac; \
		for virt in $$virts; do \
			scripts/run-qemu.sh --arch $$arch $$([ $$virt = one ] || echo --virt $$virt) \
				--from '^TAP version' --append 'test=soak.*' --timeout 7200 || \
				failed="$$failed $$arch/$$virt"; \
		done; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

# --- the source itself ---
LINTED  := $(wildcard $(addsuffix /*,$(ALL_DIRS))) $(shell find tests docs -name '*.[chS]' -not -path 'tests/proofs/*')
C_FILES := $(sort $(filter %.c %.h,$(LINTED)))
HEADERS := $(filter %.h,$(C_FILES))
SHELL_FILES := .ci/run $(wildcard scripts/*.sh tests/*.sh) $(shell find tests -name '*.t') \
               tests/fuzz/search tests/fresh tests/host/soak-host tests/proofs/run scripts/install-lib tests/lib/exported-map
TEXT_FILES := $(C_FILES) $(SHELL_FILES) Makefile $(filter %.S %.inc,$(LINTED))

format: ## clang-format on every C file
	@clang-format -i $(C_FILES)

# What is of one architecture is checked with its flags; the rest with those of the first.
riscv64_LINT_DIRS := $(riscv64_DIRS) $(SHARED_DIRS) $(HEADER_DIRS) $(GUEST_DIRS)
aarch64_LINT_DIRS := $(aarch64_DIRS)
x86_64_LINT_DIRS  := $(x86_64_DIRS)

LINT_FLAGS = $(if $(filter guests/%,$(2)),$($(1)_GUEST_FLAGS) -Iguests,$($(1)_TARGET) $($(1)_FLAGS)) $(COMMON)
quietly = out=$$($(1) 2>&1) || { echo "$$out"; exit 1; }

define LINT_RULES
$(1)_LINT := $$(wildcard $$(foreach d,$$($(1)_LINT_DIRS) guests/$(1),$$(d)/*.c $$(d)/*.h) \
             $(DECODE_DIR)/$(1)*.c $(DECODE_DIR)/$(1)*.h guests/agent/$(1)*.c guests/agent/*.h)
TIDY  += $$(patsubst %.c,$(B)/lint/tidy/$(1)/%.ok,$$(filter %.c,$$($(1)_LINT)))
ALONE += $$(patsubst %.h,$(B)/lint/alone/$(1)/%.ok,$$(filter %.h,$$($(1)_LINT)))

$(B)/lint/tidy/$(1)/%.ok: %.c $(HEADERS) .clang-tidy Makefile
	$$(call say,TIDY,$(1),$$<)$$(call quietly,clang-tidy --quiet $$< -- $$(call LINT_FLAGS,$(1),$$<))
	@mkdir -p $$(@D) && touch $$@

$(B)/lint/alone/$(1)/%.ok: %.h $(HEADERS) Makefile
	$$(call say,ALONE,$(1),$$<)$(CLANG) $$(call LINT_FLAGS,$(1),$$<) -x c -fsyntax-only -include $$< /dev/null
	@mkdir -p $$(@D) && touch $$@
endef
$(foreach a,$(ARCHES),$(eval $(call LINT_RULES,$(a))))

# Warnings are errors in every build; headers compile alone; the rest is said by name.
LINTS := lint-licence lint-format lint-layers lint-text lint-names lint-shell lint-cycles
.PHONY: $(LINTS)
lint: all $(LINTS) $(ALONE) $(TIDY) ## format, layers, circles, names in comments, headers, clang-tidy, shellcheck
	@echo 'lint: clean'
lint-format:
	$(call say,LINT,,clang-format)clang-format --dry-run -Werror $(C_FILES)
lint-licence:
	$(call say,LINT,,licences)missing=$$(grep -L 'SPDX-License-Identifier: BSD-2-Clause' $(TEXT_FILES)); \
		[ -z "$$missing" ] || { echo "no SPDX-License-Identifier line:" $$missing; exit 1; }
lint-layers:
	$(call say,LINT,,who includes whom)scripts/lint-layers
lint-text:
	$(call say,LINT,,house rules)scripts/lint-text $(TEXT_FILES)
lint-names:
	$(call say,LINT,,names that exist)scripts/lint-names
lint-shell:
	$(call say,LINT,,shellcheck)shellcheck $(SHELL_FILES)
lint-cycles: all
	$(call say,LINT,,no circles of calls)$(foreach a,$(ARCH),scripts/lint-cycles $($(a)_OBJ) &&) :

# Made from the table above: one entry per file and architecture.
comma := ,
define JSON_ENTRY
{"directory": "$(CURDIR)"$(comma) "file": "$(2)"$(comma)
 "command": "$(CLANG) $($(1)_TARGET) $($(1)_FLAGS) $(COMMON) -c $(2)"}$(comma)
endef
compile_commands.json: Makefile ## for clangd and other tools
	$(file >$@,[)$(foreach a,$(ARCH),$(foreach f,$(filter %.c,$($(a)_SRC)),$(file >>$@,$(call JSON_ENTRY,$(a),$(f)))))
	@sed -i '$$ s/,$$/]/' $@
	@echo '  GEN   $@'

# --- the rest ---
setup: ## install what Debian 12 lacks (scripts/setup.sh)
	@:

.PHONY: second-opinion
second-opinion: ## QEMU 10, Bochs 3 (NEWEST=1: newest QEMU) into build/second, for make matrix; installs nothing
	@NEWEST=$(NEWEST) scripts/setup.sh --second-opinion

clean: ## remove what was built
	rm -rf $(B) compile_commands.json

help: ## this list
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/  make \1|\2/p' Makefile mm/lib.mk tests/host.mk | \
		while IFS='|' read -r command text; do printf '%-30s %s\n' "$$command" "$$text"; done

# --- last, when all makefiles are read: a variable that none of them reads is a mistake ---
USER_VARIABLES := ARCH VIRT TEST $(RUN_OPTIONS) ICOUNT QEMU BOCHS OVMF RUN_DIR GDB_PORT FOLDER ONLY TIMES MACHINES MUTANTS \
                  FUZZ_SECONDS V CI TMPDIR PREFIX DESTDIR LIBDIR INCLUDEDIR MANDIR DOCDIR FAULTLINE_ORACLE
given := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(v)))),$(filter-out -%,$(v))))
given := $(filter-out $(USER_VARIABLES),$(given))
ifneq ($(strip $(given)),)
given := $(filter-out $(shell grep -ohE '[$$].[A-Za-z_0-9]+' $(MAKEFILE_LIST) | cut -c 3-),$(given))
$(foreach v,$(given),$(error $(v)=: no such variable$(call near,$(v),$(USER_VARIABLES))))
endif
