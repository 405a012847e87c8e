# SPDX-License-Identifier: BSD-2-Clause
# --- host tests ---
# Included by the Makefile: gives HOST_TESTS. The library is built in one flavour per way of
# testing it: asan for the unit tests, tsan for the races, fast for what runs long, small for high
# trees of areas, slow for faults without the fast path.

HOST_WARN    := $(filter-out -Wmissing-prototypes,$(WARN)) -Wno-missing-field-initializers
HOST_CFLAGS  := -std=c17 -D_GNU_SOURCE -g -gdwarf-4 -fno-omit-frame-pointer -pthread -DMM_DEBUG -I. -Imm/include -Ikernel/include -Itests/host $(HOST_WARN)
asan_CFLAGS  := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
tsan_CFLAGS  := -O1 -fsanitize=thread -Wl,--wrap=__tsan_atomic32_load -Wno-unused-command-line-argument
fast_CFLAGS  := -O2
small_CFLAGS := -O2 -DAREA_SMALL_NODES
slow_CFLAGS  := -O2
fuzz_CFLAGS  := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
cov_CFLAGS   := -O1 -UMM_DEBUG -DCOVERAGE -fprofile-instr-generate -fcoverage-mapping -mllvm -instrprof-atomic-counter-update-all \
                -Wno-unused-command-line-argument
bench_CFLAGS := -O2 -UMM_DEBUG -fomit-frame-pointer -fno-strict-aliasing

