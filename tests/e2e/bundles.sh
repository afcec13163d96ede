#!/bin/sh
# Bundles: what stays at home does, whatever tar program packed them they are read, hostile ones end in one message and little
# memory, and those of earlier versions are read.
# usage: tests/e2e/bundles.sh LOCKBENCH; last line: "N passed, N failed"
. "$(dirname "$0")/lib.sh"

cat >job.yaml <<'JOB'
name: given away
tier: smoke
dataset: synthetic
model: lenet5
seeds: [1]
train: {epochs: 1}
limit: {train: 300, test: 100}
users: 2
credentials_per_user: 1
timeout: 300
schemes:
- activeguard: {watermark: scratch, digits: '4711081547110', steps: 5, tries: 1}
- activeguard: {watermark: scratch, steps: 5, tries: 1}
- passport: {signature: "Owned by Zyx"}
- chaotic: {key: [101, 104, 109], weak: 1}
- chaotic: {key: [1, 4, 9]} # weak on the smallest square: it fails, and says why
- stego-class
- sample-specific: {steps: 20, warmup: 5, code: bch15-7}
attacks:
- prune: {rate: 0.5}
JOB

# ---- what stays at home ----
home=$work/home/alice
mkdir -p "$home"
cp job.yaml "$home/job.yaml"
machine=$(uname -n)
run="$lb run $home/job.yaml --store $home/s -q --threads 1"
if unshare -u true 2>/dev/null; then # a name that nothing else is called
	machine=alices-laptop
	unshare -u sh -c "hostname $machine; $run" >out 2>err
else
	$run >out 2>err
fi
grep -rqF "\"host\": \"$machine\"" "$home/s/timing" && pass || fail "a store knows the machine"
expect 0 "report of it" -- "$lb" report "$home/s" -o r.html -o r.csv -o r.json -o r.md -o r.tex
for f in html csv json md tex; do
	expect 0 "bundle with a report as $f" "withheld, since only their owner may know them: activeguard digits, chaotic key, passport signature" -- \
		env HOME="$home" "$lb" bundle "$home/s" -o "$f.tar" --job job.yaml --report "r.$f"
	mkdir "in.$f"
	tar xf "$f.tar" -C "in.$f"
	is "nothing of the owner, the machine or who sits there ($f)" "$(grep -rnoE \
		"4711081547110|1234567890210|Owned by Zyx|101, ?104|tau=1 |alices-laptop|\"host\"|$work" "in.$f" | head -3)" ""
done
expect 0 "bundle, gzipped" -- "$lb" bundle "$home/s" -o a.tar.gz
zcat a.tar.gz | grep -qaE "4711081547110|Owned by Zyx|\"host\"|$work" && fail "and in the gzipped one" || pass
# No tensor of the owner's, nor anything made of one: neither as it is nor as text.
secrets=$(find "$home/s/artefacts" -name '*.safetensors' | wc -l)
[ "$secrets" -gt 5 ] && [ -z "$(find in.html -name '*.safetensors')" ] && pass || fail "artefacts stay at home"
expect 0 "what was unpacked is a store" "0 bad" -- "$lb" verify in.html
expect 0 "and says what it cannot say" "withhold a secret option" -- "$lb" verify in.html
expect 0 "the bundle is as good as the store" "no regression" -- "$lb" compare html.tar "$home/s"
expect 0 "and the other way round" "no regression" -- "$lb" compare "$home/s" in.html
pairs() { sed -n 's/^\([0-9]*\) pairs.*/\1/p' out; }
"$lb" compare "$home/s" "$home/s" >out 2>err
all=$(pairs)
"$lb" compare html.tar "$home/s" >out 2>err
is "every cell finds its own" "$(pairs)" "$all"
expect 0 "the same store, the same bundle" -- "$lb" bundle "$home/s" -o again.tar.gz
is "to the byte" "$(cksum <again.tar.gz)" "$(cksum <a.tar.gz)"
expect 0 "a bundle of what was unpacked" -- "$lb" bundle in.html -o twice.tar --job in.html/job/job.yaml --report in.html/report/r.html
is "is that bundle" "$(cksum <twice.tar)" "$(cksum <html.tar)"
expect 0 "report of it" -- "$lb" report in.html -o u.html -o u.tex -o u.csv

