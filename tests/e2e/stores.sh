#!/bin/sh
# Stores that are hostile, hidden, damaged or old: nothing outside of them changes, what cannot be looked at is never taken for absent,
# and what an earlier version wrote is read, verified, gone on with and reported.
# usage: tests/e2e/stores.sh LOCKBENCH; last line: "N passed, N failed"
. "$(dirname "$0")/lib.sh"

cat >tiny.yaml <<'JOB'
name: tiny
tier: smoke
dataset: synthetic
model: linear
seeds: [1]
train: {epochs: 1}
limit: {train: 300, test: 100}
users: 2
credentials_per_user: 1
timeout: 300
controls: false
schemes:
- keycheck
attacks:
- prune: {rate: [0, 0.5]}
JOB
expect 0 "a small study" "3 cells ok" -- "$lb" run tiny.yaml --store base -q --threads 1
artefacts() { find "$1/artefacts" -type f | wc -l; }
all=$(artefacts base)

# ---- private, whatever the umask ----
is "everything in a store is its owner's alone" "$(find base ! -perm 0600 -type f -o ! -perm 0700 -type d)" ""
(umask 0; "$lb" run tiny.yaml --store open -q --threads 1 >out 2>err)
is "also with umask 0" "$(find open ! -perm 0600 -type f -o ! -perm 0700 -type d)" ""
: >report.html
chmod 600 report.html
expect 0 "a report over a private file" -- "$lb" report base -o report.html
is "stays private" "$(stat -c %a report.html)" 600

# ---- who cannot look says so ----
# hidden NAME COMMAND...: the words STORE in it is a copy of the store whose cells/ became something else in each of these ways
hidden()
{
	for how in dangling link file pipe; do
		rm -rf h elsewhere
		cp -r base h
		mv h/cells elsewhere
		case $how in
		dangling) ln -s nowhere h/cells ;;
		link) ln -s "$work/elsewhere" h/cells ;;
		file) : >h/cells ;;
		pipe) mkfifo h/cells ;;
		esac
		expect 74 "$1 where cells/ is a $how" "cells" -- "$lb" $2
		is "$1 removes nothing where cells/ is a $how" "$(artefacts h)" "$all"
	done
}
hidden "gc" "gc h"
hidden "gc --dry-run" "gc h --dry-run"
hidden "verify" "verify h"
hidden "status" "status h"
hidden "report" "report h -o x.html"
hidden "run" "run tiny.yaml --store h -q"
hidden "plan" "plan tiny.yaml --store h"
hidden "bundle" "bundle h -o x.tar"
hidden "compare" "compare h base"
if [ "$(id -u)" = 0 ]; then
	chmod 777 "$work"
	chmod -R a+rwX base
	for folder in cells cells/?? artefacts failures timing .; do
		for command in "gc h" "verify h" "status h" "report h --table functional" "bundle h -o x.tar"; do
			rm -rf h
			cp -r base h
			mkdir -p h/failures
			chmod -R a+rwX h
			case $folder:$command in
			artefacts:bundle*|timing:gc*) continue ;;
			esac
			chmod 000 h/$folder
			expect 74 "$command without permission for $folder" "ermission denied" -- nobody "$lb" $command
			chmod 755 h/$folder
			is "$command without permission for $folder removes nothing" "$(artefacts h)" "$all"
		done
	done
	chmod -R go-rwx base
else
	skip "stores without permission (not root)"
fi
rm -rf h
cp -r base h
printf x >>"$(find h/cells -name '*.json' | head -1)"
expect 74 "gc where a cell is damaged" "nothing removed" -- "$lb" gc h
is "gc removes nothing then" "$(artefacts h)" "$all"
expect 2 "no store at all" "is no store" -- "$lb" status nowhere

