"""Replays recorded traffic of Azure against the local endpoint and tells where the answers differ in shape.

usage: replay.py [--summary] FOLDER HTTP-ADDRESS     (needs PyYAML)

FOLDER holds recordings in the form that the tests of Azure's Python SDKs used: `tests/recordings/*.yaml` of the old source
packages on PyPI (`pip download --no-binary :all: --no-deps azure-mgmt-compute==18.0.0`). The endpoint is reset before each
recording. Compared are status, polling headers and the body but for ids, times and tags of versions: each property that Azure
answered must be there with the same kind of value, and with the same value where it is no name of a moment or a thing.

Exchanges of the types that dsvmc knows (crates/arm-catalog/src/types.txt), of resource groups and of deployments are counted;
those of other types, which the endpoint stores as sent, and lists of a whole subscription are only replayed. With --summary, counts by type and the most frequent
differences are printed instead of each difference.
"""

import ast
import collections
import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import yaml

summary = "--summary" in sys.argv
folder, base = [argument for argument in sys.argv[1:] if argument != "--summary"]
folder, base = pathlib.Path(folder), base.rstrip("/")
catalogue = pathlib.Path(__file__).resolve().parent.parent / "crates/arm-catalog/src/types.txt"
KNOWN = {line.split(" ", 1)[0].lower() for line in catalogue.read_text().splitlines() if line[:1] not in "#$"}
AZURE = "https://management.azure.com"
UNSTABLE = re.compile(
    r"(id|guid|etag|time|timestamp|duration|created|modified|uniqueid|correlationid|trackingid|servicerequestid|message|token|value|ipaddress|creationtime|operationid|templatehash|internaldomainnamesuffix|identifier|exactversion|createdon|updatedon|^primary|^secondary)$",
    re.I,
)


def unwrap(body):
    """A request body as text: some recorders wrote `b'…'`, several times over."""
    if isinstance(body, bytes):
        body = body.decode()
    while isinstance(body, str) and body.startswith(("b'", 'b"')):
        body = ast.literal_eval(body).decode()
    return body


def send(method, url, body):
    url = urllib.parse.quote(url, safe=":/?&=%$'()")
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        answer = error
    text = answer.read().decode()
    return answer.status, {k.lower(): v for k, v in answer.headers.items()}, text


