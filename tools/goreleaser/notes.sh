#!/bin/sh
# Prints what CHANGELOG.md says of a version, which becomes the release's notes; fails
# when it says nothing.
set -eu
cd "$(dirname "$0")/../.."
awk -v heading="## [${1#v}]" '
    index($0, "## [") == 1 { inside = index($0, heading) == 1; next }
    index($0, "[") == 1 && /^\[[^]]*\]: / { inside = 0 }
    inside { print; if (NF) found = 1 }
    END { if (!found) { print "CHANGELOG.md has no section for " heading > "/dev/stderr"; exit 1 } }
' CHANGELOG.md
