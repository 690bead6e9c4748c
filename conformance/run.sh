#!/usr/bin/env bash
# Drives the local endpoint with the stock Azure CLI and with Microsoft's Python SDKs; holds emitted templates against checkov;
# runs the program of the machines on whole systems (machine.sh).
#
# usage: conformance/run.sh [PATH-OF-DSVMC]
#
# Installs them into virtual environments below $DSVMC_CONFORMANCE_ENV (about 900 MB; default: a folder in the
# temporary directory, kept for the next run). Without python3, or when the packages cannot be had, a part is skipped, and
# says so; with DSVMC_CONFORMANCE_REQUIRED=1 a skipped part is a failure.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dsvmc=${1:-$here/../target/debug/dsvmc}
envs=${DSVMC_CONFORMANCE_ENV:-${TMPDIR:-/tmp}/dsvmc-conformance}
failed=0 skipped=0

skip() { echo "SKIPPED $1: $2"; skipped=1; }

[ -x "$dsvmc" ] || { echo "no dsvmc at $dsvmc: build it, or give its path"; exit 1; }
command -v python3 >/dev/null || { skip "everything" "python3 is not installed"; [ -z "${DSVMC_CONFORMANCE_REQUIRED:-}" ]; exit; }

install() { # install NAME: a virtual environment with the packages of requirements-NAME.txt
  local env=$envs/$1 list=$here/requirements-$1.txt
  cmp -s "$list" "$env/installed.txt" && return 0
  echo "installing $1 into $env"
  python3 -m venv "$env" && "$env/bin/pip" install -q -r "$list" && cp "$list" "$env/installed.txt"
}

project=$(mktemp -d)
trap '"$dsvmc" local down "$project" >/dev/null 2>&1; rm -rf "$project"' EXIT
"$dsvmc" local up "$project" --json > "$project/up.json" || exit 1
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$project/up.json" "$1"; }
export DSVMC=$(cd "$(dirname "$dsvmc")" && pwd)/$(basename "$dsvmc")
export ENDPOINT=$(field https) PLAIN=$(field http) CA=$(field ca) SUBSCRIPTION=$(field subscription) TENANT=$(field tenant)

if [ -n "${AZ:-}" ] || install az; then
  export AZ=${AZ:-$envs/az/bin/az}
  "$here/az.sh" || failed=1
  "$here/az-compute.sh" || failed=1
else
  skip "the Azure CLI" "its packages cannot be installed"
fi
if [ -n "${SDK_PYTHON:-}" ] || install sdk; then
  REQUESTS_CA_BUNDLE=$CA "${SDK_PYTHON:-$envs/sdk/bin/python}" "$here/sdk.py" || failed=1
else
  skip "the Python SDKs" "their packages cannot be installed"
fi
if [ -n "${CHECKOV:-}" ] || install checkov; then
  python3 "$here/checkov.py" "${CHECKOV:-$envs/checkov/bin/checkov}" || failed=1
else
  skip "checkov" "its package cannot be installed"
fi
if command -v cargo >/dev/null && (cd "$here/.." && cargo run -q --locked --example script -p dsvm-machine) > "$project/script"; then
  # One release is enough for every change; all of them take a quarter of an hour more.
  "$here/machine.sh" "$project/script" ${CI:+jammy} || failed=1
else
  skip "the machine program on whole systems" "cargo cannot print it"
fi
"$here/nvim.sh" || case $? in
  3) skip "the language server in Neovim" "nvim is not installed" ;;
  *) failed=1 ;;
esac
"$here/action.sh" || case $? in
  3) skip "the action in a clean root" "bubblewrap or PyYAML is not there" ;;
  *) failed=1 ;;
esac
"$here/tree-sitter.sh" || case $? in
  3) skip "the tree-sitter grammar" "tree-sitter can neither be found nor built" ;;
  *) failed=1 ;;
esac
"$here/vscode.sh" || case $? in
  3) skip "the extension for Visual Studio Code" "npm or its packages cannot be had" ;;
  *) failed=1 ;;
esac
[ $failed -eq 0 ] && { [ $skipped -eq 0 ] || [ -z "${DSVMC_CONFORMANCE_REQUIRED:-}" ]; }
