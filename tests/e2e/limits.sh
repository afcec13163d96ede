#!/bin/sh
# What the program does where the machine gives less: memory, files, processes, time, room on disk, somebody who listens.
# usage: tests/e2e/limits.sh LOCKBENCH [FAIL_ALLOC.so [STEP]]; each STEP-th allocation of a small run fails, with the preloaded library.
# Last line: "N passed, N failed" (skipped tests are named above it).
. "$(dirname "$0")/lib.sh"
preload=${2:-} step=${3:-2503}
case $preload in ''|/*) ;; *) preload=$OLDPWD/$preload ;; esac
unset LOCKBENCH_KERNELS

cat >tiny.yaml <<'JOB'
name: tiny
tier: smoke
dataset: synthetic
model: linear
seeds: [1]
train: {epochs: 1}
limit: {train: 100, test: 20}
users: 2
credentials_per_user: 1
timeout: 300
controls: false
schemes:
- keycheck
attacks:
- prune: {rate: [0.5]}
JOB
expect 0 "a small study" "2 cells ok" -- "$lb" run tiny.yaml --store ref -q --threads 1
# whole NAME STORE: the same command goes on to what an undisturbed run makes
whole()
{
	expect 0 "$1, then the same command" " 0 failed" -- "$lb" run tiny.yaml --store "$2" -q --threads 1
	same "$1, cells" ref/cells "$2/cells"
	same "$1, artefacts" ref/artefacts "$2/artefacts"
}
# one NAME: the last command said one line on stderr, and neither BUG nor a signal's name is in it
one()
{
	if [ "$(wc -l <err)" -ne 1 ]; then
		fail "$1: $(wc -l <err) lines on stderr, not 1"
	elif grep -q 'BUG\|Segmentation\|Aborted\|core dumped' err; then
		fail "$1: $(cat err)"
	else
		pass
	fi
}
# under LIMIT COMMAND...: with that limit, an option of prlimit
under() { limit=$1; shift; prlimit "$limit" "$@"; }

# ---- descriptors 0 to 2 ----
shut()
{
	case $1 in *0*) exec 0<&- ;; esac
	case $1 in *1*) exec 1>&- ;; esac
	case $1 in *2*) exec 2>&- ;; esac
	exec "$lb" run tiny.yaml --store "shut$1" -q --threads 1
}
for closed in 0 1 2 12 012; do
	(shut $closed) >out 2>err
	is "run with descriptors $closed closed" $? 0
	same "... gives the same cells" ref/cells shut$closed/cells
	is "... and writes nothing into the lock but who has it" "$(sed 's/process [0-9]* on .*/holder/' shut$closed/lock)" holder
done
(exec 2>&-; exec "$lb" list metrics) >out
is "list without a standard error" "$? $(grep -c . out)" "0 $("$lb" list metrics | grep -c .)"

# ---- nobody listens: a pipe whose reader has gone ----
mkfifo pipe
exec 4<>pipe 5>pipe 4<&-
unheard() { "$@" >&5 2>err; }
for c in "list" "list metrics" "list metrics --json" "show prune" "plan tiny.yaml --store ref" "status ref" "verify ref" \
	"report ref --table survey" "run tiny.yaml --store ref -q --json" "--help" "--version"; do
	# shellcheck disable=SC2086
	unheard "$lb" $c
	is "$c, unheard" "$? $(cat err)" "0 "
done
unheard "$lb" run tiny.yaml --store unheard -q
is "a run that nobody listens to ends well" $? 0
same "... and has made its cells" ref/cells unheard/cells
cp -r ref damaged
cell=$(find damaged/cells -name '*.json' | sort | head -1)
echo x >>"$cell"
unheard "$lb" verify damaged
is "an answer of no stays no" $? 1
exec 5>&-

# ---- outputs are looked at before the work ----
# long: what follows must fail at once, not after the work that it asks for
long() { code=$1 name=$2 text=$3; shift 4; expect "$code" "$name" "$text" -- timeout 10 "$@"; }
"$lb" train --dataset synthetic --model linear --epochs 1 --limit 100 --threads 1 -o m.safetensors -q >out 2>err || fail "train"
train="train --dataset synthetic --epochs 100000 -q"
for c in "$train" "predict --dataset synthetic --model m.safetensors" "craft --dataset synthetic --model m.safetensors" "bundle ref"; do
	# shellcheck disable=SC2086
	long 74 "$c: no folder" "there is no folder absent; make it first" -- "$lb" $c -o absent/file
	# shellcheck disable=SC2086
	long 74 "$c: a folder" "it is a folder" -- "$lb" $c -o ref
done
for c in "report ref" "reproduce activeguard --dataset synthetic --store new" "reproduce breaks --dataset synthetic --store new" "survey --store new"; do
	# shellcheck disable=SC2086
	long 74 "$c: no folder" "there is no folder absent; make it first" -- "$lb" $c -o absent/page.html
	# shellcheck disable=SC2086
	long 2 "$c: an unknown ending" "a report's name ends in" -- "$lb" $c -o page.doc
