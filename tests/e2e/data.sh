#!/bin/sh
# Data sets that are hidden, incomplete, hostile or another one's: what cannot be looked at is neither missing nor damaged, what is
# found is said to be, and what is not the published set is called so wherever its numbers stand.
# usage: tests/e2e/data.sh LOCKBENCH; last line: "N passed, N failed"
. "$(dirname "$0")/lib.sh"
unset LOCKBENCH_DATA
export XDG_CACHE_HOME="$work/cache"
chmod 755 "$work"

# An image folder of 8x8 pixels, all alike, two classes.
printf %s iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mNIgQIGyhgAhHUZAUxWjfQAAAAASUVORK5CYII= | base64 -d >one.png
image_set() { for c in a b; do mkdir -p "$1/train/$c" "$1/test/$c" && cp one.png "$1/train/$c/" && cp one.png "$1/test/$c/"; done; }
image_set d/plain
image_set d/hidden
image_set d/many
for i in $(seq 60); do
	for p in train test; do cp -r "d/many/$p/a" "d/many/$p/c$i"; done
done
image_set d/half && mv d/half/test d/half/val

# ---- cannot look is neither "is not there" nor "damaged" ----
expect 0 "a set that is sound" "reads well" -- "$lb" data verify plain --data-dir d
expect 74 "too many open files" "CANNOT BE READ" -- sh -c "ulimit -n 64; exec '$lb' data verify many --data-dir d"
expect 74 "also for a training" "oo many open files" -- sh -c "ulimit -n 64; exec '$lb' train --dataset many --data-dir d -o m.safetensors"
expect 0 "the same set is sound" "reads well" -- "$lb" data verify many --data-dir d
if [ "$(id -u)" -eq 0 ]; then
	chmod 0 d/hidden/train/b
	expect 74 "a class that may not be read" "CANNOT BE READ" -- nobody "$lb" data verify hidden --data-dir d
	chmod 755 d/hidden/train/b
	chmod 0 d/hidden
	expect 74 "a set that may not be read" "cannot tell" -- nobody "$lb" data verify hidden --data-dir d
	expect 74 "in a list" "cannot tell" -- nobody "$lb" data list --data-dir d
	expect 0 "the others are read" "reads well" -- nobody "$lb" data verify plain --data-dir d
	chmod 755 d/hidden
	mkdir -p cache/lockbench && chmod 0 cache/lockbench
	expect 0 "a cache that may not be read is warned of" "warning: cannot look into" -- nobody "$lb" data where half --data-dir d
	expect 74 "and may hold what is nowhere else" "may be in there" -- nobody "$lb" data where gone --data-dir d
	chmod 755 cache/lockbench
else
	skip "permissions (only root can become somebody else)"
fi

# ---- a part of a set is found ----
expect 2 "train/ and val/" "half is there, but has no folder test (it holds: train, val)" -- "$lb" train --dataset half --data-dir d -o m.safetensors
expect 2 "what verify says" "INCOMPLETE" -- "$lb" data verify half --data-dir d
expect 0 "where it is" "d/half" -- "$lb" data where half --data-dir d

# ---- nothing outside of a set's folder ----
ln -s /dev/zero d/hidden/train/a/zero.png
expect 74 "a link to a device" "links in there are not followed" -- "$lb" data verify hidden --data-dir d
rm d/hidden/train/a/zero.png
mkfifo d/hidden/train/a/pipe.png
expect 74 "a pipe that nobody writes" "it is a pipe" -- timeout 20 "$lb" data verify hidden --data-dir d
rm d/hidden/train/a/pipe.png
printf 'padding\000\000' >>d/hidden/train/a/one.png
expect 0 "bytes behind an image" "reads well" -- "$lb" data verify hidden --data-dir d

# ---- files with MNIST's names ----
be32() { printf "\\$(printf %03o $(($1 >> 24 & 255)))\\$(printf %03o $(($1 >> 16 & 255)))\\$(printf %03o $(($1 >> 8 & 255)))\\$(printf %03o $(($1 & 255)))"; }
# idx FOLDER PART N FIRST LAST: N random images of 28x28, labels FIRST to LAST in turn
idx()
{
	{ be32 2051; be32 "$3"; be32 28; be32 28; head -c $(($3 * 784)) /dev/urandom; } >"$1/$2-images-idx3-ubyte"
	{ be32 2049; be32 "$3"; i=0; while [ $i -lt "$3" ]; do printf "\\$(printf %03o $(($4 + i % ($5 - $4 + 1))))"; i=$((i + 1)); done; } >"$1/$2-labels-idx1-ubyte"
}
mkdir -p other/mnist letters/mnist
idx other/mnist train 600 0 9
idx other/mnist t10k 100 0 9
idx letters/mnist train 260 1 26
idx letters/mnist t10k 260 1 26
expect 1 "another set is no published MNIST" "DIFFERENT" -- "$lb" data verify mnist --data-dir other
expect 2 "EMNIST's letters" "these are EMNIST's letters" -- "$lb" train --dataset mnist --data-dir letters -o m.safetensors
mv letters/mnist/t10k-labels-idx1-ubyte .
expect 2 "three files of four" "t10k-labels-idx1-ubyte is missing" -- "$lb" train --dataset mnist --data-dir letters -o m.safetensors
cat >other.yaml <<'JOB'
name: other
tier: smoke
dataset: mnist
model: linear
seeds: [1]
train: {epochs: 1}
limit: {train: 0, test: 0}
timeout: 300
controls: false
schemes: [none]
attacks: []
JOB
expect 0 "a run on it" "1 cells ok" -- "$lb" run other.yaml --data-dir other --store s --threads 1 -q
expect 0 "its report" -- "$lb" report s -o r.html -o r.md -o r.tex -o r.json -q
for f in r.html r.md r.tex; do
	grep -qi 'not the published' $f && pass || fail "$f does not say that the data are not the published ones"
done
expect 0 "one table of it" "not the published mnist" -- "$lb" report s --table survey

finish
