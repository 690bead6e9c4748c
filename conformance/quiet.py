"""Plans what recordings show was sent to Azure against what Azure answered: every such plan must be empty.

usage: quiet.py [--all] [--write FOLDER] DSVMC FOLDER…     (needs PyYAML)

Each FOLDER holds recordings in the form that the tests of Azure's Python SDKs used: `tests/recordings/*.yaml` of the old source
packages on PyPI (`pip download --no-binary :all: --no-deps azure-mgmt-compute==18.0.0`). Of each PUT that succeeded, the body
becomes a template, and the last GET of the same resource before the next write, else the answer itself, becomes the file of
`plan --template … --live …`. Printed are the quiet ones by type and the differences of the others, the most frequent first.

Only types that dsvmc knows (crates/arm-catalog/src/types.txt, crates/arm-plan/src/facts.txt) are planned; with --all every type. Left out are PUTs that Azure
refused or whose answer the recording does not show, and resources that somebody changed in between. With --write, the pairs that are not
quiet are kept in a folder.
"""

import ast
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse

import yaml

AZURE = "https://management.azure.com"
catalogue = pathlib.Path(__file__).resolve().parent.parent / "crates/arm-catalog/src/types.txt"
KNOWN = {line.split(" ", 1)[0].split("@")[0].lower() for line in catalogue.read_text().splitlines() if line[:1] not in "#$"}
facts = catalogue.parent.parent.parent / "arm-plan/src/facts.txt"
KNOWN |= {line.split()[1].lower() for line in facts.read_text().splitlines() if line.startswith("resource Microsoft")}
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
ENDED = ("", "succeeded")
ELEMENT = re.compile(r"\[[^]]*\]")


def unwrap(body):
    """A request body as JSON: some recorders wrote `b'…'`, several times over."""
    if isinstance(body, bytes):
        try:
            body = body.decode()
        except UnicodeDecodeError:
            return None  # compressed by the recorder
    while isinstance(body, str) and body.startswith(("b'", 'b"')):
        body = ast.literal_eval(body).decode()
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def parts_of(path):
    """Scope, type and name of a resource's path; nothing for other paths."""
    scope, _, own = path.rpartition("/providers/")
    words = own.strip("/").split("/")
    if not scope or len(words) < 3 or len(words) % 2 == 0:
        return None
    return scope, "/".join([words[0]] + words[1::2]), "/".join(words[2::2])


def escaped(value):
    """Strings that a template would take for expressions."""
    if isinstance(value, str):
        return "[" + value if value.startswith("[") else value
    if isinstance(value, list):
        return [escaped(v) for v in value]
    if isinstance(value, dict):
        return {k: escaped(v) for k, v in value.items()}
    return value


def state_of(body):
    properties = body.get("properties")
    return str((properties if isinstance(properties, dict) else {}).get("provisioningState") or "").lower()


def pairs(file):
    """Each successful PUT of a recording with what Azure answered about the resource."""
    text = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    open_puts = {}
    for exchange in text["interactions"]:
        request, response = exchange["request"], exchange["response"]
        url, method, code = request["uri"], request["method"], response["status"]["code"]
        if not url.startswith(AZURE):
            continue
        address = urllib.parse.urlparse(url)
        path = urllib.parse.unquote(address.path).rstrip("/")
        key = path.lower()
        answer = unwrap(response["body"].get("string") or "")
        is_resource = isinstance(answer, dict) and str(answer.get("id", "")).lower().rstrip("/") == key
        if method in ("PUT", "PATCH", "DELETE", "POST"):
            touched = key if method != "POST" else key.rsplit("/", 1)[0]
            done = [at for at in open_puts if touched == at or touched.startswith(at + "/") or at.startswith(touched + "/")]
            for at in done if code < 300 else []:
                put = open_puts.pop(at)
                if put["live"]:
                    yield put
            if method == "PUT" and code in (200, 201, 202) and parts_of(path):
                version = urllib.parse.parse_qs(address.query).get("api-version", [""])[0]
                sent = unwrap(request["body"])
                if isinstance(sent, dict):
                    open_puts[key] = {"path": path, "version": version, "sent": sent, "live": answer if is_resource else None, "file": file.name}
        elif method == "GET" and code == 200 and is_resource and key in open_puts:
            open_puts[key]["live"] = answer
    for put in open_puts.values():
        if put["live"]:
            yield put