def parse(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def differ(path, theirs, ours, out):
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            out.append(f"{path}: an object is missing")
            return
        lower = {k.lower(): v for k, v in ours.items()}
        for key, value in theirs.items():
            if key.lower() not in lower:
                out.append(f"{path}.{key}: missing")
            else:
                differ(f"{path}.{key}", value, lower[key.lower()], out)
    elif isinstance(theirs, list):
        if not isinstance(ours, list):
            out.append(f"{path}: a list is missing")
        elif theirs and not ours:
            out.append(f"{path}: the list is empty")
        else:
            for at, a in enumerate(theirs):
                name = a.get("name") if isinstance(a, dict) else None
                if name is None or len(theirs) == len(ours) == 1:
                    same = ours[at:at + 1]
                else:
                    same = [b for b in ours if isinstance(b, dict) and b.get("name") == name]
                for b in same:
                    differ(f"{path}[{at}]", a, b, out)
    elif type(theirs) is not type(ours):
        out.append(f"{path}: {theirs!r} is {ours!r}")
    elif theirs != ours and str(theirs).lower() != str(ours).lower():
        key = re.sub(r"\[\d+\]", "", path).rsplit(".", 1)[-1]
        if not UNSTABLE.search(key) and not (key == "name" and re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}$", str(theirs))):
            out.append(f"{path}: {theirs!r} is {ours!r}")


def made_names(theirs, ours, names):
    """Names that the service made up: `account.GUID` there, another here; later requests use them."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in theirs.items():
            made_names(value, ours.get(key), names)
        a, b = theirs.get("name"), ours.get("name")
        if isinstance(a, str) and isinstance(b, str) and a != b and re.search(r"\.[0-9a-f]{8}-[0-9a-f-]{27}$", a):
            names[a] = b
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for a, b in zip(theirs, ours):
            made_names(a, b, names)


def kind_of(path):
    """The type of a path in lower case, without the word of an action or a view."""
    if "/providers/" not in path:
        return "resource groups and subscriptions"
    parts = path.rsplit("/providers/", 1)[1].strip("/").lower().split("/")
    kind = "/".join([parts[0]] + parts[1::2])
    # `…/vmss/pool/instanceView` is about the set
    return kind if kind in KNOWN or len(parts) < 4 else next((k for n in range(len(parts), 1, -1) if (k := "/".join([parts[0]] + parts[1:n:2])) in KNOWN), kind)


def counted(kind):
    return kind in KNOWN or kind.startswith(("resource groups", "microsoft.resources/deployments"))


def main():
    total = same = 0
    kinds, reasons, left = collections.defaultdict(lambda: [0, 0]), collections.Counter(), 0
    for file in sorted(folder.glob("*.yaml")):
        polls, names, notes = {}, {}, []
        exchanges = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["interactions"]
        send("POST", base + "/_local/reset", None)
        prepare(exchanges)
        for number, exchange in enumerate(exchanges):
            request, response = exchange["request"], exchange["response"]
            url, method = request["uri"], request["method"]
            if not url.startswith(AZURE):
                continue  # tokens, directories, blobs: no other server is ever asked
            theirs = parse(response["body"].get("string") or "")
            if isinstance(theirs, dict) and theirs.get("status") in ("InProgress", "Running", "Accepted"):
                continue
            target = polls.get(url.split("&t=")[0], url.replace(AZURE, base))
            if url not in polls and re.search(r"/operation(results|s|Statuses)/|asyncoperations/", url, re.I) and "/deployments/" not in url:
                continue
            if response["status"]["code"] == 202 and method == "GET":
                continue
            for old, new in names.items():
                target = target.replace(old, new)
            if not target.startswith((base, base.replace("http:", "https:"))):
                continue
            status, headers, text = send(method, target, unwrap(request["body"]))
            made_names(theirs, parse(text), names)
            recorded = {k.lower(): v[0] for k, v in response["headers"].items()}
            for name in ("azure-asyncoperation", "location"):
                if name in recorded and name in headers:
                    polls[recorded[name]] = headers[name]
            while method == "GET" and isinstance(parse(text), dict) and parse(text).get("status") in ("Running", "Accepted", "InProgress"):
                status, headers, text = send(method, target, None)
            if re.search(r"/deployments/[^/]+/operations/", url):
                continue  # operations have ids of their own
            found = []
            if status != response["status"]["code"]:
                found.append(f"status {response['status']['code']} is {status} {text[:160]}")
            else:
                for name in ("azure-asyncoperation", "location", "etag"):
                    if name in recorded and name not in headers:
                        found.append(f"header {name}: missing")
                if theirs is not None and "/locations?" not in url:
                    differ("", theirs, parse(text), found)
            kind = kind_of(urllib.parse.urlparse(url).path)
            # a list of the whole subscription holds what others made
            everything = method == "GET" and "/resourcegroups/" not in url.lower() and isinstance(theirs, dict) and "value" in theirs
            if not counted(kind) or everything:
                left += 1
                continue
            total += 1
            same += not found
            kinds[kind][0] += not found
            kinds[kind][1] += 1
            for line in found[:1]:
                reasons[f"{kind} {method}: " + re.sub(r"\[\d+\]", "[]", line)[:110]] += 1
            short = re.sub(r"^.*?/resource[gG]roups/[^/]+", "", url.split("?")[0].replace(AZURE, ""))[:110]
            notes += [f"  {number} {method} {short}: {line}" for line in found]
        if not summary:
            print(f"{file.name}: {len(notes)} differences")
            print("\n".join(notes))
    if summary:
        for kind, (good, all_of) in sorted(kinds.items(), key=lambda item: item[1][0] - item[1][1]):
            print(f"{good:4} of {all_of:4}  {kind}")
        print("first difference of an exchange, how often:")
        for reason, count in reasons.most_common(60):
            print(f"{count:4}  {reason}")
    print(f"{same} of {total} exchanges have the same shape; {left} other exchanges are not counted")


def prepare(exchanges):
    """Makes what the recording takes for granted: groups, accounts above pools."""
    for exchange in exchanges:
        path = urllib.parse.urlparse(exchange["request"]["uri"]).path
        if group := re.match(r"(/subscriptions/[^/]+/resource[gG]roups/[^/]+)/", path):
            creates = any(e["request"]["method"] == "PUT" and e["request"]["uri"].split("?")[0].lower().endswith(group.group(1).lower()) for e in exchanges)
            if not creates:
                send("PUT", base + group.group(1) + "?api-version=2021-04-01", '{"location": "eastus"}')
        if account := re.match(r"(.*/providers/Microsoft.Batch/batchAccounts/[^/]+)/pools/", path):
            send("PUT", base + account.group(1) + "?api-version=2020-05-01", '{"location": "eastus"}')


main()
