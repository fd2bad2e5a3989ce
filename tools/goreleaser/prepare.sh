#!/bin/sh
# Writes into generated/ what a release brings beside the binary: man pages, completion
# scripts and, for the image, the certificates that this machine trusts; and builds what
# lists the modules in a binary. goreleaser runs it, with the version and the commit's
# time, so that the same commit makes the same bytes.
set -eu
cd "$(dirname "$0")/../.."
version=$1
SOURCE_DATE_EPOCH=$2
export SOURCE_DATE_EPOCH

rm -rf generated
mkdir -p generated/completions
go build -trimpath -ldflags "-X github.com/leapfinancial/m2m/cmd.version=$version" -o generated/m2m .
generated/m2m help man generated/man
for shell in bash zsh fish; do
    generated/m2m completion "$shell" >"generated/completions/m2m.$shell"
done
generated/m2m completion powershell >generated/completions/m2m.ps1
rm generated/m2m

# Where Debian, Fedora and macOS keep them.
for certificates in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    [ ! -r "$certificates" ] || break
done
cp "$certificates" generated/ca-certificates.crt

go build -modfile=tools/cyclonedx-gomod/go.mod -o generated/cyclonedx-gomod \
    github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
