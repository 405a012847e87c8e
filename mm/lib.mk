# SPDX-License-Identifier: BSD-2-Clause
# --- the library by itself, for another hypervisor's tree ---
# Included by the Makefile. Per target and for the host: lib/libfaultline-mm.a, include/mm/ and
# lib/pkgconfig/faultline-mm.pc under build/lib/<target>/, which can be moved anywhere.

LIB_SRC     := $(wildcard $(addsuffix /*.c,$(MM_DIRS)))
# All public headers, and no other: the other headers of mm/ are the library's own.
LIB_HEADERS := $(wildcard mm/include/mm/*.h)
LIB_TARGETS := riscv64 aarch64 x86_64 host

# A hypervisor for x86-64 is an ELF more often than a UEFI application: System V ABI here. Every
# archive links into a kernel at any address and into a position-independent one.
LIB_PIE     := -fpie
riscv64_LIB := $(riscv64_TARGET) $(LIB_PIE)
aarch64_LIB := $(aarch64_TARGET) $(LIB_PIE)
x86_64_LIB  := --target=x86_64-none-elf -mno-red-zone -mgeneral-regs-only $(LIB_PIE)
# Debian 12's valgrind does not read DWARF 5.
host_LIB    := -fPIC -gdwarf-4

define LIB_RULES
$(B)/lib/$(1)/obj/%.c.o: %.c Makefile mm/lib.mk
	$$(call say,CC,lib/$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_LIB) $(COMMON) -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/lib/$(1)/lib/libfaultline-mm.a: $(patsubst %,$(B)/lib/$(1)/obj/%.o,$(LIB_SRC))
	$$(call say,AR,lib/$(1),$$@)$(MAKE_FILE) $$@ llvm-ar rcs @@ $$^
	@$(MAKE_FILE) $$(@D)/pkgconfig/faultline-mm.pc cp mm/faultline-mm.pc.in @@

# Made as a whole, so that a header that is public no longer does not stay.
$(B)/lib/$(1)/include.ok: $(LIB_HEADERS) mm/lib.mk
	@rm -rf $(B)/lib/$(1)/include
	@for h in $(LIB_HEADERS); do $(MAKE_FILE) $(B)/lib/$(1)/$$$${h#mm/} cp $$$$h @@ || exit 1; done
	@$(MAKE_FILE) $$@ touch @@

.PHONY: lib-$(1)
lib-$(1): $(B)/lib/$(1)/lib/libfaultline-mm.a $(B)/lib/$(1)/include.ok
-include $$(wildcard $(B)/lib/$(1)/obj/*/*.d $(B)/lib/$(1)/obj/*/*/*.d)
endef
$(foreach t,$(LIB_TARGETS),$(eval $(call LIB_RULES,$(t))))

.PHONY: lib
