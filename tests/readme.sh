#!/usr/bin/env bash
# Runs the README's first command twice as a stranger would: the first run creates everything, the second plans nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
command=$(sed -n 's/^\$ \(cargo run .*\)$/\1/p' README.md | head -n 1)
[ -n "$command" ] || { echo "README.md has no 'cargo run' command"; exit 1; }
rm -rf examples/01-shared-pool/.dsvmc
trap 'rm -rf examples/01-shared-pool/.dsvmc' EXIT
echo "\$ $command"
first=$($command 2>&1) || { echo "$first"; echo "the first run failed"; exit 1; }
echo "$first"
echo "$first" | grep -q 'ssh ' || { echo "the first run shows no ssh line"; exit 1; }
second=$($command 2>&1) || { echo "$second"; echo "the second run failed"; exit 1; }
echo "$second" | grep -qiE 'no changes|nothing to (do|change)|up to date' || { echo "$second"; echo "the second run should plan nothing"; exit 1; }
echo "second run: nothing to change"
