#!/usr/bin/env bash
# Makes a snapshot release for Linux on amd64, installs its Debian package, uses what it
# brings, removes it again, and runs its image.
set -euo pipefail
cd "$(dirname "$0")/../.."

goreleaser() { go tool -modfile=tools/goreleaser/go.mod goreleaser "$@"; }
as_root() { if ((EUID)); then sudo "$@"; else "$@"; fi; }
fail() {
    printf 'tools/goreleaser/try.sh: %s\n' "$*" >&2
    exit 1
}

if [[ $(dpkg --print-architecture) != amd64 ]]; then
    fail "the package is for amd64"
fi
if dpkg-query -W m2m >/dev/null 2>&1; then
    fail "m2m is installed already, and would be removed"
fi

work=$(mktemp -d)
installed=
cleanup() {
    if [[ $installed ]]; then as_root dpkg -r m2m; fi
    rm -rf "$work"
}
trap cleanup EXIT

# The image is made without a daemon, and goes with the folder.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot CONTAINERS_STORAGE_CONF=$work/storage.conf
printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/images"\nrunroot = "%s/containers"\n' "$work" "$work" >"$CONTAINERS_STORAGE_CONF"

# One target of six, for the sake of time; goreleaser check has read the whole file.
sed -e 's/goos: \[.*/goos: [linux]/' -e 's/goarch: \[.*/goarch: [amd64]/' -e 's/platforms: \[.*/platforms: [linux\/amd64]/' \
    .goreleaser.yaml >"$work/goreleaser.yaml"
PATH=$PWD/tools/goreleaser/daemonless:$PATH goreleaser release --snapshot --clean --config "$work/goreleaser.yaml" --skip=homebrew,scoop

(cd dist && sha256sum --check --quiet checksums.txt)
for kind in tar.gz sbom.json deb rpm apk; do
    compgen -G "dist/m2m*.$kind" >/dev/null || fail "no $kind was made"
done
size=$(stat -c %s dist/m2m_linux_amd64_v1/m2m)
((size < 16 << 20)) || fail "the binary has $size bytes, more than 16 MiB"

container=$(buildah from "$(buildah images --json | jq -r '.[0].id')")
settings=$(buildah inspect "$container" | jq -r '.OCIv1.config | "\(.User) \(.Entrypoint[0]) \(.WorkingDir)"')
[[ $settings == "65534:65534 /m2m /work" ]] || fail "the image's settings are: $settings"
buildah run "$container" -- /m2m demo

# Images of Debian without its manuals drop man pages unless they are asked for.
installed=yes
as_root dpkg --path-include='/usr/share/man/*' --path-include='/usr/share/doc/*' -i dist/m2m_*_amd64.deb

# The package's own, whatever else PATH holds.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=$work
cd "$work"
# Output goes through a variable: grep -q would leave the writer without a reader.
expect() {
    local wanted=$1 got
    shift
    got=$("$@") || fail "$* ended with $?"
    [[ $got == *"$wanted"* ]] || fail "$*: no \"$wanted\" in: $got"
}
expect 'Everyday:' m2m --help
expect '-snapshot' m2m version
expect 'send - ' env MANWIDTH=80 man m2m-send
expect 'EXIT STATUS' env MANWIDTH=80 man m2m
# shellcheck disable=SC2016 # the shells that are asked expand these
{
    expect '__start_m2m' bash --norc -c '. /usr/share/bash-completion/bash_completion; _completion_loader m2m; complete -p m2m'
    expect '_m2m' zsh -f -c 'autoload -Uz compinit; compinit -u -D; print $_comps[m2m]'
    expect 'send' fish -c 'complete -C "m2m se"'
}
m2m demo
