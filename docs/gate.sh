#!/bin/sh
# A gate for continuous integration: run a job, compare it with a baseline, leave what people and the CI server read.
# usage: docs/gate.sh LOCKBENCH JOB BASELINE OUT [OPTION OF compare]...
#   BASELINE  a bundle (`lockbench bundle STORE -o baseline.tar`, kept in the repository) or a store
#   OUT       a directory, made when missing: OUT/store (keep it between builds: what is there is not computed again), gate.md, gate.xml
# exit status: 0 no regression, 1 a regression, 2 it could not be evaluated, others as of `lockbench run`
set -u
lockbench=${1:?usage: gate.sh LOCKBENCH JOB BASELINE OUT [OPTION]...}
job=$2 baseline=$3 out=$4
shift 4
mkdir -p "$out" || exit 74
"$lockbench" run "$job" --store "$out/store" -q
status=$?
# 3: some cells failed; the comparison names those that the baseline has.
case $status in 0 | 3) ;; *) exit $status ;; esac
# The job's own tolerances, when it has some.
grep -q '^margins:' "$job" && set -- --margins "$job" "$@"
"$lockbench" compare "$baseline" "$out/store" "$@" -o "$out/gate.md" -o "$out/gate.xml"
