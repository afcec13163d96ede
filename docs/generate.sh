#!/bin/sh
# Fills the pages in docs/ from the program: option tables between <!-- options:NAME --> and <!-- /options -->, the table of metrics between
# <!-- metrics --> and <!-- /metrics -->, the matrix of applicability between <!-- matrix --> and <!-- /matrix -->, files between
# <!-- file:PATH --> and <!-- /file -->. Arguments: the lockbench binary, and --check to change nothing and exit 1 when a page is stale.
set -eu
lockbench=$1
cd "$(dirname "$0")/.."
case $lockbench in /*) ;; *) lockbench=$PWD/$lockbench ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
stale=0
for page in docs/*.md docs/*/*.md; do
	kind=
	case $page in docs/schemes/*) kind=scheme: ;; docs/attacks/*) kind=attack: ;; esac
	: >"$tmp/page"
	skip=
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'<!-- /options -->' | '<!-- /metrics -->' | '<!-- /file -->' | '<!-- /matrix -->') skip= ;;
		esac
		[ -n "$skip" ] || printf '%s\n' "$line" >>"$tmp/page"
		case $line in
		'<!-- options:'*)
			name=${line#<!-- options:}
			name=${name% -->}
			"$lockbench" show "$kind$name" --markdown >>"$tmp/page"
			skip=1 ;;
		'<!-- matrix -->')
			"$lockbench" list matrix >>"$tmp/page"
			skip=1 ;;
		'<!-- metrics -->')
			"$lockbench" list metrics --markdown >>"$tmp/page"
			skip=1 ;;
		'<!-- file:'*)
			name=${line#<!-- file:}
			{ echo '```c'; cat "${name% -->}"; echo '```'; } >>"$tmp/page"
			skip=1 ;;
		esac
	done <"$page"
	if ! cmp -s "$tmp/page" "$page"; then
		if [ "${2:-}" = --check ]; then
			echo "$page is stale: run make docs" >&2
			stale=1
		else
			cp "$tmp/page" "$page"
			echo "wrote $page"
		fi
	fi
done
exit $stale
