#!/usr/bin/env bash
# Measures how long m2m takes to start, against a hello-world on the same four packages
# that is built in the same way, and how long one capture takes to verify, against what
# one would type with openssl. Needs Go and openssl.
#
#   benchmarks/startup/run.sh [RUNS]
set -euo pipefail
runs=${1:-300}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export M2M_WEBHOOK_SECRET=m2m-dev-secret CGO_ENABLED=0

cd "$here/../.."
go build -trimpath -ldflags '-s -w' -o "$work/m2m" .
go build -trimpath -ldflags '-s -w' -o "$work/hello" ./benchmarks/startup/hello
go build -o "$work/measure" ./benchmarks/startup/measure
cd "$work"
./m2m send operation.created --to localhost --print http >capture.http
./m2m send operation.created --to localhost --print json >capture.json
sed '1,/^\r$/d' capture.http >body
printf 'm2m has %d KiB, hello %d KiB\n\n' $(($(wc -c <m2m) / 1024)) $(($(wc -c <hello) / 1024))
./measure -runs "$runs" 'hello=./hello' 'm2m version=./m2m version' 'm2m --help=./m2m --help'
echo
./measure -runs "$runs" 'cat, openssl dgst=cat body | openssl dgst -sha256 -hmac m2m-dev-secret' \
    'm2m verify, raw HTTP=./m2m verify capture.http' 'm2m verify, a record=./m2m verify capture.json'
