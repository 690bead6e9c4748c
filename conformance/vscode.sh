#!/usr/bin/env bash
# Builds, tests and packages the extension for Visual Studio Code.
#
# usage: DSVMC=PATH conformance/vscode.sh     (exits with 3 when npm or its packages cannot be had)
set -euo pipefail
cd "$(dirname "$0")/../editors/vscode"
command -v npm > /dev/null || exit 3
npm ci --no-audit --no-fund > /dev/null 2>&1 || exit 3
npm run --silent build > /dev/null 2>&1
npm test --silent
npm run --silent package > /dev/null 2>&1
echo "editors/vscode: built, tested and packaged"
