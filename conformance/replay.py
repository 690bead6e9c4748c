"""Replays recorded traffic of Azure against the local endpoint and tells where the answers differ in shape.

usage: replay.py FOLDER HTTP-ADDRESS     (needs PyYAML)

FOLDER holds recordings in the form that the tests of Azure's Python SDKs used (`tests/recordings/*.yaml` of the old source
packages on PyPI, for example azure-mgmt-compute 18.0.0). Compared are status, polling headers and the body but for ids,
times and tags of versions: each property that Azure answered must be there with the same kind of value, and with the same
value where it is no name of a moment or a thing. Requests for types that the endpoint stores as sent are left out.
"""

import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import yaml

folder, base = pathlib.Path(sys.argv[1]), sys.argv[2].rstrip("/")
AZURE = "https://management.azure.com"
UNSTABLE = re.compile(
    r"(id|guid|etag|time|timestamp|duration|created|modified|uniqueid|correlationid|trackingid|servicerequestid|message|token|value|ipaddress|creationtime|operationid|templatehash|internaldomainnamesuffix|identifier)$",
    re.I,
)


def unwrap(body):
    if isinstance(body, bytes):
        body = body.decode()
    if isinstance(body, str) and body.startswith("b'b\\'"):
        body = body[5:-3].encode().decode("unicode_escape")
    elif isinstance(body, str) and body.startswith("b'"):
        body = body[2:-1]
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


def main():
    total = same = 0
    for file in sorted(folder.glob("*.yaml")):
        polls, names, notes = {}, {}, []
        exchanges = yaml.safe_load(file.read_text())["interactions"]
        prepare(exchanges)
        for number, exchange in enumerate(exchanges):
            request, response = exchange["request"], exchange["response"]
            url, method = request["uri"], request["method"]
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
            status, headers, text = send(method, target, unwrap(request["body"]))
            made_names(theirs, parse(text), names)
            recorded = {k.lower(): v[0] for k, v in response["headers"].items()}
            for name in ("azure-asyncoperation", "location"):
                if name in recorded and name in headers:
                    polls[recorded[name]] = headers[name]
            while method == "GET" and (parse(text) or {}).get("status") in ("Running", "Accepted", "InProgress"):
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
            total += 1
            same += not found
            short = re.sub(r"^.*?/resource[gG]roups/[^/]+", "", url.split("?")[0].replace(AZURE, ""))[:110]
            notes += [f"  {number} {method} {short}: {line}" for line in found]
        print(f"{file.name}: {len(notes)} differences")
        print("\n".join(notes))
    print(f"{same} of {total} exchanges have the same shape")


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
