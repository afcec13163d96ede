#!/bin/sh
# Runs jobs/smoke.yaml into ./demo-store and writes its report. Argument: the lockbench binary (default build/lockbench).
# Run it again and nothing is computed twice; remove demo-store to start over.
set -eu
cd "$(dirname "$0")"
lockbench=${1:-build/lockbench}
[ -x "$lockbench" ] || { echo "demo: no $lockbench; type make first" >&2; exit 2; }
"$lockbench" run jobs/smoke.yaml --store demo-store
"$lockbench" report demo-store -o demo-store/report.html >/dev/null
echo "The report: file://$PWD/demo-store/report.html"
