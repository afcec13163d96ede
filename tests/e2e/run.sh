#!/bin/sh
# The program from outside: runs, kills, resumes, compares bytes, and asks for every documented exit code.
# usage: tests/e2e/run.sh LOCKBENCH [--update]    from anywhere; --update rewrites tests/golden/ from this run
# Last line: "N passed, N failed" (skipped tests are named above it). Exit status 1 when one failed.
. "$(dirname "$0")/lib.sh"
unset LOCKBENCH_KERNELS

job=$work/tiny.yaml
cat >"$job" <<'JOB'
name: e2e
dataset: synthetic
model: lenet5
seeds: 2
train: {epochs: 3}
limit: {train: 400, test: 100}
users: 2
credentials_per_user: 1
timeout: 120
schemes:
- activeguard: {watermark: scratch, steps: 20, tries: 1}
attacks:
- prune: {rate: [0, 0.5, 0.9]}
- finetune: {images: 40, epochs: 1}
- forge: {method: [clean, fgsm], tries: 20}
JOB

# ---- a whole run, and the same by other ways ----
expect 0 "plan before the run" "42 to do" -- "$lb" plan "$job" --store whole
[ ! -e whole ] && pass || fail "plan makes no store"
expect 0 "run" "38 cells ok, 4 n/a, 0 cached, 0 failed" -- "$lb" run "$job" --store whole -q --threads 1
expect 0 "a second run computes nothing" "0 cells ok, 0 n/a, 42 cached, 0 failed" -- "$lb" run "$job" --store whole -q
expect 0 "run on 2 threads" -- "$lb" run "$job" --store threads -q --threads 2
same "1 and 2 threads" whole/cells threads/cells
same "1 and 2 threads, artefacts" whole/artefacts threads/artefacts
expect 0 "run with 2 workers" -- "$lb" run "$job" --store workers -q -j 2
same "1 and 2 workers" whole/cells workers/cells
expect 0 "verify" "0 bad" -- "$lb" verify whole
expect 0 "plan after the run" "42 cached, 0 to do" -- "$lb" plan "$job" --store whole
expect 0 "an added attack retrains nothing" "0 artefacts to make first" -- "$lb" plan "$job" --store whole --set 'attacks.prune.rate=[0, 0.25]'

# ---- killed and resumed ----
# Workers of this test that still run (the store's full path: others may test at the same time); given 5 s to be gone.
workers_left()
{
	for i in 1 2 3 4 5 6 7 8 9 10; do
		left=$(pgrep -f "worker --store $PWD/$1 " | wc -l)
		[ "$left" -eq 0 ] && break
		sleep 0.5
	done
	echo "$left"
}
# Send a signal to a worker of process $1, as soon as there is one; at most 10 s. Signal 0: only wait for it.
to_worker()
{
	for i in $(seq 200); do
		pkill "-$2" -P "$1" -f "worker --store" && break
		sleep 0.05
	done
}
for after in 0.4 0.9 1.7; do
	"$lb" run "$job" --store "$PWD/killed" -q -j 2 >out 2>err &
	pid=$!
	sleep $after
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	orphans=$(workers_left killed)
	[ "$orphans" -eq 0 ] && pass || fail "kill -9 after $after s leaves $orphans workers"
done
mkdir -p killed/cells
echo half >killed/cells/cell.json.tmp-1-1
expect 0 "resume after kill -9" "0 failed" -- "$lb" run "$job" --store killed -q
same "killed and resumed" whole/cells killed/cells
same "killed and resumed, artefacts" whole/artefacts killed/artefacts

# ---- Ctrl-C ----
"$lb" run "$job" --store "$PWD/stopped" -q --set train.epochs=200 >out 2>err &
pid=$!
to_worker $pid 0
kill -INT $pid
wait $pid
code=$?
[ $code -eq 130 ] && pass || fail "Ctrl-C: exit $code, not 130"
[ "$(workers_left stopped)" -eq 0 ] && pass || fail "Ctrl-C leaves workers"
"$lb" run "$job" --store "$PWD/stopped" -q --set train.epochs=200 >out 2>err &
pid=$!
to_worker $pid 0
kill -TERM $pid
wait $pid
code=$?
[ $code -eq 143 ] && pass || fail "SIGTERM: exit $code, not 143"

