#!/usr/bin/env bash
# Measures how many requests a second "m2m load" sends, each fresh and signed, against what
# vegeta sends: the same sample all the time, unsigned. That is "vegeta attack", and its
# library in the program beside this script, which keeps no results. The sender has one processor, the receiver another. Needs Linux, two processors
# and Go.
#
#   benchmarks/load/run.sh [ROUNDS]
set -euo pipefail
rounds=${1:-15}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export M2M_WEBHOOK_SECRET=m2m-dev-secret

cd "$here/../.."
go build -o "$work/m2m" .
go build -o "$work/" ./benchmarks/load/measure ./benchmarks/load/baseline
GOBIN=$work go install "github.com/tsenart/vegeta/v12@$(go list -m -f '{{.Version}}' github.com/tsenart/vegeta/v12)"
cd "$work"
./m2m events operation.created >body.json
cat >vegeta.sh <<'EOF'
echo '{"method":"POST","url":"'"$1"'","header":{"Content-Type":["application/json"],"X-M2M-Event":["operation.created"]}}' >target.json
exec ./vegeta attack -rate=0 -max-workers=16 -duration="$2" -format=json -targets=target.json -body=body.json -output=results
EOF
sender='taskset -c 0'
taskset -c 1 ./measure -rounds "$rounds" -for 2s \
  "vegeta attack, unsigned=$sender bash vegeta.sh URL SPAN" \
  "vegeta's library, unsigned=$sender ./baseline -to URL -body body.json -duration SPAN -connections 16" \
  "m2m load, fresh and signed=$sender ./m2m load operation.created --rate 1000000/s --connections 16 --to URL --duration SPAN --json"
