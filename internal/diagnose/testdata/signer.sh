#!/bin/sh
# Makes captures that are broken as people break them in a shell, with openssl, and
# says of each what is wrong with it. Writes one line of JSON a capture.
set -eu
secret=$1 staging=$2 timestamp=$3 name=$4 file=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64_of() { openssl base64 -A; }
hmac() { openssl dgst "${2:--sha256}" -mac HMAC -macopt "key:$1" | sed 's/.*= //'; }
content() { printf %s. "$timestamp"; cat "${1:-$file}"; }

# tell WHAT CAUSES SECRET TIMESTAMP SIGNATURE FILE
tell() {
	printf '{"name":"%s: %s","causes":["%s"],"words":[],"secret":"%s","timestamp":"%s","signature":"%s","body":"%s"}\n' \
		"$1" "$name" "$(printf %s "$2" | sed 's/ /","/g')" "$(printf "$3" | base64_of)" "$4" "$5" "$(base64_of <"$6")"
}

right=sha256=$(content | hmac "$secret")

(cat "$file"; echo) >"$work/line"
tell 'echo to the file' trailing-newline "$secret" "$timestamp" "$right" "$work/line"
tell 'echo to openssl' missing-newline "$secret" "$timestamp" "sha256=$(content "$work/line" | hmac "$secret")" "$file"
printf '\357\273\277' | cat - "$file" >"$work/bom"
tell 'a byte order mark' bom "$secret" "$timestamp" "$right" "$work/bom"
awk 'NR > 1 { printf "\r\n" } { printf "%s", $0 }' "$file" >"$work/crlf"
if ! cmp -s "$file" "$work/crlf"; then
	tell unix2dos crlf "$secret" "$timestamp" "$right" "$work/crlf"
	tell dos2unix lf "$secret" "$timestamp" "sha256=$(content "$work/crlf" | hmac "$secret")" "$file"
	printf '\357\273\277' | cat - "$work/crlf" >"$work/bom"
	tell 'unix2dos -m' 'bom crlf' "$secret" "$timestamp" "$right" "$work/bom"
fi
gzip -c "$file" >"$work/gz"
tell gzip gzip-body "$secret" "$timestamp" "$right" "$work/gz"
gzip -c "$work/line" >"$work/gz"
tell 'gzip of a line' 'gzip-body trailing-newline' "$secret" "$timestamp" "$right" "$work/gz"

tell 'echo secret' secret-whitespace "$secret\\n" "$timestamp" "$right" "$file"
tell 'docker --env-file' secret-quoted "\"$secret\"" "$timestamp" "$right" "$file"
tell 'docker --env-file of a line' 'secret-whitespace secret-quoted' "'$secret'\\n" "$timestamp" "$right" "$file"
tell 'echo twice' 'trailing-newline secret-whitespace' "$secret\\n" "$timestamp" "$right" "$work/line"
hex=$(openssl rand -hex 32)
decoded=sha256=$(content | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$hex" | sed 's/.*= //')
tell 'openssl rand -hex, hexkey' secret-hex "$hex" "$timestamp" "$decoded" "$file"
base64=$(printf %s "$hex" | tr a-f A-F | sed 's/../\\\\x&/g' | xargs printf | base64_of)
tell 'openssl rand -base64, decoded' secret-base64 "$base64" "$timestamp" "$decoded" "$file"
tell 'whsec_ and base64' 'secret-prefix secret-base64' "whsec_$base64" "$timestamp" "$decoded" "$file"
tell 'whsec_' secret-prefix "whsec_$secret" "$timestamp" "$right" "$file"

tell 'date +%s000' timestamp-milliseconds "$secret" "$timestamp" "sha256=$( (printf %s000. "$timestamp"; cat "$file") | hmac "$secret")" "$file"
tell 'date +%s%3N' timestamp-seconds "$secret" "${timestamp}042" "$right" "$file"
tell 'openssl dgst of the file' timestamp-missing-from-signed-content "$secret" "$timestamp" "sha256=$(hmac "$secret" <"$file")" "$file"
for separator in '' : '\n' _ -; do
	tell "separator $separator" wrong-separator "$secret" "$timestamp" "sha256=$( (printf "%s$separator" "$timestamp"; cat "$file") | hmac "$secret")" "$file"
done
tell 'two lines of milliseconds' 'timestamp-milliseconds wrong-separator' "$secret" "$timestamp" \
	"sha256=$( (printf '%s000\n' "$timestamp"; cat "$file") | hmac "$secret")" "$file"

binary=$(content | openssl dgst -sha256 -mac HMAC -macopt "key:$secret" -binary | base64_of)
tell 'openssl base64' signature-base64 "$secret" "$timestamp" "sha256=$binary" "$file"
tell 'openssl base64 alone' 'signature-without-prefix signature-base64' "$secret" "$timestamp" "$binary" "$file"
tell 'openssl base64 of the file' 'timestamp-missing-from-signed-content signature-base64' "$secret" "$timestamp" \
	"sha256=$(openssl dgst -sha256 -mac HMAC -macopt "key:$secret" -binary <"$file" | base64_of)" "$file"
tell 'tr a-f A-F' signature-uppercase "$secret" "$timestamp" "sha256=$(printf %s "${right#sha256=}" | tr a-f A-F)" "$file"
tell 'the digits alone' signature-without-prefix "$secret" "$timestamp" "${right#sha256=}" "$file"
tell 'capitals alone' 'signature-without-prefix signature-uppercase' "$secret" "$timestamp" "$(printf %s "${right#sha256=}" | tr a-f A-F)" "$file"

for algorithm in sha1 sha384 sha512; do
	tell "openssl dgst -$algorithm" wrong-algorithm "$secret" "$timestamp" "sha256=$(content | hmac "$secret" "-$algorithm")" "$file"
done
tell sha256sum plain-hash "$secret" "$timestamp" "sha256=$(content | openssl dgst -sha256 | sed 's/.*= //')" "$file"
tell 'sha256sum of secret and content' plain-hash "$secret" "$timestamp" \
	"sha256=$( (printf %s "$secret"; content) | openssl dgst -sha256 | sed 's/.*= //')" "$file"
tell 'sha256sum of content and secret' plain-hash "$secret" "$timestamp" \
	"sha256=$( (content; printf %s "$secret") | openssl dgst -sha256 | sed 's/.*= //')" "$file"
tell 'sha256sum of the file' 'timestamp-missing-from-signed-content plain-hash' "$secret" "$timestamp" \
	"sha256=$(openssl dgst -sha256 <"$file" | sed 's/.*= //')" "$file"
tell 'the secret of staging' other-secret "$secret" "$timestamp" "sha256=$(content | hmac "$staging")" "$file"
tell 'another secret' unknown "$secret" "$timestamp" "sha256=$(content | hmac "$hex")" "$file"
