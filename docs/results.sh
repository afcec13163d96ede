#!/bin/sh
# Runs the survey and writes docs/results/ from it. usage: docs/results.sh [TIER] [STORE] [LOCKBENCH]
# TIER: smoke (default), short or paper; STORE: survey-TIER. What is in the store is not run again, so that pages alone take seconds.
set -eu
cd "$(dirname "$0")/.."
tier=${1:-smoke}
store=${2:-survey-$tier}
lockbench=${3:-build/lockbench}
out=docs/results
[ -x "$lockbench" ] || { echo "results: no $lockbench; type make first" >&2; exit 2; }
"$lockbench" survey "$tier" --store "$store" -o "$store/survey.html" || [ $? -eq 1 ] # 1: some cells failed, the tables say which
mkdir -p "$out"
for table in survey resistance cost overhead; do
	"$lockbench" report "$store" --table $table -o "$out/$table.md" -o "$out/$table.csv" >/dev/null
done
"$lockbench" report "$store" --table survey -o "$out/survey.tex" >/dev/null
{
	echo "<!-- written by docs/results.sh $tier -->"
	echo "# Numbers of the $tier tier"
	echo
	if [ "$tier" = smoke ]; then
		echo "**A first look, not a comparison**: part of the training images, 1,000 test images, few users, one seed. It shows that everything"
		echo "runs; differences of a few points mean nothing."
		echo
	fi
	echo "\`sh docs/results.sh $tier\` wrote this page from $("$lockbench" status "$store" --json | sed -n 's/.*"cells": *\([0-9]*\).*/\1/p' | head -1) cells."
	echo "The same as CSV: [survey](survey.csv), [resistance](resistance.csv), [cost](cost.csv), [overhead](overhead.csv);"
	echo "as LaTeX: [survey](survey.tex). What the words mean: [reports](../reports.md); what the metrics are: [metrics](../metrics.md)."
	echo
	sed 's/^### /## /' "$out/survey.md" "$out/resistance.md"
	echo "[Cost to break, all rows](cost.md); [overhead](overhead.md)."
} >"$out/numbers.md"
rm -f "$out/survey.md" "$out/resistance.md"
echo "$out/numbers.md, and the report: $store/survey.html"