# ---- cells that fail, crash, hang: they alone, and they say why ----
expect 3 "failing cells" "24 cells ok, 4 n/a, 0 cached, 14 failed" -- "$lb" run "$job" --store failing -q --set 'schemes.activeguard.layer=absent.weight'
expect 0 "status names the failures" "absent.weight" -- "$lb" status failing
expect 3 "failed cells are tried again" "0 cells ok, 0 n/a, 28 cached, 14 failed" -- "$lb" run "$job" --store failing -q --set 'schemes.activeguard.layer=absent.weight'
expect 0 "and counted" "failed, attempt 2" -- "$lb" status failing
"$lb" run "$job" --store crashed -q --set seeds=1 --set train.epochs=100 >out 2>err &
pid=$!
to_worker $pid SEGV
wait $pid
code=$?
[ $code -eq 3 ] && grep -q 'crashed: the worker' err && pass || fail "crashing worker: exit $code, not 3"
expect 0 "a crash is repaired by running again" "0 failed" -- "$lb" run "$job" --store crashed -q --set seeds=1 --set train.epochs=100
[ "$(count crashed/failures)" -eq 0 ] && pass || fail "repaired failures are still listed"
"$lb" run "$job" --store hung -q --set seeds=1 --set train.epochs=100 --set timeout=3 >out 2>err &
pid=$!
to_worker $pid STOP
wait $pid
code=$?
[ $code -eq 3 ] && grep -q 'timeout' err && pass || fail "hanging worker: exit $code, not 3"

# ---- damage ----
cp -r whole damaged
cell=$(find damaged/cells -name '*.json' | sort | head -1)
sed -i 's/"seed": [12]/"seed": 3/' "$cell"
expect 1 "verify finds a changed cell" "1 bad" -- "$lb" verify damaged
artefact=$(find damaged/artefacts -name '*.safetensors' -size +100k | sort | head -1)
printf x | dd of="$artefact" bs=1 seek=50000 conv=notrunc 2>/dev/null
expect 1 "verify finds a changed artefact" "2 bad" -- "$lb" verify damaged
expect 0 "gc keeps what is needed" "0 of" -- "$lb" gc whole

# ---- a paper's tables come from what the command asked for, whatever else the store holds ----
tables()
{
	"$lb" reproduce activeguard --dataset synthetic --tier smoke --store "$1" --json -q --set seeds=1 --set "train.epochs=$2" \
		--set limit.train=400 --set limit.test=100 --set users=2 --set schemes.activeguard.steps=5 --set schemes.activeguard.tries=1 \
		--set schemes.activeguard.finetune-epochs=1 --set attacks.finetune.epochs=1 --set attacks.forge.tries=20 \
		--set attacks.forge.steps=5 2>err
}
tables mixed 3 >first.json && tables mixed 1 >mixed.json && tables alone 1 >alone.json && cmp mixed.json alone.json &&
	tables mixed 3 >again.json && cmp first.json again.json && ! cmp -s first.json mixed.json && pass || fail "reproduce: other cells of the store reach its tables"

# ---- bad input ----
expect 2 "no command" "usage:" -- "$lb"
expect 0 "help" "COMMAND" -- "$lb" --help
expect 0 "version" "lockbench 0" -- "$lb" --version
expect 2 "unknown command" "did you mean 'run'" -- "$lb" rum
expect 2 "unknown option" "did you mean 'store'" -- "$lb" run "$job" --stroe x
expect 2 "option out of range" "allowed: 1 to 64" -- "$lb" run "$job" -j 0
expect 2 "missing job" "No such file" -- "$lb" run absent.yaml
printf 'dataset: synthetic\nschems: [none]\n' >bad.yaml
expect 2 "broken job" "bad.yaml:2:1: unknown key 'schems'; did you mean 'schemes'?" -- "$lb" run bad.yaml
head -c 3000 /dev/urandom >random.yaml
expect 2 "a job of random bytes" -- "$lb" plan random.yaml
expect 2 "unknown data set" "no data set 'absent'" -- "$lb" plan "$job" --set dataset=absent
expect 2 "no such store" "is no store" -- "$lb" status absent
mkdir full && touch full/letter.txt
expect 2 "a directory that is no store" "is no store" -- "$lb" run "$job" --store full -q
touch file
expect 74 "a store below a file" "cannot create" -- "$lb" run "$job" --store file/store -q
expect 74 "a store in /proc" "cannot" -- "$lb" run "$job" --store /proc/lockbench -q
expect 2 "a report of nothing" "say where" -- "$lb" report whole
expect 2 "a report of unknown kind" -- "$lb" report whole -o report.doc
expect 74 "a report to nowhere" -- "$lb" report whole -o absent/report.md
expect 2 "missing model" -- "$lb" eval --dataset synthetic --model absent.safetensors
expect 2 "missing option" "--dataset is missing" -- "$lb" eval --model x
expect 74 "full standard output" "standard output" -- sh -c '"$1" list >/dev/full' sh "$lb"