# ---- links, pipes and devices in a store lead nowhere ----
mkdir victim
echo precious >victim/file
echo precious >victim/x.tmp-1-1
cp -r victim victim.before
for name in lock damaged cells artefacts timing failures store.json last-run.json manifest.sha256; do
	for target in victim victim/file /dev/null; do
		rm -rf h
		cp -r base h
		rm -rf h/$name
		[ $target = /dev/null ] && ln -s /dev/null h/$name || ln -s "$work/$target" h/$name
		for command in "gc h --dry-run" "gc h" "status h" "verify h" "report h -o x.md" "run tiny.yaml --store h -q --set seeds=[2]"; do
			timeout 20 "$lb" $command >out 2>err
			code=$?
			case $code in 0|1|2|3|74) ;; *) fail "$command, $name -> $target: exit $code" ;; esac
		done
		if diff -r victim victim.before >/dev/null; then pass; else fail "$name -> $target: something outside changed"; cp victim.before/* victim; fi
	done
done
rm -rf h
cp -r base h
cell=$(find h/cells -name '*.json' | head -1)
rm "$cell"
mkfifo "$cell"
expect 74 "a pipe instead of a cell" "a pipe" -- timeout 20 "$lb" report h -o x.md

# ---- a dry run changes nothing ----
rm -rf h
cp -r base h
echo half >h/store.json.tmp-1-1
mkdir -p h/artefacts/00
cp "$(find base/artefacts -type f | head -1)" h/artefacts/00/$(printf '%064d' 0).safetensors
find h -printf '%p %m %s %T@ %i\n' | sort >before
expect 0 "gc --dry-run names what would go" "1 of" -- "$lb" gc h --dry-run
find h -printf '%p %m %s %T@ %i\n' | sort >after
same "gc --dry-run changes nothing" before after
expect 0 "gc removes it" "1 of" -- "$lb" gc h
is "and only that" "$(artefacts h)" "$all"

# ---- damage is never quiet ----
first() { find "$1" -type f | sort | head -1; }
# damaged NAME WHAT: `h` is damaged; report, compare, status and verify say so, and WHAT
damaged()
{
	expect 1 "report of $1" "left out" -- "$lb" report h -o d.html -o d.md -o d.tex -o d.csv -o d.json
	for f in d.html d.md d.tex; do
		tr '\n' ' ' <$f | grep -q "Left out, because damaged or missing: $2" && pass || fail "$f does not say that $1 is left out"
	done
	grep -qE '"(DAMAGED|MISSING)"' d.csv && grep -qE '"state": "(damaged|missing)"' d.json && pass || fail "CSV or JSON of $1"
	expect 1 "a table of $1" "Left out" -- "$lb" report h --table functional
	expect 1 "verify of $1" -- "$lb" verify h
	[ "$1" = "a forged timing" ] && return # which status does not read
	expect 1 "status of $1" -- "$lb" status h
	grep -qE '[0-9]+ (damaged|missing)' out && pass || fail "status of $1 does not count"
}
fresh() { rm -rf h; cp -r base h; }
fresh
printf x | dd of="$(first h/cells)" bs=1 seek=200 conv=notrunc 2>/dev/null
damaged "a changed cell" "1 cell."
expect 2 "compare with a changed cell" "INCOMPLETE" -- "$lb" compare base h
expect 2 "the other way round" "INCOMPLETE" -- "$lb" compare h base
expect 0 "of what is left" "(--partial)" -- "$lb" compare base h --partial
expect 0 "run makes it again" "1 cells ok" -- "$lb" run tiny.yaml --store h -q --threads 1
same "to the byte" base/cells h/cells
expect 0 "and all is well" "0 bad" -- "$lb" verify h
fresh
printf ' ' >>"$(first h/cells)"
damaged "bytes behind a cell" "1 cell."
expect 0 "run makes that again" "1 cells ok" -- "$lb" run tiny.yaml --store h -q --threads 1
same "to the byte, too" base/cells h/cells
fresh
rm "$(first h/cells)"
damaged "a deleted cell" "1 cell."
expect 2 "compare with a deleted cell" "without a candidate: 1" -- "$lb" compare base h
rm "$(first h/cells)"
expect 2 "compare with two" "without a candidate: 2" -- "$lb" compare base h -o d.xml -o d.md -o d.json
grep -q 'errors="4"' d.xml && grep -q incomplete d.md && grep -q '"outcome": "INCOMPLETE"' d.json && pass || fail "compare's files name what lacks"
fresh
key=$(basename "$(first h/cells)")
sed -i 's/"seconds": /"seconds": 9/' "h/timing/$(echo "$key" | cut -c1-2)/$key"
damaged "a forged timing" "1 timing."
expect 0 "compare needs no timing" "no regression" -- "$lb" compare base h
rm "h/timing/$(echo "$key" | cut -c1-2)/$key"
damaged "a deleted timing" "1 timing."
fresh
artefact=$(first h/artefacts)
rm "$artefact"
expect 1 "verify misses an artefact" "is not there" -- "$lb" verify h
expect 1 "so does status" "1 missing" -- "$lb" status h
fresh
sed -i 's/tiny/tony/' h/last-run.json
damaged "a changed note of the run" "1 other file."
fresh
echo junk >>h/manifest.sha256
damaged "a changed manifest" "1 other file."
fresh
rm h/manifest.sha256
expect 0 "without a manifest" "no manifest.sha256" -- "$lb" verify h
expect 0 "it is written again" "3 cells" -- "$lb" verify --repair h
same "as it was" base/manifest.sha256 h/manifest.sha256
if command -v python3 >/dev/null; then
	fresh
	python3 - "$(first h/cells)" <<'PY'
import hashlib, re, sys
text = open(sys.argv[1]).read()
text = re.sub(r'"creds_key": "[0-9a-f]*"', '"creds_key": "x"', text)
lines = [l for l in text.split("\n") if not l.startswith('  "sha256": ')]
packed = "".join(re.sub(r'^ *("(?:[^"\\]|\\.)*"): ', r"\1:", l).strip() for l in lines)
text = re.sub(r'(\n  "sha256": ")[0-9a-f]*', lambda m: m.group(1) + hashlib.sha256(packed.encode()).hexdigest(), text)
open(sys.argv[1], "w").write(text)
PY
	rm h/manifest.sha256
	expect 1 "a cell whose hash is right and whose key is x" '"creds_key": is no SHA-256' -- "$lb" verify h
	expect 1 "report of it" '"creds_key": is no SHA-256' -- "$lb" report h -o d.md
	expect 2 "compare with it" "INCOMPLETE" -- "$lb" compare base h
	expect 1 "status of it" "1 damaged" -- "$lb" status h
	expect 0 "run makes it again, too" "1 cells ok" -- "$lb" run tiny.yaml --store h -q --threads 1
	same "to the byte, again" base/cells h/cells
else
	skip "a cell with a right hash and a wrong member (no python3)"
fi

# ---- the way back ----
fresh
printf x | dd of="$(first h/cells)" bs=1 seek=200 conv=notrunc 2>/dev/null
printf x | dd of="$(first h/artefacts)" bs=1 seek=200 conv=notrunc 2>/dev/null
rm h/store.json "$(find h/cells -type f | sort | tail -1)"
expect 2 "a store without its store.json" "lost its store.json: \`lockbench verify --repair h\`" -- "$lb" run tiny.yaml --store h -q
expect 0 "repair" "store.json: made again" -- "$lb" verify --repair h
is "what was damaged lies aside" "$(ls h/damaged | wc -l)" 2
expect 0 "the rest is right" "1 cells, $((all - 1)) artefacts checked, 0 bad" -- "$lb" verify h
expect 0 "and run makes the others again" "2 cells ok" -- "$lb" run tiny.yaml --store h -q --threads 1
same "repaired cells" base/cells h/cells
same "repaired artefacts" base/artefacts h/artefacts
expect 0 "all of it" "0 bad" -- "$lb" verify h
(cd h && sha256sum --strict --quiet -c manifest.sha256) >out 2>err && pass || fail "sha256sum -c reads the manifest"
expect 2 "repair of what is no store" "is no store" -- "$lb" verify --repair victim

# ---- killed runs leave nothing that verify calls damage ----
rm -rf killed
for after in 0.05 0.1 0.15 0.2 0.3 0.4 0.6 0.8; do
	"$lb" run tiny.yaml --store killed -q -j 2 --threads 1 --set 'seeds=[1, 2, 3, 4, 5, 6, 7, 8]' --set train.epochs=3 >out 2>err &
	pid=$!
	sleep $after
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	sleep 0.3
	[ -f killed/store.json ] || continue
	expect 0 "verify of a run killed after $after s" "0 bad" -- "$lb" verify killed
	expect 0 "status of it" -- "$lb" status killed
done
expect 0 "the run goes on" "0 failed" -- "$lb" run tiny.yaml --store killed -q --threads 1 --set 'seeds=[1, 2, 3, 4, 5, 6, 7, 8]' --set train.epochs=3
expect 0 "and ends whole" "24 cells" -- "$lb" verify killed
(cd killed && sha256sum --strict --quiet -c manifest.sha256) >out 2>err && pass || fail "sha256sum -c after kills"

# ---- what e9caef1 wrote ----
tar xzf "$root/tests/golden/store-e9caef1/store.tar.gz"
expect 0 "an old store is verified" "10 cells" -- "$lb" verify s
grep -q "no manifest.sha256" out && pass || fail "and what cannot be known of it is said"
expect 0 "and counted" "10 cells" -- "$lb" status s
expect 0 "and reported" -- "$lb" report s -o old.html -o old.csv -o old.tex -o old.md -o old.json
expect 0 "and bundled" -- "$lb" bundle s -o old.tar
expect 0 "gc of it keeps what is needed" "0 of" -- "$lb" gc s
cp -r s s.before
kernel=$("$lb" --version | sed 's/.*kernels \([a-z]*\).*/\1/')
if [ "$kernel" = fma ]; then # keys hold the kernel family
	expect 3 "and gone on with" "0 cells ok, 0 n/a, 10 cached, 5 failed" -- "$lb" run "$root/tests/golden/store-e9caef1/job.yaml" --store s -q
	same "cells of an old store stay" s.before/cells s/cells
else
	skip "an old store gone on with (it was written with fma kernels)"
fi

finish
