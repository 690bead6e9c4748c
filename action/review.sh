#!/usr/bin/env bash
# Everything that a pull request is held against, on any host: no Azure account, no secret, nothing of the branch is run.
#
#   DSVMC_PATH    folder with projects (default: .)
#   DSVMC_BASE    commit to compare with; without it there is no plan
#   DSVMC_REPORT  folder for comment.md, dsvmc.sarif and junit.xml (default: dsvmc-report)
#   DSVMC         the program (default: dsvmc)
#
# Every check runs, also after one that fails; the exit code is 1 when any did.
set -uo pipefail
path=${DSVMC_PATH:-.} base=${DSVMC_BASE:-} report=${DSVMC_REPORT:-dsvmc-report} dsvmc=${DSVMC:-dsvmc}
mkdir -p "$report" || exit 3
failed=0 rows=""

# Runs a check: its name, then the command. Its output goes to the log, and to a file for the comment.
check() {
  local name=$1 file="$report/$1.txt"
  shift
  if "$@" > "$file" 2>&1; then
    rows+="| $name | passed |"$'\n'
  else
    rows+="| $name | **failed** |"$'\n'
    failed=1
  fi
  printf '== %s\n' "$name"
  cat "$file"
}

export NO_COLOR=1
check format "$dsvmc" fmt --check -- "$path"
check check "$dsvmc" check -- "$path"
"$dsvmc" check --format sarif -- "$path" > "$report/dsvmc.sarif" 2> /dev/null
check lint "$dsvmc" lint -- "$path"
check test "$dsvmc" test --junit "$report/junit.xml" -- "$path"
# A project without snapshots has chosen to have none.
if find "$path" -path '*/snapshots/*.snap' -print -quit | grep -q .; then
  check snapshot "$dsvmc" snapshot --check -- "$path"
fi
plan=""
if [ -n "$base" ]; then
  check plan "$dsvmc" snapshot --against "$base" -- "$path"
  plan=$(cat "$report/plan.txt")
fi

# Code of more than three backquotes ends no fence of four, and a comment holds 65,536 characters.
fence() { printf '````text\n%s\n````\n' "$(head -c 20000 | sed 's/````*/```/g')"; }
{
  echo '<!-- dsvmc -->'
  if [ $failed = 0 ]; then echo '### dsvmc: all checks pass'; else echo '### dsvmc: something is wrong'; fi
  printf '\n| check | result |\n|---|---|\n%s' "$rows"
  for name in format check lint test snapshot; do
    if grep -q "| $name | \*\*failed" <<< "$rows"; then printf '\n**%s**\n\n' "$name"; fence < "$report/$name.txt"; fi
  done
  if [ -n "$plan" ]; then printf '\n**What the change deploys**\n\n'; fence <<< "$plan"; fi
} > "$report/comment.md"
exit $failed