HOST_MM      := $(wildcard $(addsuffix /*.c,$(MM_DIRS)))
# The slow path of a fault is complete: one file of three functions stands for the fast path.
slow_MM      := $(filter-out mm/fault_fast.c,$(HOST_MM)) tests/host/slow/no_fast_path.c
# What is pure outside of the library, and tested here as well.
HOST_PURE    := $(wildcard decode/*.c) x86/mmio.c x86/stage1.c vmx/mitigations.c \
                $(addprefix kernel/,cmdline.c emulator.c fdt.c fdt_boot.c format.c frame.c hang.c hypercall.c \
                devices.c loader.c memory_map.c nearest.c test_device.c uart.c wait_limit.c) \
                suite/deviations.c suite/feature.c
HOST_SUPPORT := $(filter-out tests/host/test_%.c tests/host/race_%.c tests/host/long_%.c,$(wildcard tests/host/*.c)) \
                $(wildcard tests/oracle/*.c)
# hw_walk() is checked against tests/oracle: tests/host/oracle.h.
HOST_LDFLAGS := -Wl,--wrap=hw_walk

HOST_UNITS   := $(patsubst tests/host/%.c,$(B)/host/asan/%,$(wildcard tests/host/test_*.c))
HOST_RACES   := $(patsubst tests/host/%.c,$(B)/host/tsan/%,$(wildcard tests/host/race_*.c))
HOST_LONG    := $(patsubst tests/host/%.c,$(B)/host/fast/%,$(wildcard tests/host/long_*.c)) $(B)/host/small/long_area

# $(1): flavour. mm/ is compiled with the target's warnings, tests with the same save prototypes.
define HOST_RULES
$(B)/host/$(1)/obj/%.c.o: %.c Makefile tests/host.mk
	$$(call say,CC,$(1),$$<)$(MAKE_FILE) $$@ $(CLANG) $(HOST_CFLAGS) $$($(1)_CFLAGS) -MMD -MP -MF @@.deps -MT $$@ -c $$< -o @@

$(B)/host/$(1)/libmm.a: $(patsubst %,$(B)/host/$(1)/obj/%.o,$(or $($(1)_MM),$(HOST_MM)) $(HOST_PURE)) tests/host.mk
	$$(call say,AR,$(1),$$@)$(MAKE_FILE) $$@ llvm-ar rcs @@ $$(filter %.o,$$^)

$(B)/host/$(1)/%: $(B)/host/$(1)/obj/tests/host/%.c.o $(patsubst %,$(B)/host/$(1)/obj/%.o,$(HOST_SUPPORT)) $(B)/host/$(1)/libmm.a
	$$(call say,LD,$(1),$$@)$(MAKE_FILE) $$@ $(CLANG) $$($(1)_CFLAGS) $(HOST_LDFLAGS) -pthread $$^ -lcmocka -o @@

.PRECIOUS: $(B)/host/$(1)/obj/%.c.o
-include $$(wildcard $(B)/host/$(1)/obj/*/*.d $(B)/host/$(1)/obj/*/*/*.d)
endef
$(foreach f,asan tsan fast small slow cov bench,$(eval $(call HOST_RULES,$(f))))

# Decoders are held against the assembler: tests/host/insns/<arch>.c, as bytes.
riscv64_INSNS_TARGET := --target=riscv64-none-elf -march=rv64gc -mabi=lp64d -mno-relax
aarch64_INSNS_TARGET := --target=aarch64-none-elf -march=armv8.5-a+memtag
x86_64_INSNS_TARGET  := --target=x86_64-none-elf
$(B)/host/insns/%.bin: tests/host/insns/%.c tests/host/insns/%.h
	$(call say,AS,$*,$<)$(MAKE_FILE) $@.o $(CLANG) $($*_INSNS_TARGET) -c $< -o @@ && \
		$(MAKE_FILE) $@ $(OBJCOPY) -O binary -j .text $@.o @@
$(B)/host/asan/obj/tests/host/test_decode_riscv.c.o: $(B)/host/insns/riscv64.bin
$(B)/host/asan/obj/tests/host/test_decode_aarch64.c.o: $(B)/host/insns/aarch64.bin
$(B)/host/asan/obj/tests/host/test_decode_x86.c.o: $(B)/host/insns/x86_64.bin

HOST_TESTS := $(HOST_LONG) $(HOST_RACES) $(HOST_UNITS)

# --- what the library costs: tests/bench ---
BENCH_OBJ := $(patsubst %.c,$(B)/host/bench/obj/%.c.o,$(wildcard tests/bench/*.c))

$(B)/host/bench-mm: $(BENCH_OBJ) $(B)/host/bench/libmm.a
	$(call say,LD,bench,$@)$(MAKE_FILE) $@ $(CLANG) $(bench_CFLAGS) -pthread $^ -o @@

.PHONY: bench-host
bench: bench-host
bench-host: $(B)/host/bench-mm ## the library's workloads, beside their floors and what to reach
	@tests/bench/bench.py $<

# --- what the tests reach: every line and branch of mm/, or a reason why not ---
# Every host test that has mm/ as its subject.
COVER_TESTS := $(basename $(notdir $(filter-out $(addprefix tests/host/test_,kernel_% decode_% deviations% mmio_% stage1_% oracle_%), \
               $(wildcard tests/host/test_*.c)))) race_aspace long_model
HOST_COVER := $(patsubst tests/host/%.c,$(B)/host/cov/%,$(addprefix tests/host/,$(addsuffix .c,$(COVER_TESTS))))

.PHONY: coverage
coverage: $(HOST_COVER) ## lines and branches of mm/ that the host tests reach
	@tests/host/coverage.py $(B)/host/cov $^

# --- the slow path of a fault by itself: in `make test` briefly, here all of it ---
SLOW_UNITS := $(patsubst %,$(B)/host/slow/%,$(filter test_%,$(COVER_TESTS)))
tests/host/slow/slow.t: $(SLOW_UNITS) $(B)/host/slow/long_model
HOST_TESTS += tests/host/slow/slow.t

.PHONY: test-slow
test-slow: $(SLOW_UNITS) $(patsubst tests/host/%.c,$(B)/host/slow/%,$(wildcard tests/host/long_*.c)) ## host tests of mm/ without the fast path of a fault
	@scripts/run-tests $^

# --- that the tests can fail: defects planted one at a time ---
MUTANT_TESTS := $(COVER_TESTS) long_marks long_observe long_cost long_turns long_exhaustive long_area \
                small/long_area tsan/race_aspace tsan/race_exchange

.PHONY: mutants
mutants: ## plant defects in copies of mm/, and see the tests find them; an interrupted run goes on
	@tests/mutants/mutants.py $(MUTANTS) $(MUTANT_TESTS)

# FOLDER="hext el2", ONLY=TEXT, ALL=1: all planted ones; MUTANTS= takes further options: tests/mutants/on_target.py --help
.PHONY: mutants-target
mutants-target: ## FOLDER="hext el2" ONLY=TEXT: plant defects in copies of the hypervisor, and see the suite on the target find them
	@tests/mutants/on_target.py $(if $(FOLDER),--folder '$(FOLDER)') $(if $(ONLY),--only '$(ONLY)') $(if $(ALL),--sample 0) $(MUTANTS)

# --- inputs that nobody thought of: tests/fuzz; a few seconds for each target, a minute in CI ---
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/host/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_TESTS := $(patsubst tests/fuzz/%.c,tests/fuzz/%.t,$(wildcard tests/fuzz/fuzz_*.c))
$(eval $(call HOST_RULES,fuzz))

$(FUZZERS): $(B)/host/fuzz/%: $(B)/host/fuzz/obj/tests/fuzz/%.c.o $(patsubst %,$(B)/host/fuzz/obj/%.o,$(HOST_SUPPORT)) $(B)/host/fuzz/libmm.a
	$(call say,LD,fuzz,$@)$(MAKE_FILE) $@ $(CLANG) $(fuzz_CFLAGS) -fsanitize=fuzzer $(HOST_LDFLAGS) -pthread $^ -lcmocka -o @@

tests/fuzz/corpus.t: $(FUZZERS)
$(FUZZ_TESTS): tests/fuzz/%.t: $(B)/host/fuzz/%
HOST_TESTS += tests/fuzz/corpus.t $(FUZZ_TESTS)

# What is found stays in build/host/fuzz/found; fuzz-keep adds to the corpus what reaches more.
.PHONY: fuzz fuzz-keep
fuzz: $(FUZZERS) ## libFuzzer on each target, FUZZ_SECONDS=60 each
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} scripts/run-tests --timeout 86400 $(FUZZ_TESTS)
fuzz-keep: $(FUZZERS)
	@for f in $(FUZZERS); do \
		name=$$(basename $$f); \
		$$f -merge=1 tests/fuzz/corpus/$$name $(B)/host/fuzz/found/$$name 2>&1 | grep 'MERGE-OUTER.*new files'; \
	done

.PHONY: test-host
test-host: $(HOST_TESTS) ## host tests alone
	@scripts/run-tests $^

# tests/host/oracle.h: they compare two walkers of page tables; here the second one stands alone.
.PHONY: test-oracle
test-oracle: $(HOST_LONG) $(HOST_RACES) $(HOST_UNITS) ## host tests on the second page-table walker alone
	@FAULTLINE_ORACLE=second scripts/run-tests $^

# --- the same for longer: every format's 1,000 million, every sequence of six, 100 million races,
# an hour of boundary values ---
.PHONY: soak-host
soak: soak-host
soak-host: $(HOST_LONG) $(HOST_RACES) $(B)/host/asan/test_boundary ## the model, every short sequence, areas, boundary values and the races, at length
	@tests/host/soak-host $(B)/host