# ---- two runs on one store ----
"$lb" run "$job" --store busy -q --set train.epochs=200 >out1 2>err1 &
pid=$!
sleep 0.7
expect 75 "two runs on one store" "in use by another run" -- "$lb" run "$job" --store busy -q
kill -INT $pid
wait $pid

# ---- a full disk ----
mkdir small
if mount -t tmpfs -o size=700k none small 2>/dev/null; then
	mounted=$work/small
	expect 74 "full disk" "nothing is lost" -- "$lb" run "$job" --store small/store -q
	before=$(count small/store/cells)
	mount -o remount,size=64m "$mounted"
	expect 0 "verify after a full disk" "0 bad" -- "$lb" verify small/store
	expect 0 "resume after a full disk" "0 failed" -- "$lb" run "$job" --store small/store -q
	same "full disk and resumed ($before cells before)" whole/cells small/store/cells
else
	skip "full disk (no permission to mount a tmpfs)"
fi

# ---- reports and machine-readable output ----
expect 0 "reports" -- "$lb" report whole -o r.html -o r.md -o r.tex -o r.csv -o r.json
for f in r.html r.md r.tex r.csv r.json; do [ -s $f ] && pass || fail "$f is empty"; done
expect 0 "reports again" -- "$lb" report whole -o again.html -o again.csv
cmp -s r.html again.html && cmp -s r.csv again.csv && pass || fail "two reports of one store differ"
if command -v python3 >/dev/null; then
	python3 - <<'PY' >out 2>err && pass || fail "CSV reads back"
import csv, json
rows = list(csv.reader(open("r.csv", newline="")))
assert len(rows) > 40 and all(len(r) == len(rows[0]) for r in rows), (len(rows), {len(r) for r in rows})
json.load(open("r.json"))
PY
	for c in "plan $job --store whole" "status whole" "verify whole" "list" "show prune" "show scheme:none" "data list" \
		"run $job --store whole" "gc whole --dry-run" "report whole -o r.md"; do
		# shellcheck disable=SC2086
		"$lb" $c --json >out 2>err && python3 -c 'import json,sys; json.load(sys.stdin)' <out 2>/dev/null && pass ||
			fail "$c --json is not one JSON value"
	done
else
	skip "JSON and CSV read back (no python3)"
fi

# ---- what a store says is shown and never obeyed: escapes, C1 controls, turned lines, bytes that are no UTF-8 ----
# quiet NAME: nothing of the kind in out and err, but the visible form of an escape
quiet()
{
	for bytes in '\033' '\007' '\302\233' '\342\200\256' '\233'; do
		LC_ALL=C grep -q "$(printf "$bytes")" out err || continue
		fail "$1 prints $bytes"
		return
	done
	grep -q '\\x1b' out err && pass || fail "$1 does not show what it was given"
}
told=$(printf 'st\033[31mre\007\342\200\256\233')
cp -r failing "$told" && rm "$told/manifest.sha256" # hostile: it would tell
find "$told" -name last-run.json -o -path '*/failures/*.json' | while read -r f; do
	sed -i 's/"command": "/&\\u001b]0;x\\u0007\\u009b31m\\u202e\\n/; s/"why": "/&\\u001b[2J\\u0007\\u009b31m\\u202e\\n/' "$f"
done
"$lb" status "$told" >out 2>err; quiet status
grep -q 'last run: .*\\x1b.*\\x07.*\\xc2\\x9b.*\\u202e.*\\x0a' out && pass || fail "status: the last run's command is not shown on one line"
mv "$told" told # options take no such path
"$lb" plan "$job" --store told --set 'schemes.activeguard.layer=absent.weight' >out 2>err; quiet plan
mv told "$told"
"$lb" verify "$told/absent" >out 2>err; quiet verify
"$lb" report "$told" -o "$told.md" >out 2>err; quiet report
"$lb" gc "$told/absent" >out 2>err; quiet gc
"$lb" compare "$told/absent" whole >out 2>err; quiet compare
LOCKBENCH_DATA=$PWD/$told "$lb" data list >out 2>err; quiet "data list"
"$lb" bundle whole -o "$told.tar" >out 2>err; quiet bundle
"$lb" status "$told" --json >out 2>err
LC_ALL=C grep -q "$(printf '\302\233')" out && fail "status --json prints a C1 control" || pass
"$lb" report "$told" --table survey >out 2>err
LC_ALL=C grep -q "$(printf '\033')" out err && fail "report on the terminal" || pass
rm -r "$told"
(cd "$root" && grep -rnE '(^|[^a-z_])(printf|puts|putchar|putc|vprintf)\(' --include='*.c' base nn datasets schemes attacks metrics bench reports) |
	grep -vE '^(base/terminal.c|bench/speed/)' >out && fail "$(head -1 out) prints past base/terminal.c" || pass

