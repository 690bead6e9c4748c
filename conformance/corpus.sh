#!/usr/bin/env bash
# Expands every ARM template below the given folders (clones of public template collections) and counts.
# Usage: conformance/corpus.sh FOLDER…      The counts in docs/template-engine.md come from here.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet
for folder in "$@"; do
    echo "== $(basename "$folder")"
    target/release/dsvmc expand --check "$folder" --quiet
done
