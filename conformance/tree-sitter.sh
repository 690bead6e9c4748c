#!/usr/bin/env bash
# The tree-sitter grammar of the editors: the generated parser is that of grammar.js, its own tests pass, every query fits, and it agrees
# with grammar/dsvm.pest on 10,000 generated and damaged files.
#
# usage: conformance/tree-sitter.sh     (exits with 3 when the program `tree-sitter` cannot be had)
#
# TREE_SITTER names the program; otherwise `tree-sitter` on the PATH, or one that cargo builds into $DSVMC_CONFORMANCE_ENV (three minutes).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
envs=${DSVMC_CONFORMANCE_ENV:-${TMPDIR:-/tmp}/dsvmc-conformance}
version=0.27.1
program=${TREE_SITTER:-$(command -v tree-sitter || true)}
if [ -z "$program" ]; then
  program=$envs/tree-sitter/bin/tree-sitter
  command -v cargo > /dev/null || exit 3
  # The package of npm downloads the program from elsewhere; cargo builds it. JavaScript is run by node.
  command -v node > /dev/null || exit 3
  [ -x "$program" ] || CARGO_TARGET_DIR=$envs/tree-sitter/target CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_OPT_LEVEL=1 \
    cargo install -q --debug --locked --no-default-features --root "$envs/tree-sitter" "tree-sitter-cli@$version" || exit 3
  rm -rf "$envs/tree-sitter/target"
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$here/../editors/tree-sitter-dsvm/." "$copy"
cd "$copy"
export XDG_CACHE_HOME=$copy/.cache XDG_CONFIG_HOME=$copy/.config NO_COLOR=1
"$program" --version
"$program" generate --abi 14
for generated in parser.c grammar.json node-types.json; do
  if [ "$("$program" --version | cut -d' ' -f2)" = "$version" ]; then
    cmp "src/$generated" "$here/../editors/tree-sitter-dsvm/src/$generated" || { echo "FAIL: $generated is not that of grammar.js"; exit 1; }
  fi
done
"$program" test > tested || { cat tested; exit 1; }
tail -1 tested
for query in queries/*.scm; do
  "$program" query "$query" "$here/../crates/dsvm-syntax/src/tour.dsvm" > found 2> failed || { cat failed; exit 1; }
  [ "$query" = queries/injections.scm ] || [ "$(wc -l < found)" -gt 10 ] || { echo "FAIL: $query finds nothing"; exit 1; }
done
if command -v cargo > /dev/null; then
  cd "$here/.."
  DSVMC_SENTENCES=10000 cargo test -q --locked -p tree-sitter-dsvm -- --nocapture | grep 'told differently'
fi
echo "editors/tree-sitter-dsvm: generated, tested and compared"
