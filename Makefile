# lockbench: `make help` lists the targets. V=1 shows commands. SAN=address,undefined (or thread) builds
# with sanitizers, CC=clang with clang; every flavour has a build directory of its own.
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
V       ?= 0
SAN     ?=
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
empty   :=
comma   := ,
ROOMS   := base nn datasets schemes attacks metrics bench reports
PKGS    := libjpeg libpng zlib libarchive libutf8proc jansson libfyaml libcrypto
PKGCFG  := $(shell command -v pkg-config 2>/dev/null)
ifneq ($(PKGCFG),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null)
BLAS_CFLAGS := $(shell pkg-config --cflags openblas 2>/dev/null)
BLAS_LIBS := $(shell pkg-config --libs openblas 2>/dev/null)
endif
B       := build$(if $(filter-out gcc,$(CC)),-$(notdir $(CC)))$(if $(SAN),-$(subst $(comma),-,$(SAN)))
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes -Wmissing-prototypes -Werror=implicit-function-declaration
OPT     ?= -O2
SANFLAGS = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS  ?= -g
ALL      = -std=c11 -D_GNU_SOURCE -I. $(OPT) -pthread -ffp-contract=off $(WARN) -MMD -MP $(SANFLAGS) $(PKG_CFLAGS) $(BLAS_CFLAGS) $(CFLAGS)
LIBS     = -pthread $(PKG_LIBS) -lcsv -lm -ldl

