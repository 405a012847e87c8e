# SPDX-License-Identifier: BSD-2-Clause
# --- the library by itself, for another hypervisor's tree ---
# Included by the Makefile. Per target and for the host: lib/libfaultline-mm.a, include/mm/, and what
# pkg-config and CMake read, under build/lib/<target>/, which can be moved anywhere. `make install`
# installs the library of the host. docs/library.md describes all of it.

LIB_SRC     := $(wildcard $(addsuffix /*.c,$(MM_DIRS)))
# All public headers, and no other: the other headers of mm/ are the library's own.
LIB_HEADERS := $(wildcard mm/include/mm/*.h)
LIB_TARGETS := riscv64 riscv64d aarch64 x86_64 host

# The version: mm/version.h is its only source.
version_part = $(shell sed -n 's/^.define MM_VERSION_$(1) \([0-9]*\).*/\1/p' mm/include/mm/version.h)
LIB_MAJOR   := $(call version_part,MAJOR)
LIB_VERSION := $(LIB_MAJOR).$(call version_part,MINOR).$(call version_part,PATCH)

# A hypervisor for x86-64 is an ELF more often than a UEFI application: System V ABI here. Every
# archive links into a kernel at any address and into a position-independent one.
LIB_PIE      := -fpie
riscv64_LIB  := $(riscv64_TARGET) $(LIB_PIE)
# For hypervisors of the ABI lp64d. The linker does not mix it with lp64.
riscv64d_LIB := --target=riscv64-none-elf -march=rv64gc -mabi=lp64d -mcmodel=medany -mno-relax $(LIB_PIE)
aarch64_LIB  := $(aarch64_TARGET) $(LIB_PIE)
x86_64_LIB   := --target=x86_64-none-elf -mno-red-zone -mgeneral-regs-only $(LIB_PIE)
# Debian 12's valgrind does not read DWARF 5.
host_LIB     := -fPIC -gdwarf-4


define LIB_RULES
$(B)/lib/$(1)/obj/%.c.o: %.c Makefile mm/lib.mk
	$$(call say,CC,lib/$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_LIB) $(COMMON) -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/lib/$(1)/lib/libfaultline-mm.a: $(patsubst %,$(B)/lib/$(1)/obj/%.o,$(LIB_SRC))
	$$(call say,AR,lib/$(1),$$@)$(MAKE_FILE) $$@ llvm-ar rcs @@ $$^

# A header that is public no longer does not stay. Files are replaced one by one, so that another make
# or a test that reads them always finds all of them.
$(B)/lib/$(1)/include.ok: $(LIB_HEADERS) mm/lib.mk mm/faultline-mm.pc.in mm/faultline-mm-config.cmake.in mm/faultline-mm-config-version.cmake.in scripts/install-lib
	@for h in $$(filter-out $(LIB_HEADERS:mm/%=$(B)/lib/$(1)/%),$$(wildcard $(B)/lib/$(1)/include/mm/*)); do rm -rf $$$$h; done
	@for h in $(LIB_HEADERS); do $(MAKE_FILE) $(B)/lib/$(1)/$$$${h#mm/} cp $$$$h @@ || exit 1; done
	@LIB_VERSION='$(LIB_VERSION)' scripts/install-lib packages $(B)/lib/$(1)
	@$(MAKE_FILE) $$@ touch @@

.PHONY: lib-$(1)
lib-$(1): $(B)/lib/$(1)/lib/libfaultline-mm.a $(B)/lib/$(1)/include.ok
-include $$(wildcard $(B)/lib/$(1)/obj/*/*.d $(B)/lib/$(1)/obj/*/*/*.d)
endef
$(foreach t,$(LIB_TARGETS),$(eval $(call LIB_RULES,$(t))))

# The shared library, of the host only. It exports what mm/exported.map lists.
LIB_SHARED := $(B)/lib/host/shared/libfaultline-mm.so.$(LIB_VERSION)
$(LIB_SHARED): $(patsubst %,$(B)/lib/host/obj/%.o,$(LIB_SRC)) mm/exported.map
	$(call say,LD,lib/host,$@)$(MAKE_FILE) $@ $(CLANG) -shared -fuse-ld=lld -Wl,-soname,libfaultline-mm.so.$(LIB_MAJOR) \
		-Wl,--version-script=mm/exported.map -Wl,--no-undefined -Wl,-z,now -Wl,-Bsymbolic-functions $(filter %.o,$^) -o @@

# What the tests of the library in other projects use: built before they run, all at once.
LIB_FOR_TESTS = lib $(LIB_SHARED) $(B)/docs/man3.ok

# Manual pages of the main calls, from the comments of the headers.
$(B)/docs/man3.ok: $(LIB_HEADERS) mm/lib.mk scripts/make-man scripts/doc-filter
	@mkdir -p $(B)/docs/man3
	$(call say,MAN,,$(B)/docs/man3)scripts/make-man '$(LIB_VERSION)' $(B)/docs/man3
	@$(MAKE_FILE) $@ touch @@

# --- installing ---
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/faultline-mm
INSTALL_LIB = DESTDIR=$(call quote,$(DESTDIR)) PREFIX=$(call quote,$(PREFIX)) LIBDIR=$(call quote,$(LIBDIR)) \
	INCLUDEDIR=$(call quote,$(INCLUDEDIR)) MANDIR=$(call quote,$(MANDIR)) DOCDIR=$(call quote,$(DOCDIR)) \
	LIB_VERSION='$(LIB_VERSION)' scripts/install-lib

.PHONY: install uninstall docs print-lib-version
print-lib-version:
	@echo $(LIB_VERSION)

install: lib-host $(LIB_SHARED) $(B)/docs/man3.ok ## the library for this machine: DESTDIR= PREFIX=/usr/local LIBDIR= INCLUDEDIR= MANDIR= DOCDIR=
	@$(INSTALL_LIB) install

uninstall: ## remove what install has installed, with the same variables
	@$(INSTALL_LIB) uninstall

# A warning is an error: mm/Doxyfile.
docs: $(B)/docs/man3.ok ## the reference of the library's calls: build/docs/html (Doxygen), build/docs/man3
	@command -v doxygen >/dev/null || { echo 'not installed: doxygen; `make setup` installs it' >&2; exit 1; }
	@rm -rf $(B)/docs/html $(B)/docs/xml
	$(call say,DOC,,$(B)/docs/html)DOCS_OUT=$(B)/docs MM_VERSION=$(LIB_VERSION) doxygen mm/Doxyfile