done
long 74 "compare: no folder" "there is no folder absent" -- "$lb" compare ref ref -o absent/page.md
long 2 "compare: an unknown ending" "compare writes" -- "$lb" compare nothing ref -o page.doc
[ ! -e new ] && pass || fail "a refused output leaves a store"
ln -s absent/file dangling
# shellcheck disable=SC2086
long 74 "a link into no folder" "there is no folder absent" -- "$lb" $train -o dangling
if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 755 ours
	# shellcheck disable=SC2086
	long 74 "somebody else's folder" "Permission denied" -- setpriv --reuid=65534 --regid=65534 --clear-groups "$lb" $train -o ours/m
	is "... is left as it was" "$(ls -A ours)" ""
fi

# ---- files that may not grow ----
mkdir grow
for kib in 0 4 100; do
	# shellcheck disable=SC3045
	(ulimit -f $((2 * kib)); exec "$lb" train --dataset synthetic --epochs 1 --limit 100 --threads 1 -q -o grow/m.safetensors) >/dev/null 2>/dev/null
	is "train under a file size of $kib KiB" "$? $(ls -A grow)" "74 "
done
(ulimit -f 8; exec "$lb" report ref -o grow/r.html -q) >/dev/null 2>/dev/null
is "report under a file size" "$? $(ls -A grow)" "74 "
(ulimit -f 8; exec "$lb" run tiny.yaml --store grown -q --threads 1) >/dev/null 2>/dev/null
is "run under a file size" $? 74
is "... leaves nothing half" "$(find grown -name '*.tmp-*')" ""
whole "a file size" grown

# ---- memory ----
# (Below some MiB the dynamic linker gives up, before the program begins, with 127.)
codes=
for kib in 8000 16000 32000 48000 56000 60000 64000 68000 72000 80000 96000 200000; do
	(ulimit -v $kib; exec "$lb" run tiny.yaml --store mem$kib -q --threads 2) >out 2>err
	code=$?
	codes="$codes $code"
	case $code in
	0) [ ! -s err ] && pass || fail "ulimit -v $kib: done, but stderr" ;;
	71) one "ulimit -v $kib" && { grep -q 'out of memory' err || fail "ulimit -v $kib: '$(cat err)'"; } ;;
	127) one "ulimit -v $kib" ;;
	*) fail "ulimit -v $kib: exit $code" ;;
	esac
	[ ! -e mem$kib/store.json ] || whole "ulimit -v $kib" mem$kib
done
case $codes in *71*71*0) pass ;; *) fail "ulimit -v: exit codes$codes" ;; esac
expect 71 "a limit for workers that is too small for every task" "memory for a worker is 20 MiB" -- "$lb" run tiny.yaml --store job -q --set memory=20 --set model=lenet5
expect 0 "... that did its harm to nothing" " 0 failed" -- "$lb" run tiny.yaml --store job -q --set model=lenet5
expect 0 "a limit for workers that is enough" " 0 failed" -- "$lb" run tiny.yaml --store job2 -q --set memory=400 --threads 4
(ulimit -s 64; exec "$lb" plan tiny.yaml --store ref) >out 2>err
is "a stack that is too small" "$? $(cat err)" "71 lockbench: out of memory: a stack of 64 KiB is allowed, 1024 are needed (ulimit -s)"
(ulimit -S -s 256; exec "$lb" run tiny.yaml --store stack -q --threads 2) >out 2>err
is "a small stack that may grow" $? 0

# ---- processor time ----
expect 71 "train out of processor time" "processor time" -- under --cpu=1 "$lb" train --dataset synthetic --epochs 100000 --threads 2 -q -o grow/m.safetensors
one "train out of processor time"
is "... leaves nothing" "$(ls -A grow)" ""
expect 71 "run out of processor time" "processor time" -- under --cpu=1 "$lb" run tiny.yaml --store cpu -q --threads 1 --set train.epochs=100000 --set limit.train=2000
expect 0 "and again with time" " 0 failed" -- "$lb" run tiny.yaml --store cpu -q --threads 1
expect 0 "a task does not pay for those before it in its worker" " 0 failed" -- under --cpu=2 "$lb" run tiny.yaml --store tasks -q --threads 1 \
	--set seeds=8 --set model=lenet5 --set limit.train=1000

# ---- open files ----
codes=
for n in 4 5 6 8 9 10 16; do
	(exec 4>&- 5>&-; ulimit -n $n; exec "$lb" run tiny.yaml --store open$n -q --threads 1) >out 2>err
	code=$?
	codes="$codes $code"
	case $code in
	0) ;;
	74) one "ulimit -n $n" && { grep -q 'Too many open files' err || fail "ulimit -n $n: '$(cat err)'"; } ;;
	*) fail "ulimit -n $n: exit $code" ;;
	esac
	[ ! -e open$n/store.json ] || whole "ulimit -n $n" open$n