# ---- and can be repeated all the same ----
expect 3 "without the secrets" "6 not run" -- "$lb" reproduce html.tar --sample 100% --store re1 -q
expect 3 "it says how" "adds --set schemes.passport.signature=VALUE" -- "$lb" reproduce html.tar --sample 100% --store re1 -q
expect 0 "with them" "0 within tolerance, 0 off, 0 not run" -- "$lb" reproduce html.tar --sample 100% --store re2 -q \
	--set 'schemes.passport.signature=Owned by Zyx' --set schemes.activeguard.digits=4711081547110 --set schemes.chaotic.key=101,104,109
expect 3 "another one is not taken for it" "2 not run" -- "$lb" reproduce html.tar --sample 100% --store re3 -q \
	--set 'schemes.passport.signature=Owned by Xyz' --set schemes.activeguard.digits=4711081547110 --set schemes.chaotic.key=101,104,109
expect 2 "--set is for secrets only" "only what was withheld" -- "$lb" reproduce html.tar --set train.epochs=3
mkdir odd
expect 2 "a job whose secret cannot be cut out" "job.yaml:3:" -- sh -c "
	printf 'schemes:\n- passport:\n    signature: Owned by\n      Zyx\n' >odd/job.yaml; $lb bundle $home/s -o x.tar --job odd/job.yaml"

# ---- what other programs pack ----
for f in gnu pax ustar v7; do
	tar --format=$f -cf "t.tar" -C in.html . && expect 0 "GNU tar, $f" "no regression" -- "$lb" compare t.tar "$home/s"
done
gzip -c t.tar >t.tar.gz
expect 0 "gzipped" "no regression" -- "$lb" compare t.tar.gz "$home/s"
if command -v python3 >/dev/null; then
	for f in PAX GNU USTAR; do
		python3 -c "
import tarfile
t = tarfile.open('t.tar', 'w', format=tarfile.${f}_FORMAT, pax_headers={'comment': 'caf\u00e9', 'mtime': '17.5'} if '$f' == 'PAX' else None)
t.add('in.html', arcname='.')
t.close()"
		expect 0 "Python's tarfile, $f" "no regression" -- "$lb" compare t.tar "$home/s"
	done
else
	skip "Python's tarfile (no python3)"
fi
ln -s /etc/hostname in.html/report/link
tar cf t.tar -C in.html .
expect 2 "a link in it" "a link, a device or a pipe" -- "$lb" compare t.tar "$home/s"
rm in.html/report/link
mkfifo in.html/report/pipe
tar cf t.tar -C in.html .
expect 2 "a pipe in it" "a link, a device or a pipe" -- "$lb" reproduce t.tar --store redo
rm in.html/report/pipe
tar cf t.tar --transform 's,^report,../report,' -C in.html MANIFEST.json report 2>err
tar cPf t.tar -C in.html --transform 's,^report,/tmp/report,' MANIFEST.json report 2>err
expect 2 "a path that leads elsewhere" "a name that may not be" -- "$lb" compare t.tar "$home/s"
tar cf t.tar -C in.html MANIFEST.json
tar rf t.tar -C in.html MANIFEST.json
expect 2 "a name twice" "twice" -- "$lb" compare t.tar "$home/s"
echo more >>html.tar
expect 2 "something behind it" "no archive" -- "$lb" compare html.tar "$home/s"

# ---- where it is unpacked to ----
mkdir -p outside re4/claimed
ln -s "$work/outside" re4/claimed/cells
expect 2 "a folder with something in it" "holds files" -- "$lb" reproduce json.tar --store re4 -q
cp in.json/MANIFEST.json re4/claimed
expect 74 "a link in it" "not followed" -- "$lb" reproduce json.tar --store re4 -q
is "leads nowhere" "$(ls outside)" ""
is "what is unpacked is private" "$(find re2/claimed ! -perm 0600 -type f -o ! -perm 0700 -type d)" ""

