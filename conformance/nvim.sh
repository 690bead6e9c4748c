#!/usr/bin/env bash
# `dsvmc lsp` and the tree-sitter grammar with an editor that we did not write: headless Neovim, with the configuration of
# docs/editors.md. The grammar needs a C compiler; without one only the language server is tried.
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
if command -v cc > /dev/null; then
  # As docs/editors.md says.
  mkdir -p "$folder/.config/nvim/parser" "$folder/.config/nvim/queries/dsvm"
  (
    cd "$here/../editors/tree-sitter-dsvm"
    cc -shared -fPIC -O1 -I src src/parser.c src/scanner.c -o "$folder/.config/nvim/parser/dsvm.so"
    cp queries/*.scm "$folder/.config/nvim/queries/dsvm/"
  )
  export GRAMMAR=$folder/.config/nvim
else
  echo "skipped: the tree-sitter grammar, no C compiler"
fi
cd "$folder/project"
HOME=$folder XDG_CACHE_HOME=$folder/cache CONFIGURATION=$folder/init.lua PATH=$folder/bin:$PATH \
  timeout 300 nvim --headless --clean -u NONE -S "$here/nvim.lua" 2>&1