def plan(dsvmc, put, kept, number):
    """The differences that a plan shows, as `(path, kind)`; a text when there is no plan."""
    scope, kind, name = parts_of(put["path"])
    group = re.search(r"/resource[gG]roups/([^/]+)", put["path"])
    subscription = re.search(r"/subscriptions/([^/]+)", put["path"])
    body = {k: escaped(v) for k, v in put["sent"].items() if k.lower() not in ("id", "name", "type", "apiversion")}
    resource = {"type": kind, "apiVersion": put["version"], "name": escaped(name), **body}
    if "/providers/" in scope:
        resource["scope"] = scope
    template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [resource]}
    live = dict(put["live"], id=put["path"])
    with tempfile.TemporaryDirectory() as folder:
        a, b = pathlib.Path(folder, "t.json"), pathlib.Path(folder, "live.json")
        a.write_text(json.dumps(template, indent=1))
        b.write_text(json.dumps([live], indent=1))
        command = [dsvmc, "plan", "--template", str(a), "--live", str(b), "-g", group.group(1), "--subscription", subscription.group(1), "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder, env={**os.environ, "XDG_STATE_HOME": folder})
        try:
            changes = json.loads(done.stdout)["changes"]
        except (ValueError, KeyError, TypeError):
            changes = None
        if changes is None:
            found = [((done.stderr or done.stdout).strip().splitlines() or ["no output"])[0][:160]]
        else:
            found = [f"{c['action']} {ELEMENT.sub('[]', a['path'])} ({a['kind']})" for c in changes for a in c.get("attributes", [])]
            found = found or [c["action"] + " " + c.get("reason", "") for c in changes if c["action"] != "no-change"]
        if found and kept:
            base = pathlib.Path(kept, f"{number:05}-{kind.rsplit('/', 1)[-1]}")
            base.with_suffix(".t.json").write_text(a.read_text())
            base.with_suffix(".live.json").write_text(b.read_text())
    return found


def main():
    words = sys.argv[1:]
    everything = "--all" in words
    kept = words[words.index("--write") + 1] if "--write" in words else None
    words = [w for w in words if w not in ("--all", "--write") and w != kept]
    dsvmc, folders = str(pathlib.Path(words[0]).resolve()), words[1:]
    if kept:
        pathlib.Path(kept).mkdir(parents=True, exist_ok=True)
    puts = []
    for folder in folders:
        for file in sorted(pathlib.Path(folder).glob("**/*.yaml")):
            for put in pairs(file):
                kind = parts_of(put["path"])[1].lower()
                if state_of(put["live"]) in ENDED and "/resourcegroups/" in put["path"].lower() and (everything or kind in KNOWN):
                    puts.append((kind, put))
    good, all_of, reasons = collections.Counter(), collections.Counter(), collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda one: plan(dsvmc, one[1][1], kept, one[0]), enumerate(puts))
        for (kind, put), found in zip(puts, results):
            all_of[kind] += 1
            good[kind] += not found
            reasons[kind].update(set(found))
    for kind, count in sorted(all_of.items(), key=lambda item: good[item[0]] - item[1]):
        print(f"{good[kind]:4} of {count:4}  {kind}")
        for reason, times in reasons[kind].most_common(40):
            print(f"        {times:4}  {reason}")
    total = sum(all_of.values())
    print(f"{sum(good.values())} of {total} recorded PUTs plan empty ({100 * sum(good.values()) / max(total, 1):.1f} %)")


main()