# ---- hostile archives: one message, and 256 MiB are more than enough ----
zeros() { head -c "$1" /dev/zero; }
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
bomb() # NAME: what is in the folder "bomb", the manifest first, as NAME.tar.gz
{
	# shellcheck disable=SC2046
	tar --format=ustar -cf - -C bomb MANIFEST.json $(cd bomb && ls | grep -v MANIFEST) | gzip -9 >"$1.tar.gz"
}
manifest() # FILE...: a manifest that lists them, with their hashes
{
	(
		printf '{\n  "bundle": 1,\n  "files": {'
		glue=
		for f in "$@"; do
			printf '%s\n    "%s": "%s"' "$glue" "$f" "$(sum "bomb/$f")"
			glue=,
		done
		printf '\n  }\n}\n'
	) >bomb/MANIFEST.json
}
hostile() # NAME TEXT: the three that read archives, all with little memory
{
	expect 2 "bundle --merge: $1" "$2" -- sh -c "ulimit -v $room; exec $lb bundle --merge $1.tar.gz csv.tar -o m.tar --threads 1"
	is "one line says it" "$(cat out err | wc -l)" 1
	expect 2 "compare: $1" "$2" -- sh -c "ulimit -v $room; exec $lb compare $1.tar.gz csv.tar --threads 1"
	expect 2 "reproduce: $1" "$2" -- sh -c "ulimit -v $room; exec $lb reproduce $1.tar.gz --store redo --threads 1"
	rm -rf redo "$1.tar.gz"
}
room=262144
# shellcheck disable=SC2016
sh -c "ulimit -v $room; $lb compare csv.tar csv.tar" >out 2>err || { skip "memory of hostile archives (this build needs more)"; room=unlimited; }
rm -rf bomb; mkdir bomb
zeros 1000000000 >bomb/MANIFEST.json
bomb zeros
hostile zeros "a file that is too large"
rm -rf bomb; mkdir -p bomb/report
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do zeros 67108864 >bomb/report/r$i; done
manifest report/r1 report/r10 report/r11
bomb reports
hostile reports "unpacks to more than the"
rm -rf bomb; mkdir bomb
(printf '['; yes '{},' | head -n 5000000 | tr -d '\n'; printf '0]') >bomb/MANIFEST.json
bomb objects
hostile objects "holds more than 400000 values"
rm -rf bomb; mkdir -p bomb/cells/01
cell=cells/01/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.json
(printf '['; yes '{},' | head -n 2000000 | tr -d '\n'; printf '0]') >bomb/$cell
manifest $cell
bomb cell
hostile cell "holds more than 262144 values"
zeros 9000000 >bomb/$cell
manifest $cell
bomb large
hostile large "9000000 bytes"

# ---- of earlier versions ----
old=$root/tests/golden/bundle-e9caef1/bundle.tar.gz
expect 0 "a bundle of e9caef1 is read" "no regression" -- "$lb" compare "$old" "$old"
expect 0 "and merged" "8 cells" -- "$lb" bundle --merge "$old" "$old" -o m.tar
mkdir m
tar xf m.tar -C m
is "without what it should not have held" "$(grep -rnoE '4711081547110|Owned by Zyx|alices-laptop|/home/alice|"host"' m | head -3)" ""
expect 0 "a store, too" "0 bad" -- "$lb" verify m
kernel=$("$lb" --version | sed 's/.*kernels \([a-z]*\).*/\1/')
if [ "$kernel" = fma ]; then
	expect 0 "and run again" "8 bit-equal" -- "$lb" reproduce "$old" --sample 100% --store re5 -q
else
	skip "a bundle of e9caef1 run again (it was made with fma kernels)"
fi

finish
