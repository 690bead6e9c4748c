# What the scripts that drive the Azure CLI share: a configuration of its own, counted steps.
export AZURE_CONFIG_DIR=$(mktemp -d) REQUESTS_CA_BUNDLE=$CA AZURE_CORE_COLLECT_TELEMETRY=no
trap 'rm -rf "$AZURE_CONFIG_DIR"' EXIT
cat > "$AZURE_CONFIG_DIR/config" <<'C'
[core]
instance_discovery = false
collect_telemetry = no
only_show_errors = true
C
steps=0 failed=0
say() { echo "$1" | cut -c1-150; }
ok() { # ok WANT COMMAND...: exit 0 and this output
  local want=$1 got status; shift; steps=$((steps + 1))
  got=$(timeout 120 "$AZ" "$@" 2>"$AZURE_CONFIG_DIR/err"); status=$?
  if [ $status -eq 0 ] && [ "$got" = "$want" ]; then say "ok   $*"; return; fi
  failed=$((failed + 1)); echo "FAIL status $status, wanted '$want', got '${got:0:200}' :: $* :: $(head -c 400 "$AZURE_CONFIG_DIR/err" | tr '\n' ' ')"
}
bad() { # bad WORD COMMAND...: fails, and says WORD
  local want=$1 status; shift; steps=$((steps + 1))
  timeout 120 "$AZ" "$@" >/dev/null 2>"$AZURE_CONFIG_DIR/err"; status=$?
  if [ $status -ne 0 ] && grep -q "$want" "$AZURE_CONFIG_DIR/err"; then say "ok   (fails as it should) $*"; return; fi
  failed=$((failed + 1)); echo "FAIL status $status, no '$want' :: $* :: $(head -c 400 "$AZURE_CONFIG_DIR/err" | tr '\n' ' ')"
}
local_delete() { curl -sf -X DELETE "$PLAIN/_local/$1" >/dev/null || echo "FAIL /_local/$1"; }
local_post() { curl -sf -X POST -H 'Content-Type: application/json' -d "$2" "$PLAIN/_local/$1" >/dev/null || echo "FAIL /_local/$1"; }
sign_in() { # as a user would
  ok "" cloud register -n local --endpoint-resource-manager "$ENDPOINT"
  ok "" cloud set -n local
  ok "$SUBSCRIPTION" login --service-principal -u any -p any --tenant "$TENANT" --query "[0].id" -o tsv
}
