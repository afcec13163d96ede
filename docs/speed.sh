#!/bin/sh
# Measures and writes the tables of docs/speed.md, between <!-- bench:NAME --> and <!-- /bench -->. Argument: build/speed.
# Takes some minutes and wants the machine for itself.
set -eu
speed=$1
page=docs/speed.md
cd "$(dirname "$0")/.."
case $speed in /*) ;; *) speed=$PWD/$speed ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo "measuring rows" >&2
"$speed" | sed '/^history: /d' >"$tmp/table"
echo "measuring the peer" >&2
BENCH_ROUNDS=${BENCH_ROUNDS:-3} "$speed" peer >"$tmp/peer"
echo "measuring layers" >&2
"$speed" layers >"$tmp/layers"
skip=
while IFS= read -r line || [ -n "$line" ]; do
	case $line in '<!-- /bench -->') skip= ;; esac
	[ -n "$skip" ] || printf '%s\n' "$line"
	case $line in
	'<!-- bench:'*)
		name=${line#<!-- bench:}
		echo '```'
		sed 's/[[:space:]]*$//' "$tmp/${name% -->}"
		echo '```'
		skip=1 ;;
	esac
done <"$page" >"$tmp/page"
cp "$tmp/page" "$page"
echo "wrote $page" >&2
