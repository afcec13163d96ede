#!/bin/sh
# Installs what lockbench needs from Debian's packages, when it is not there. INSTALL=no: only say what is missing, exit 2.
# TESTS=yes: what the tests need besides, too: LaTeX, whose compiler every table must satisfy.
# Exit: 0 all there, 1 installing failed, 2 something is missing and may not or cannot be installed.
set -eu

packages="gcc make pkg-config libopenblas-dev libjpeg62-turbo-dev libpng-dev libcsv-dev zlib1g-dev libarchive-dev
	libutf8proc-dev libjansson-dev libfyaml-dev libssl-dev librandom123-dev check gnuplot-nox procps dataset-fashion-mnist"
[ "${TESTS:-no}" = yes ] && packages="$packages texlive-latex-base texlive-latex-recommended"

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: this is not Debian (no dpkg-query). Install by hand what these Debian 12 packages hold:" >&2
	echo $packages >&2
	exit 2
fi

# Installed under its own name, or by a package that provides it (pkg-config is pkgconf's on some systems).
installed() {
	case $(dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null) in
	*'ok installed'*) return 0 ;;
	esac
	[ "$1" = pkg-config ] && command -v pkg-config >/dev/null 2>&1
}

missing=
for p in $packages; do
	installed "$p" || missing="$missing $p"
done
if [ -z "$missing" ]; then
	exit 0
fi
if [ "${INSTALL:-yes}" = no ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: install them with: apt-get install$missing" >&2
	exit 2
fi

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null 2>&1; then
	root=sudo
else
	echo "deps: missing:$missing" >&2
	echo "deps: neither root nor sudo; ask somebody who may: apt-get install$missing" >&2
	exit 2
fi
echo "deps: installing Debian packages:$missing"
export DEBIAN_FRONTEND=noninteractive
install="$root apt-get install -y --no-install-recommends"
# shellcheck disable=SC2086
$install $missing >/dev/null 2>&1 || {
	$root apt-get update >/dev/null || { echo "deps: apt-get update failed" >&2; exit 1; }
	$install $missing || { echo "deps: apt-get install failed" >&2; exit 1; }
}
