#!/bin/sh
# Runs the survey and writes docs/results/ from it.
# usage: docs/results.sh [TIER] [STORE] [LOCKBENCH]          TIER: smoke (default), short or paper; STORE: survey-TIER
#        docs/results.sh --pages STORE [LOCKBENCH]           only the pages, from what is in the store
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --pages ]; then
	store=${2:?usage: docs/results.sh --pages STORE [LOCKBENCH]}
	lockbench=${3:-build/lockbench}
else
	tier=${1:-smoke}
	store=${2:-survey-$tier}
	lockbench=${3:-build/lockbench}
fi
out=docs/results
[ -x "$lockbench" ] || { echo "results: no $lockbench; type make first" >&2; exit 2; }
if [ -n "${tier:-}" ]; then
	"$lockbench" survey "$tier" --store "$store" -o "$store/survey.html" || [ $? -eq 1 ] # 1: some cells failed, the tables say which
fi
mkdir -p "$out"
for table in survey resistance cost overhead; do
	"$lockbench" report "$store" --table $table -o "$out/$table.md" -o "$out/$table.csv" >/dev/null
done
"$lockbench" report "$store" --table survey -o "$out/survey.tex" >/dev/null
tier=$(sed -n 's/^Tier \([a-z]*\),.*/\1/p' "$out/survey.md" | head -1)
{
	echo "# Numbers of the $tier tier"
	echo
	if [ "$tier" = smoke ]; then
		echo "**A first look, not a comparison**: part of the training and test images, few credentials a user, one seed. It shows that everything"
		echo "runs; differences of a few points mean nothing."
		echo
	fi
	echo "Written by \`docs/results.sh\`. The same as CSV: [survey](survey.csv), [resistance](resistance.csv), [cost](cost.csv),"
	echo "[overhead](overhead.csv); as LaTeX: [survey](survey.tex). What the words mean: [reports](../reports.md); what the metrics are:"
	echo "[metrics](../metrics.md); what we learn: [README](README.md)."
	echo
	sed 's/^### /## /' "$out/survey.md"
	sed 's/^### /## /' "$out/resistance.md"
	echo "[Cost to break, all rows](cost.md); [overhead](overhead.md)."
} >"$out/numbers.md"
rm -f "$out/survey.md" "$out/resistance.md"
echo "$out/numbers.md"
