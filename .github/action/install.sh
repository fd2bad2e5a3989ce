#!/usr/bin/env bash
# Installs a released m2m into the job, after checking it against the release's
# checksums. It takes the version from M2M_ACTION_VERSION.
set -euo pipefail

fail() {
    printf '::error::m2m: %s\n' "$*" >&2
    exit 2
}

releases=${M2M_ACTION_RELEASES:-https://github.com/leapfinancial/m2m/releases}
fetch() { curl --fail --silent --show-error --location --retry 3 --proto "=${releases%%:*}" "$@"; }

version=${M2M_ACTION_VERSION:-latest}
if [[ $version == latest ]]; then
    # The newest release's page is where this one leads.
    page=$(fetch --output /dev/null --write-out '%{url_effective}' "$releases/latest") || fail "the newest release cannot be found"
    version=${page##*/}
fi
version=${version#v}
if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    fail "the version has to look like 0.1.0, or be latest"
fi

case $RUNNER_OS in
Linux) os=linux archive=tar.gz ;;
macOS) os=darwin archive=tar.gz ;;
Windows) os=windows archive=zip ;;
*) fail "there is no release for $RUNNER_OS" ;;
esac
case $RUNNER_ARCH in
X64) arch=amd64 ;;
ARM64) arch=arm64 ;;
*) fail "there is no release for $RUNNER_ARCH" ;;
esac
archive=m2m_${version}_${os}_${arch}.$archive

place=$RUNNER_TEMP/m2m-$version
mkdir -p "$place"
cd "$place"
for file in "$archive" checksums.txt; do
    fetch --output "$file" "$releases/download/v$version/$file" || fail "$file of version $version cannot be downloaded"
done
awk -v name="$archive" '$2 == name' checksums.txt >expected.txt
[[ -s expected.txt ]] || fail "checksums.txt does not name $archive"
if command -v sha256sum >/dev/null; then
    sha256sum --check --status expected.txt || fail "$archive is not what the release's checksums say"
else
    shasum -a 256 --check --status expected.txt || fail "$archive is not what the release's checksums say"
fi

if [[ $os == windows ]]; then
    unzip -q -o "$archive" m2m.exe
else
    tar -xzf "$archive" m2m
fi
printf '%s\n' "$place" >>"$GITHUB_PATH"
printf 'version=%s\n' "$version" >>"$GITHUB_OUTPUT"
./m2m version
