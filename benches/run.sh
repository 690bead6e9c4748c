#!/usr/bin/env bash
# Builds the release binary and writes benches/results.md.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
python3 benches/run.py | tee benches/results.md
{ echo; python3 benches/plan.py; echo; python3 benches/endpoint.py; echo; python3 benches/lsp.py target/release/dsvmc; echo; python3 benches/simulate.py target/release/dsvmc; } | tee -a benches/results.md
