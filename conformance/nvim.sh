#!/usr/bin/env bash
# `dsvmc lsp` with an editor that we did not write: headless Neovim, with the configuration of docs/editors.md.
#
# usage: DSVMC=PATH conformance/nvim.sh     (exits with 3 when nvim is not installed)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v nvim > /dev/null || { echo "skipped: nvim is not installed"; exit 3; }
dsvmc=$(realpath "${DSVMC:-$here/../target/debug/dsvmc}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/project"
ln -s "$dsvmc" "$folder/bin/dsvmc"
awk '/^```lua$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$here/../docs/editors.md" > "$folder/init.lua"
printf 'project p { }\nlet first = 1\noutput o = frist\n' > "$folder/project/main.dsvm"
nvim --version | head -1
cd "$folder/project"
HOME=$folder XDG_CACHE_HOME=$folder/cache CONFIGURATION=$folder/init.lua PATH=$folder/bin:$PATH \
  timeout 300 nvim --headless --clean -u NONE -S "$here/nvim.lua" 2>&1
