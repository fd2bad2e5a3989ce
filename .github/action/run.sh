#!/usr/bin/env bash
# Runs m2m test or m2m verify with the action's inputs, which come in M2M_ACTION_*. No
# input is ever a part of a script, and the secret goes through the environment.
set -euo pipefail

case $M2M_ACTION_RUN in
test)
    arguments=(test)
    if [[ $M2M_ACTION_TO ]]; then arguments+=(--to "$M2M_ACTION_TO"); fi
    ;;
verify)
    arguments=(verify)
    while IFS= read -r pattern; do
        [[ $pattern ]] || continue
        # What matches nothing is left to m2m, which says that it is not there.
        matches=$(compgen -G "$pattern") || matches=$pattern
        while IFS= read -r file; do arguments+=("$file"); done <<<"$matches"
    done <<<"$M2M_ACTION_FILES"
    ;;
*)
    printf '::error::m2m: run has to be test or verify\n' >&2
    exit 2
    ;;
esac
if [[ $M2M_ACTION_REPORT ]]; then arguments+=(--report "junit=$M2M_ACTION_REPORT"); fi
while IFS= read -r argument; do
    if [[ $argument ]]; then arguments+=("$argument"); fi
done <<<"$M2M_ACTION_ARGS"
# An empty secret is an error to m2m; here it only says that none was given.
if [[ $M2M_ACTION_SECRET ]]; then export M2M_WEBHOOK_SECRET=$M2M_ACTION_SECRET; fi
unset M2M_ACTION_SECRET

code=0
m2m "${arguments[@]}" || code=$?
printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
exit "$code"
