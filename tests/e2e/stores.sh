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
	chmod 755 "$work"
	chmod -R a+rwX base
	for folder in cells cells/?? artefacts failures timing .; do
		for command in "gc h" "verify h" "status h" "report h -o /dev/null" "bundle h -o /dev/null"; do
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
for name in lock damaged cells artefacts timing failures store.json last-run.json; do
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

# ---- what e9caef1 wrote ----
tar xzf "$root/tests/golden/store-e9caef1/store.tar.gz"
expect 0 "an old store is verified" "10 cells" -- "$lb" verify s
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