# ---- is it worse? ----
expect 0 "a store against itself" "no regression" -- "$lb" compare whole threads --strict
sed 's/"test": 100/"test": 50/; s/"train": 400/"train": 200/; s/^  "key": .*,$//' "$(find whole/cells -name '*.json' | sort | head -1)" >small-limits.json
expect 2 "mixed limits" "--mixed" -- "$lb" compare whole small-limits.json
expect 2 "no baseline" "is no store" -- "$lb" compare absent whole
expect 2 "a report is no cells" "holds no cells" -- "$lb" compare r.json whole
expect 2 "an unknown margin" "did you mean 'authorised_accuracy'" -- "$lb" compare whole whole --margin authorised_acuracy=1
# Cells by hand: 5 seeds, numbers and nothing else. cells NAME VALUE...
cells()
{
	seed=0 file=$1 comma=
	shift
	{
		echo '['
		for v; do
			seed=$((seed + 1))
			printf '%s{"scheme": "mylock", "attack": "none", "seed": %d, "dataset": "d", "metrics": {"authorised_accuracy": {"value": %s}}}\n' \
				"$comma" $seed "$v"
			comma=,
		done
		echo ']'
	} >"$file"
}
cells base.json 90.1 91.0 89.4 90.6 90.0
cells drop.json 87.9 87.2 86.3 86.8 87.7
cells noise.json 89.5 91.2 90.1 89.6 90.7
expect 2 "nothing pairs" "nothing pairs: the nearest cells differ in" -- "$lb" compare whole base.json
expect 1 "a drop of 3 points is a regression" "REGRESSION" -- "$lb" compare base.json drop.json
expect 0 "a gain is not" "1 better" -- "$lb" compare drop.json base.json
expect 0 "seed noise is not" "0 worse" -- "$lb" compare base.json noise.json
expect 2 "within 0.3 points nobody can say" "NOT DECIDABLE" -- "$lb" compare base.json noise.json --strict --margin default=0.3
cells rounded.json 90.100000000000009 91.000000000000003 89.399999999999991 90.6 90.000000000000014
expect 0 "rounding is no difference at any margin" "1 same" -- "$lb" compare base.json rounded.json --strict --margin default=0
expect 0 "... but the same within a point" "1 same" -- "$lb" compare base.json noise.json --strict
# The gate of docs/gate.md: a baseline kept as a bundle, the same scheme passes, one with larger credentials does not.
expect 0 "bundle" "42 cells" -- "$lb" bundle whole --job "$job" -o base.tar
mkdir gate && cp -r workers gate/store # an earlier build's: nothing to compute
expect 0 "the gate lets an unchanged scheme pass" "no regression" -- sh "$root/docs/gate.sh" "$lb" "$job" base.tar gate
[ -s gate/gate.md ] && [ -s gate/gate.xml ] && pass || fail "the gate leaves gate.md and gate.xml"
expect 1 "the gate stops a worse one" "Bytes a credential" -- sh "$root/docs/gate.sh" "$lb" "$job" base.tar gate --scheme activeguard --against keycheck
if command -v python3 >/dev/null; then
	python3 -c 'import xml.dom.minidom as m; assert m.parse("gate/gate.xml").getElementsByTagName("failure")' >out 2>err && pass || fail "JUnit XML reads back"
fi

# ---- bundles ----
expect 0 "bundle again" -- "$lb" bundle threads --job "$job" -o again.tar.gz
mkdir unpacked && tar xf base.tar -C unpacked && pass || fail "tar unpacks a bundle"
expect 0 "an unpacked bundle is a store" "42 cells, 0 artefacts checked, 0 bad" -- "$lb" verify unpacked
expect 0 "reproduce a bundle" "5 drawn and run again: 5 bit-equal, 0 within tolerance, 0 off, 0 not run" -- \
	"$lb" reproduce base.tar --sample 10% --store redo -q
