#!/usr/bin/env bash
# Every step of action.yml in a root that holds nothing but the system's programs, as on a fresh runner, with a stand-in for GitHub's API:
# a change, the same again, a fork, a hostile branch; and the plan that was looked at, applied after the merge.
#
# usage: DSVMC=PATH conformance/action.sh     (exits with 3 when bubblewrap, git or PyYAML is not there)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export DSVMC=$(realpath "${DSVMC:-$here/../target/debug/dsvmc}")
envs=${DSVMC_CONFORMANCE_ENV:-${TMPDIR:-/tmp}/dsvmc-conformance}
for tool in bwrap git python3; do command -v "$tool" > /dev/null || { echo "$tool is not installed"; exit 3; }; done
bwrap --ro-bind / / --unshare-all true 2> /dev/null || { echo "bubblewrap may not make namespaces here"; exit 3; }
# The virtual environment of the Azure CLI has PyYAML too.
for python in python3 "$envs/az/bin/python"; do
  if "$python" -c 'import yaml' 2> /dev/null; then exec "$python" "$here/action.py"; fi
done
echo "PyYAML is not installed"
exit 3
