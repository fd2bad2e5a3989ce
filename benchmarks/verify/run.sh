#!/usr/bin/env bash
# Measures "m2m verify" against the plain Go and Node programs beside this script, on
# records it makes first. Needs Go, node and 700 MB in the temporary directory.
#
#   benchmarks/verify/run.sh [RECORDS]
set -euo pipefail
records=${1:-300000}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export M2M_WEBHOOK_SECRET=m2m-dev-secret

cd "$here/../.."
go build -o "$work/m2m" .
go build -o "$work/" ./benchmarks/verify/gen ./benchmarks/verify/measure ./benchmarks/verify/baseline
cd "$work"
./gen -n "$records" >records.ndjson

# Exit code 1 says that some are invalid, as they are.
expected=$(./baseline records.ndjson)
for count in "$(node "$here/baseline.mjs" records.ndjson)" "$({ ./m2m verify records.ndjson || true; } | tail -n 1)"; do
  if [ "$count" != "$expected" ]; then
    echo "the counts differ: $count, want $expected" >&2
    exit 1
  fi
done
echo "$expected"
cp "$here/baseline.mjs" .
./measure -records "$records" 'm2m verify -q=./m2m verify -q records.ndjson' \
  'm2m verify=./m2m verify records.ndjson' 'Go, plain=./baseline records.ndjson' 'Node, plain=node baseline.mjs records.ndjson'
