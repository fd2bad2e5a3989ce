#!/usr/bin/env bash
# Measures "m2m listen" against the bare net/http server and the Express server beside
# this script, and then what bodies of 1 MB make of its memory. Needs Go and 4 GB in the
# temporary directory; for Express, node and "npm ci" in examples/express.
#
#   benchmarks/listen/run.sh [ROUNDS]
set -euo pipefail
rounds=${1:-15}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export M2M_WEBHOOK_SECRET=m2m-dev-secret NODE_ENV=production

cd "$here/../.."
go build -o "$work/m2m" .
go build -o "$work/" ./benchmarks/listen/measure ./benchmarks/listen/baseline
express=()
if command -v node >/dev/null && [ -d examples/express/node_modules/express ]; then
  express=("Express, one JSON line=node express.mjs READY")
else
  echo 'without Express: it needs node, and "npm ci" in examples/express' >&2
fi
ln -s "$here/express.mjs" "$work" # node finds its packages by where it really is
cd "$work"
listen='./m2m listen --port 0 --ready-file READY'
./measure -rounds "$rounds" 'bare net/http=./baseline READY' "m2m listen --json=$listen --json" \
  "m2m listen --json --save=$listen --json --save saved.ndjson" ${express[@]+"${express[@]}"}
rm saved.ndjson
echo
./measure -rounds 1 -for 3s -connections 128 -size 1000000 'bare net/http, 1 MB=./baseline READY' \
  "m2m listen, 1 MB=$listen" "m2m listen --json --save, 1 MB=$listen --json --save saved.ndjson"
