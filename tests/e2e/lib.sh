# What the scripts of this folder share: `. "$(dirname "$0")/lib.sh"` with the program as their first argument. It changes to an
# empty folder, $work, that goes away at the end; $root is the checkout, $lb the program. End with `finish`.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
lb=${1:?usage: $0 LOCKBENCH [--update]}
case $lb in /*) ;; *) lb=$PWD/$lb ;; esac
update=${2:-}
[ -x "$lb" ] || { echo "e2e: no program $lb; type make" >&2; exit 2; }
work=$(mktemp -d /tmp/lockbench-e2e-XXXXXX)
mounted=
cleanup()
{
	[ -n "$mounted" ] && umount "$mounted" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 1
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "FAIL: $*"; [ -s err ] && sed 's/^/    stderr: /' err | head -5; }
skip() { echo "skipped: $*"; }

# expect CODE NAME [TEXT] -- COMMAND...: exit code, and a text that stderr or stdout must hold
expect()
{
	code=$1 name=$2 text=
	shift 2
	[ "$1" = -- ] || { text=$1; shift; }
	shift
	"$@" >out 2>err
	got=$?
	if [ $got -ne "$code" ]; then
		fail "$name: exit $got, not $code"
	elif [ -n "$text" ] && ! grep -qF -- "$text" out err; then
		fail "$name: no '$text' in its output"
	else
		pass
	fi
}
# same NAME A B: equal trees
same() { if diff -r "$2" "$3" >out 2>err; then pass; else fail "$1: $2 and $3 differ"; fi; }
# is NAME A B: equal texts
is() { if [ "$2" = "$3" ]; then pass; else fail "$1: '$2', not '$3'"; fi; }
count() { find "$1" -name '*.json' 2>/dev/null | wc -l; }
# Somebody without any right here, as only root can become.
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
finish()
{
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
}