expect 0 "merge what agrees" "42 cells" -- "$lb" bundle --merge base.tar again.tar.gz -o both.tar
LC_ALL=C sed 's/"seed": 1,/"seed": 2,/' base.tar >changed.tar
expect 1 "a changed bundle" "damaged or changed" -- "$lb" reproduce changed.tar --store redo2 -q
head -c 60000 base.tar >cut.tar
expect 2 "a cut bundle" -- "$lb" reproduce cut.tar --store redo2 -q
expect 2 "an archive of something else" -- "$lb" reproduce "$lb" --store redo2 -q
expect 2 "no such bundle" "No such file" -- "$lb" reproduce absent.tar

# ---- tools ----
expect 0 "train" "test accuracy" -- "$lb" train --dataset synthetic --model lenet5 --epochs 1 --limit 300 --seed 3 --threads 1 -o a.safetensors -q
expect 0 "train on 2 threads" -- "$lb" train --dataset synthetic --model lenet5 --epochs 1 --limit 300 --seed 3 --threads 2 -o b.safetensors -q
cmp -s a.safetensors b.safetensors && pass || fail "training on 1 and 2 threads differs"
expect 0 "eval" '"accuracy"' -- "$lb" eval --dataset synthetic --model a.safetensors --json
expect 0 "predict" "float32 (50,10)" -- "$lb" predict --dataset synthetic --model a.safetensors --arch lenet5 --split test --limit 50 -o l.npy -q
[ "$(wc -c <l.npy)" -eq $((128 + 50 * 10 * 4)) ] && pass || fail "logits have another size"
for m in fgsm pgd cw; do
	expect 0 "craft $m" "succeed" -- "$lb" craft --method $m --steps 5 --search 1 --dataset synthetic --model a.safetensors --limit 8 -o x.npy -q
done
expect 0 "image-metrics" "8 identical" -- "$lb" image-metrics x.npy x.npy
expect 2 "a model of another shape" -- "$lb" eval --dataset synthetic --model a.safetensors --arch wrn10-1
head -c 5000 a.safetensors >cut.safetensors
expect 2 "a cut model" -- "$lb" eval --dataset synthetic --model cut.safetensors

# ---- documentation ----
expect 0 "pages are what the program says (else: make docs)" -- sh "$root/docs/generate.sh" "$lb" --check

# ---- the survey ----
expect 0 "the survey's job is a job" "to do" -- "$lb" plan "$root/jobs/survey.yaml" --store survey
expect 0 "its companion is a job" "to do" -- "$lb" plan "$root/jobs/generality.yaml" --store survey --set dataset=synthetic
expect 2 "a tier that is none" "did you mean 'smoke'" -- "$lb" survey smok
expect 0 "list metrics" "minimum evidence" -- "$lb" list metrics

# ---- golden cells ----
# Cells under names that stay when a key changes, so that a diff shows what changed: flatten STORE DIRECTORY
flatten()
{
	mkdir -p "$2"
	find "$1/cells" -name '*.json' | while read -r f; do
		cp "$f" "$2/$(sed -n 's/^  "scheme": "\(.*\)",/\1/p' "$f")-$(sed -n 's/^  "attack": "\(.*\)",/\1/p' "$f").json"
	done
}
golden=$root/tests/golden
kernel=$("$lb" --version | sed 's/.*kernels \([a-z]*\).*/\1/')
expect 0 "golden job" "0 failed" -- "$lb" run "$golden/golden.yaml" --store gold -q
if [ "$update" = --update ]; then
	rm -rf "$golden/$kernel"
	flatten gold "$golden/$kernel"
	echo "golden: rewrote $golden/$kernel"
elif [ -d "$golden/$kernel" ]; then
	flatten gold flat
	same "golden cells (rewrite them with --update when results may change)" "$golden/$kernel" flat
else
	skip "golden cells (none for kernel '$kernel')"
fi
if LOCKBENCH_KERNELS=plain "$lb" --version 2>/dev/null | grep -q plain && [ "$kernel" != plain ]; then
	export LOCKBENCH_KERNELS=plain
	expect 0 "golden job, plain kernels" "0 failed" -- "$lb" run "$golden/golden.yaml" --store goldp -q
	if [ "$update" = --update ]; then
		rm -rf "$golden/plain"
		flatten goldp "$golden/plain"
	elif [ -d "$golden/plain" ]; then
		flatten goldp flatp
		same "golden cells, plain kernels" "$golden/plain" flatp
	fi
	unset LOCKBENCH_KERNELS
fi

finish
