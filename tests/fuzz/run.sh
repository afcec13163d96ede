#!/bin/sh
# Build every tests/fuzz/fuzz_X.c with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, and run each.
# usage: tests/fuzz/run.sh [SECONDS [NAME...]]   from the repository root; NAME without fuzz_ and .c
# Seeds come from tests/fuzz/corpus/X/ when it exists; findings go to build-fuzz/X/. Exit status 1 after a crash,
# a leak, an input slower than 5 s or larger than 1 GiB in memory; 2 when it cannot be built.
set -u
seconds=${1:-10}
[ $# -gt 0 ] && shift
names=$*
B=build-fuzz
CLANG=${CLANG:-clang}

command -v "$CLANG" >/dev/null || {
	echo "fuzz: no $CLANG; apt-get install clang" >&2
	exit 2
}
[ -f base/tile.c ] || {
	echo "fuzz: run it from the repository root" >&2
	exit 2
}
if [ -z "$names" ]; then
	for f in tests/fuzz/fuzz_*.c; do
		n=${f##*/fuzz_}
		names="$names ${n%.c}"
	done
fi

mkdir -p "$B"
targets=
for n in $names; do
	targets="$targets $B/fuzz_$n"
done
make -s -j"${FUZZ_JOBS:-2}" -f - B="$B" CC="$CLANG" $targets <<'MAKE' || exit 2
PKGS  := libjpeg libpng zlib libarchive libutf8proc jansson libfyaml libcrypto
SRC   := $(sort $(filter-out bench/main.c bench/speed/%,$(shell find base nn datasets schemes attacks metrics bench reports -name '*.c')))
OBJ   := $(SRC:%.c=$(B)/%.o)
FLAGS := -std=c11 -D_GNU_SOURCE -pthread -I. -O1 -g -ffp-contract=off -Wno-unknown-pragmas -MMD -MP \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	$(shell pkg-config --cflags $(PKGS))
LIBS  := $(shell pkg-config --libs $(PKGS)) -lcsv -lm -ldl
$(B)/nn/kernels_avx2.o:   ISA = -mavx2 -mfma
$(B)/nn/kernels_avx512.o: ISA = -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma
.SECONDARY:
$(B)/%.o: %.c
	mkdir -p $(@D)
	$(CC) $(FLAGS) $(ISA) -c -o $@ $<
# An archive: each target takes the rooms it needs.
$(B)/all.a: $(OBJ)
	rm -f $@
	ar rcs $@ $^
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/all.a
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)
-include $(OBJ:.o=.d) $(wildcard $(B)/tests/fuzz/*.d)
MAKE

bad=0
for n in $names; do
	work=$B/$n
	mkdir -p "$work/corpus"
	seeds=
	[ -d "tests/fuzz/corpus/$n" ] && seeds="tests/fuzz/corpus/$n"
	"$B/fuzz_$n" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=16384 \
		-print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" $seeds >"$work/log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
	if [ $status -eq 0 ]; then
		echo "fuzz_$n: ${runs:-?} executions, no finding"
	else
		echo "fuzz_$n: FAILED (status $status) after ${runs:-?} executions; see $work/log"
		tail -n 25 "$work/log" >&2
		bad=1
	fi
done
exit $bad