done
case $codes in *74*0) pass ;; *) fail "ulimit -n: exit codes$codes" ;; esac
(ulimit -n 11; exec "$lb" run tiny.yaml --store few -q -j 4 --set seeds=4 --threads 1) >out 2>err
is "fewer workers than asked for" "$? $(grep -c 'going on with fewer' err)" "0 1"

# ---- processes: limits count for users, not for root ----
if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 777 users
	chmod 755 .
	as() { processes=$1; shift; setpriv --reuid=61234 --regid=61234 --clear-groups prlimit --nproc="$processes" "$@"; }
	expect 71 "no process for a worker" "no more processes are allowed (ulimit -u)" -- as 1 "$lb" run tiny.yaml --store users/none -q
	one "no process for a worker"
	expect 0 "no process for threads" " 0 failed" -- as 2 "$lb" run tiny.yaml --store users/one -q --threads 8
	same "fewer threads, the same cells" ref/cells users/one/cells
	expect 0 "one process for four workers" "going on with fewer" -- as 2 "$lb" run tiny.yaml --store users/few -q -j 4 --threads 1 --set seeds=4
	expect 0 "tools without threads" -- as 1 "$lb" train --dataset synthetic --model linear --epochs 1 --limit 100 --threads 8 -o users/m -q
	cmp -s users/m m.safetensors && pass || fail "8 threads, none of which can be started, give other bytes"
else
	skip "limits on processes (not root)"
fi

# ---- a worker that somebody kills ----
"$lb" run tiny.yaml --store killed -q --set train.epochs=100000 --set limit.train=2000 >out 2>err &
pid=$!
for i in $(seq 200); do
	[ -n "$(find killed/store.json 2>/dev/null)" ] && pkill -9 -P $pid -f "worker --store" && break
	sleep 0.05
done
wait $pid
code=$?
[ $code -eq 3 ] && grep -q 'ended by signal 9 (Killed)' err && pass || fail "a killed worker: exit $code"

# ---- disks ----
if mkdir disk && mount -t tmpfs -o size=200k none disk 2>/dev/null; then
	mounted=$work/disk
	dd if=/dev/zero of=disk/full bs=1k 2>/dev/null
	expect 74 "a report onto a full disk" "No space left" -- "$lb" report ref -o disk/r.html
	expect 74 "a page whose plots have no room" "No space left" -- env TMPDIR="$work/disk" "$lb" report ref -o r.html
	is "what has no room leaves nothing" "$(ls -A disk)" full
	rm disk/full
	cp -r ref/cells disk/ 2>/dev/null
	mount -o remount,ro disk
	long 74 "a file on a disk that is read-only" "Read-only file system" -- "$lb" train --dataset synthetic --epochs 100000 -q -o disk/m
	expect 74 "a store on a disk that is read-only" "Read-only file system" -- "$lb" run tiny.yaml --store disk/store -q
	umount disk
	mounted=
else
	skip "full and read-only disks (no permission to mount a tmpfs)"
fi
expect 74 "a folder for gnuplot that is not there" "for gnuplot in $work/absent" -- env TMPDIR="$work/absent" "$lb" report ref -o r.html
mkdir tmp
expect 0 "one that is" -- env TMPDIR="$work/tmp" "$lb" report ref -o r.html
is "... is left empty" "$(ls -A tmp)" ""

# ---- allocations that fail, one by one ----
# fails PROCESS N [on]: the N-th allocation of the run, or of each of its workers, fails (and all after it)
fails()
{
	rm -rf store
	env LD_PRELOAD="$preload" FAIL_IN="$1" FAIL_AT="$2" ${3:+FAIL_ON=1} "$lb" run tiny.yaml --store store -q --threads 2 >out 2>err
	code=$?
	name="allocation $2 of the $1 fails${3:+, and all others}"
	if [ $code -ne 71 ] && { [ "$1" = run ] || [ $code -ne 3 ]; }; then
		fail "$name: exit $code"
	elif ! grep -q 'out of memory' err; then
		fail "$name: not named"
	else
		one "$name"
	fi
	[ ! -e store/store.json ] || whole "$name" store
}
calls() { rm -rf store calls; env LD_PRELOAD="$preload" FAIL_IN="$1" FAIL_COUNT="$work/calls" "$lb" run tiny.yaml --store store -q --threads 2 >out 2>err; cat calls; }
if [ -z "$preload" ]; then
	skip "allocations that fail (no library to preload)"
elif [ "$(calls run)" -lt 1000 ] || [ "$(calls worker)" -lt 1000 ]; then
	skip "allocations that fail (a sanitizer's allocator cannot be made to)"
else
	for process in run worker; do
		all=$(calls $process)
		for n in 1 2 $(seq 3 "$step" "$all"); do
			fails $process "$n"
		done
		fails $process $((all / 2)) on
	done
fi
finish
