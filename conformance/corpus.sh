#!/usr/bin/env bash
# Repeats the counts of docs/template-engine.md ("How it is checked") and docs/local-endpoint.md on public ARM templates.
#
# usage: conformance/corpus.sh FOLDER…
#
# Each folder holds templates: a clone of a public repository, or a tree of such clones. Nothing is downloaded. A folder that is
# not there is skipped, and so is everything when there is none. DSVMC=PATH takes a program that is built already, DSVMC_PLANS=N
# plans at most N templates (400), spread over all folders.
#
# 1. `dsvmc expand --check` on each folder: counts by outcome, and the reasons of what is refused.
# 2. corpus.py: each template in a process with bounded time and memory, twice; ends with 1 after a panic, a hang, or two
#    outputs that differ.
# 3. corpus.py --plans: plan, apply, plan on the local endpoint for templates of pools, networks, storage and vaults; the second
#    plan has to be empty.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
found=()
for folder in "$@"; do
    if [ -d "$folder" ]; then found+=("$(cd "$folder" && pwd)"); else echo "SKIPPED $folder: there is no such folder"; fi
done
[ ${#found[@]} -gt 0 ] || { echo "SKIPPED all: usage: conformance/corpus.sh FOLDER…, where the folders hold ARM templates"; exit 0; }
if [ -z "${DSVMC:-}" ]; then
    (cd "$here/.." && cargo build --release --quiet)
    DSVMC=${CARGO_TARGET_DIR:-$here/../target}/release/dsvmc
fi
for folder in "${found[@]}"; do
    echo "== $(basename "$folder")"
    "$DSVMC" expand --check "$folder" --quiet
done
command -v python3 >/dev/null || { echo "SKIPPED the runs in processes of their own: python3 is not installed"; exit 0; }
echo "== each template twice, in bounded time and memory"
python3 "$here/corpus.py" --dsvmc "$DSVMC" "${found[@]}"
echo "== plan, apply, plan"
python3 "$here/corpus.py" --dsvmc "$DSVMC" --plans --limit "${DSVMC_PLANS:-400}" "${found[@]}"