# A room is a folder with its sub-rooms; a new file in it is built by itself.
# Of the program only: its main(), and a malloc() that ends the process (the tests have one of their own).
PROGRAM := bench/main.c bench/malloc.c
SRC     := $(sort $(filter-out $(PROGRAM) bench/speed/%,$(shell find $(ROOMS) -name '*.c')))
OBJ      = $(SRC:%.c=$(B)/%.o)
TEST32  := $(wildcard tests/check_*.c)
TEST64  := $(wildcard tests/check64_*.c)
SUPPORT := $(wildcard tests/support_*.c)
SRC64   := $(sort $(shell find base nn -name '*.c'))
FUZZ    := $(wildcard tests/fuzz/fuzz_*.c)
SPEED   := $(wildcard bench/speed/*.c)

.DEFAULT_GOAL := all
.SECONDARY:
ifeq ($(V),0)
.SILENT:
endif

## all: build lockbench (into build/)
all: $(B)/lockbench
# Kernel files are compiled once per instruction set; the rest is portable.
$(B)/nn/kernels_avx2.o $(B)/d/nn/kernels_avx2.o:     ISA = -O3 -fno-math-errno -fno-trapping-math -mavx2 -mfma -ffp-contract=fast
$(B)/nn/kernels_avx512.o $(B)/d/nn/kernels_avx512.o: ISA = -O3 -fno-math-errno -fno-trapping-math -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma -mprefer-vector-width=512 -ffp-contract=fast
$(B)/nn/kernels_plain.o $(B)/d/nn/kernels_plain.o:   ISA = -O3 -fno-math-errno -fno-trapping-math

$(B)/%.o: %.c
	mkdir -p $(@D)
	$(if $(filter 0,$(V)),echo "  CC  $<")
	$(CC) $(ALL) $(ISA) $(CPPFLAGS) -c -o $@ $<
# The engine once more in double precision, for gradient checks.
$(B)/d/%.o: %.c
	mkdir -p $(@D)
	$(if $(filter 0,$(V)),echo "  CC  $< (double)")
	$(CC) $(ALL) $(ISA) -DNN_DOUBLE $(CPPFLAGS) -c -o $@ $<

$(B)/lockbench: $(PROGRAM:%.c=$(B)/%.o) $(OBJ)
	$(CC) $(SANFLAGS) -o $@ $^ $(LIBS)

# How fast it is: a program of its own over the same objects (docs/speed.md). OpenBLAS is its yardstick; lockbench itself needs none.
$(B)/speed: $(SPEED:%.c=$(B)/%.o) $(OBJ)
	$(CC) $(SANFLAGS) -o $@ $^ $(BLAS_LIBS) $(LIBS)

# ---- tests: tests/check_X.c defines Suite *suite_X(void); the lists of suites are made from the names ----
# Written anew when the list changes, also when a file goes.
$(B)/tests/suites.inc: SUITES = $(TEST32:tests/check_%.c=%)
$(B)/tests/suites64.inc: SUITES = $(TEST64:tests/check64_%.c=%)
$(B)/tests/suites.inc $(B)/tests/suites64.inc: always
	mkdir -p $(@D)
	printf 'SUITE(%s)\n' $(SUITES) >$@.new
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(B)/tests/run.o: tests/run.c $(B)/tests/suites.inc $(B)/tests/suites64.inc
	$(CC) $(ALL) $(CPPFLAGS) -DSUITES='"$(B)/tests/suites.inc"' -DOTHER_SUITES='"$(B)/tests/suites64.inc"' -c -o $@ $<
$(B)/d/tests/run.o: tests/run.c $(B)/tests/suites.inc $(B)/tests/suites64.inc
	mkdir -p $(@D)
	$(CC) $(ALL) $(CPPFLAGS) -DNN_DOUBLE -DSUITES='"$(B)/tests/suites64.inc"' -DOTHER_SUITES='"$(B)/tests/suites.inc"' -c -o $@ $<
$(B)/tests/run: $(B)/tests/run.o $(TEST32:%.c=$(B)/%.o) $(SUPPORT:%.c=$(B)/%.o) $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(SPEED))) $(OBJ) | $(B)/speed
	$(CC) $(SANFLAGS) -o $@ $^ $(CHECK_LIBS) $(BLAS_LIBS) $(LIBS)
$(B)/tests/run64: $(B)/d/tests/run.o $(TEST64:%.c=$(B)/d/%.o) $(SRC64:%.c=$(B)/d/%.o)
	$(CC) $(SANFLAGS) -o $@ $^ $(CHECK_LIBS) $(LIBS)

## unit: the unit tests only (CK_RUN_SUITE=name runs one suite)
unit: $(B)/tests/run $(B)/tests/run64
	LOCKBENCH=$(B)/lockbench CK_TIMEOUT_MULTIPLIER=4 $(B)/tests/run
	$(B)/tests/run64
unit: $(B)/lockbench

## deps: install what is missing from Debian's packages (INSTALL=no: only say what is missing; TESTS=yes: LaTeX for the tests, too)
deps:
	INSTALL=$(INSTALL) TESTS=$(TESTS) sh ./deps.sh
## check: set-up and every test
check:
	$(MAKE) deps TESTS=yes
	$(MAKE) -j$(JOBS) all $(B)/tests/run $(B)/tests/run64
	$(MAKE) check-built
check-built:
	$(MAKE) unit
	sh tests/e2e/run.sh $(B)/lockbench
	sh tests/e2e/stores.sh $(B)/lockbench
	sh tests/e2e/data.sh $(B)/lockbench
	sh tests/e2e/bundles.sh $(B)/lockbench
	$(MAKE) check-limits
# An allocation that fails, for tests: preloaded.
$(B)/tests/fail_alloc.so: tests/e2e/fail_alloc.c
	mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) -fPIC -shared -o $@ $< -ldl
## check-limits: little memory, few files, full disks; each MEMORY_STEP-th allocation of a small run fails (1: all, hours)
MEMORY_STEP ?= 2503
check-limits: all $(B)/tests/fail_alloc.so
	sh tests/e2e/limits.sh $(B)/lockbench $(B)/tests/fail_alloc.so $(MEMORY_STEP)
## check-san: the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
check-san:
	$(MAKE) -j$(JOBS) SAN=address,undefined all build-address-undefined/tests/run build-address-undefined/tests/run64
	$(MAKE) SAN=address,undefined unit
## fuzz: build the fuzz targets with clang's libFuzzer and run each FUZZ_SECONDS (default 10)
FUZZ_SECONDS ?= 10
fuzz:
	sh tests/fuzz/run.sh $(FUZZ_SECONDS)
## demo: set up, build, run the smoke job on Fashion-MNIST and say where its report is
demo: deps
	$(MAKE) -j$(JOBS) all
	sh ./demo.sh $(B)/lockbench
## bench: how fast every job is here, against sgemm's peak and earlier runs (BENCH_JOBS=regex, BENCH_SECONDS=3, BENCH_JSON=file)
bench: $(B)/speed
	$(B)/speed
## bench-peer: the same beside PyTorch's scripts in $$PEER_DIR or ../shared/peer, in turn
bench-peer: $(B)/speed
	$(B)/speed peer
## bench-layers: where a training step's time goes, layer by layer (MODELS="lenet5 wrn10-4", BENCH_THREADS=1)
bench-layers: $(B)/speed
	$(B)/speed layers $(MODELS)
## bench-docs: measure everything and write the tables of docs/speed.md; for an idle machine
bench-docs: $(B)/speed
	sh docs/speed.sh $(B)/speed
## docs: regenerate the option tables in docs/ from the program
docs: all
	sh docs/generate.sh $(B)/lockbench
## clean: remove every build directory
clean:
	rm -rf build build-*
## help: this list
help:
	sed -n 's/^## /  make /p' Makefile

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: always all unit deps check check-built check-limits check-san fuzz demo bench bench-peer bench-layers bench-docs docs clean help
