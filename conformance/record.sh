#!/usr/bin/env bash
# Records a session of an editor that we did not write, headless Neovim, for the test that replays it: tests/it/lsp/sessions.
#
# usage: DSVMC=PATH conformance/record.sh FILE     (exits with 3 when nvim is not installed)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v nvim > /dev/null || { echo "skipped: nvim is not installed"; exit 3; }
dsvmc=$(realpath "${DSVMC:-$here/../target/debug/dsvmc}")
file=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/project"
cp "$here/../tests/it/lsp/sessions/"*.dsvm "$folder/project"
printf '#!/bin/sh\nexec python3 "%s/record.py" "%s" "%s" "%s" "$@"\n' "$here" "$dsvmc" "$folder/project" "$file" > "$folder/bin/dsvmc"
chmod +x "$folder/bin/dsvmc"
awk '/^```lua$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$here/../docs/editors.md" > "$folder/init.lua"
cd "$folder/project"
HOME=$folder XDG_CACHE_HOME=$folder/cache CONFIGURATION=$folder/init.lua PATH=$folder/bin:$PATH \
  timeout 300 nvim --headless --clean -u NONE -S "$here/record.lua" 2>&1
