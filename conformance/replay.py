"""Replays recorded traffic of Azure against the local endpoint and tells where the answers differ in shape.

usage: replay.py [--summary] FOLDER HTTP-ADDRESS     (needs PyYAML)

FOLDER holds recordings in the form that the tests of Azure's Python SDKs used: `tests/recordings/*.yaml` of the old source
packages on PyPI (`pip download --no-binary :all: --no-deps azure-mgmt-compute==18.0.0`). The endpoint is reset before each
recording. Compared are status, polling headers and the body but for ids, times and tags of versions: each property that Azure
answered must be there with the same kind of value, and with the same value where it is no name of a moment or a thing.

Exchanges of the types that dsvmc knows (crates/arm-catalog/src/types.txt), of resource groups and of deployments are counted;
those of other types, which the endpoint stores as sent, and lists of a whole subscription are only replayed. POOL are the types
that a pool consists of or takes its image from; they have a count of their own, snapshots and images included. With --summary,
counts by type and the most frequent differences are printed instead of each difference.

Some recordings take for granted what was made before they began: what a request finds or refers to although no request of the
recording makes it is made first (`prepare`).

Three kinds of differences say nothing about the endpoint and are left out (`excused`); exchanges that are the same only because of that
are told separately:
- quotas of a subscription: the number is the subscription's own;
- tags that no request of the recording gives: policies of the subscription add them;
- what only the directory or a machine knows: the kind of a principal, versions and names that the agent of a machine reports.
A set that starts more machines than it keeps chooses which ones stay: the numbers of those are translated (`Instances`), and the
name and the domains that follow from the number are left out. What failed inside of Azure (status 5xx) is not counted.
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
POOL = {
    kind.lower()
    for kind in """
    Microsoft.Compute/virtualMachineScaleSets Microsoft.Compute/virtualMachineScaleSets/virtualMachines
    Microsoft.Compute/virtualMachineScaleSets/extensions Microsoft.Compute/virtualMachines
    Microsoft.Compute/virtualMachines/extensions Microsoft.Compute/disks Microsoft.Compute/snapshots Microsoft.Compute/images
    Microsoft.Compute/galleries Microsoft.Compute/galleries/images Microsoft.Compute/galleries/images/versions
    Microsoft.Network/networkInterfaces Microsoft.Network/publicIPAddresses Microsoft.Network/virtualNetworks
    Microsoft.Network/virtualNetworks/subnets Microsoft.Network/loadBalancers Microsoft.Network/networkSecurityGroups
    Microsoft.Network/networkSecurityGroups/securityRules Microsoft.Storage/storageAccounts
    Microsoft.Storage/storageAccounts/fileServices Microsoft.Storage/storageAccounts/fileServices/shares
    Microsoft.Storage/storageAccounts/blobServices Microsoft.Storage/storageAccounts/blobServices/containers
    Microsoft.Batch/batchAccounts Microsoft.Batch/batchAccounts/pools Microsoft.Batch/batchAccounts/applications
    Microsoft.Batch/batchAccounts/applications/versions Microsoft.KeyVault/vaults Microsoft.KeyVault/vaults/secrets
    Microsoft.Insights/autoscaleSettings Microsoft.Insights/diagnosticSettings Microsoft.Authorization/roleAssignments
    Microsoft.ManagedIdentity/userAssignedIdentities
    """.split()
}
UNSTABLE = re.compile(
    r"(id|guid|etag|time|timestamp|duration|created|modified|uniqueid|correlationid|trackingid|servicerequestid|message|token|value|ipaddress|creationtime|operationid|templatehash|internaldomainnamesuffix|identifier|exactversion|createdon|updatedon|createdby|updatedby|storageurl|macaddress|publisheddate|expiry|^primary|^secondary)$",
    re.I,
)


GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
QUOTA = re.compile(r"(quota|quotas|limit)$", re.I)
REPORTED = re.compile(r"^(principalType|osName|osVersion|vmAgentVersion|typeHandlerVersion)$")
CHOSEN = re.compile(r"^(computerName|platformUpdateDomain|platformFaultDomain)$")


def excused(key, path, theirs, sent_tags):
    """Whether a difference at this place tells nothing about the endpoint; see above."""
    if "another machine" in sent_tags and (CHOSEN.match(key) or path == ".name"):
        return True
    if key == "tags" and isinstance(theirs, dict):
        return bool(theirs) and not set(theirs) & sent_tags
    if ".tags." in path:
        return key not in sent_tags
    return bool(QUOTA.search(key) or REPORTED.match(key))


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


def differ(path, theirs, ours, out, sent_tags=frozenset()):
    """Adds the differences to `out`; those that say nothing begin with a question mark."""

    def tell(at, text):
        key = re.sub(r"\[\d+\]", "", at).rsplit(".", 1)[-1]
        out.append(("?" if excused(key, at, theirs_at, sent_tags) else "") + f"{at}: {text}")

    theirs_at = theirs
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            tell(path, "an object is missing")
            return
        lower = {k.lower(): v for k, v in ours.items()}
        for key, value in theirs.items():
            if key.lower() not in lower:
                theirs_at = value
                tell(f"{path}.{key}", "missing")
            else:
                differ(f"{path}.{key}", value, lower[key.lower()], out, sent_tags)
    elif isinstance(theirs, list):
        if not isinstance(ours, list):
            tell(path, "a list is missing")
        elif theirs and not ours:
            tell(path, "the list is empty")
        else:
            for at, a in enumerate(theirs):
                name = a.get("name") if isinstance(a, dict) else None
                if name is None or len(theirs) == len(ours) == 1:
                    same = ours[at:at + 1]
                else:
                    same = [b for b in ours if isinstance(b, dict) and b.get("name") == name]
                for b in same:
                    differ(f"{path}[{at}]", a, b, out, sent_tags)
    elif type(theirs) is not type(ours):
        tell(path, f"{theirs!r} is {ours!r}")
    elif theirs != ours and GUID.sub("", str(theirs).lower()) != GUID.sub("", str(ours).lower()):
        key = re.sub(r"\[\d+\]", "", path).rsplit(".", 1)[-1]
        if not UNSTABLE.search(key) and not (key == "name" and re.search(r"[0-9a-f]{8}-?[0-9a-f-]{23,27}$", str(theirs))):
            tell(path, f"{theirs!r} is {ours!r}")


MADE = re.compile(r"[._][0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")


def made_names(theirs, ours, names):
    """Names that the service made up: `account.GUID` there, another here; later requests use them."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key, value in theirs.items():
            made_names(value, ours.get(key), names)
        a, b = theirs.get("name"), ours.get("name")
        if isinstance(a, str) and isinstance(b, str) and a != b and MADE.search(a):
            names[a] = b
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for a, b in zip(theirs, ours):
            made_names(a, b, names)


class Instances:
    """Numbers of the machines of scale sets: those that answer in the recording are the first ones here, those that do not
    are none here. Only sets that started more machines than they kept have others."""

    PATH = re.compile(r"(/virtualMachineScaleSets/[^/?]+/virtualMachines/)(\d+)", re.I)

    def __init__(self, exchanges):
        there, gone = {}, {}
        for exchange in exchanges:
            if found := self.PATH.search(exchange["request"]["uri"]):
                of = gone if exchange["response"]["status"]["code"] == 404 else there
                of.setdefault(found.group(1).lower(), set()).add(int(found.group(2)))
        self.numbers = {}
        for set_path, numbers in there.items():
            for at, number in enumerate(sorted(numbers)):
                self.numbers[set_path, number] = at
        for set_path, numbers in gone.items():
            for number in numbers:
                self.numbers.setdefault((set_path, number), 1000 + number)

    def path(self, url):
        def other(found):
            number = self.numbers.get((found.group(1).lower(), int(found.group(2))), found.group(2))
            return f"{found.group(1)}{number}"

        return self.PATH.sub(other, url)

    def body(self, url, text):
        """The same in `instanceIds` of an order to a set."""
        sent = parse(text) if text else None
        if not isinstance(sent, dict) or "instanceIds" not in sent:
            return text
        set_path = re.search(r"/virtualMachineScaleSets/[^/?]+/", url, re.I)
        key = set_path.group(0).lower() + "virtualmachines/" if set_path else ""
        sent["instanceIds"] = [str(self.numbers.get((key, int(n)), n)) if n.isdigit() else n for n in sent["instanceIds"]]
        return json.dumps(sent)


def tags_sent(value, out):
    """The names of all tags in what was sent."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "tags" and isinstance(inner, dict):
                out.update(inner)
            tags_sent(inner, out)
    elif isinstance(value, list):
        for inner in value:
            tags_sent(inner, out)


def kind_of(path):
    """The type of a path in lower case, without the word of an action or a view."""
    if "/providers/" not in path:
        return "resource groups and subscriptions"
    parts = path.rsplit("/providers/", 1)[1].strip("/").lower().split("/")
    kind = "/".join([parts[0]] + parts[1::2])
    # `…/vmss/pool/instanceView` is about the set
    known = KNOWN | POOL
    return kind if kind in known or len(parts) < 4 else next((k for n in range(len(parts), 1, -1) if (k := "/".join([parts[0]] + parts[1:n:2])) in known), kind)


def counted(kind):
    return kind in KNOWN or kind.startswith(("resource groups", "microsoft.resources/deployments"))


def main():
    total = same = thanks = 0
    kinds, reasons, left = collections.defaultdict(lambda: [0, 0]), collections.Counter(), 0
    for file in sorted(folder.glob("*.yaml")):
        polls, names, notes = {}, {}, []
        exchanges = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["interactions"]
        send("POST", base + "/_local/reset", None)
        prepare(exchanges)
        instances, sent_tags = Instances(exchanges), set()
        for exchange in exchanges:
            tags_sent(parse(unwrap(exchange["request"]["body"]) or ""), sent_tags)
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
            body = unwrap(request["body"])
            for old, new in names.items():
                body = body.replace(old, new) if isinstance(body, str) else body
            status, headers, text = send(method, instances.path(target), instances.body(target, body))
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
                    chosen = {"another machine"} if instances.path(url) != url else set()
                    differ("", theirs, parse(text), found, sent_tags | chosen)
            found, left_out = [line for line in found if line[:1] != "?"], any(line[:1] == "?" for line in found)
            kind = kind_of(urllib.parse.urlparse(url).path)
            # a list of the whole subscription holds what others made
            everything = method == "GET" and "/resourcegroups/" not in url.lower() and isinstance(theirs, dict) and "value" in theirs
            if not counted(kind) and kind not in POOL or everything or response["status"]["code"] >= 500:
                left += 1
                continue
            if counted(kind):
                total += 1
                same += not found
                thanks += left_out and not found
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
    good, all_of = (sum(counts[at] for kind, counts in kinds.items() if kind in POOL) for at in (0, 1))
    print(f"of pool types: {good} of {all_of}")
    print(f"{same} of {total} exchanges have the same shape, {thanks} of them without what is left out; {left} other exchanges are not counted")


# the least that accounts and vaults are made of
BODIES = {
    "microsoft.batch/batchaccounts": ("2020-05-01", {}),
    "microsoft.storage/storageaccounts": ("2019-06-01", {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}),
    "microsoft.keyvault/vaults": ("2019-09-01", {"properties": {"tenantId": "22222222-2222-4222-8222-222222222222", "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}}),
}
TOP = re.compile(r"(/subscriptions/[^/]+/resource[gG]roups/[^/]+/providers/[^/]+/[^/]+/[^/\"?]+)")


def prepare(exchanges):
    """Makes what the recording takes for granted: groups, and accounts and vaults that are read, referred to or written below before
    the recording makes them."""
    made, groups = set(), set()
    for exchange in exchanges:
        path = urllib.parse.urlparse(exchange["request"]["uri"]).path
        answer = exchange["response"]["body"].get("string") or ""
        if group := re.match(r"(/subscriptions/[^/]+/resource[gG]roups/[^/]+)/", path):
            creates = any(e["request"]["method"] == "PUT" and e["request"]["uri"].split("?")[0].lower().endswith(group.group(1).lower()) for e in exchanges)
            if not creates and "ResourceGroupNotFound" not in str(answer) and group.group(1) not in groups:
                send("PUT", base + group.group(1) + "?api-version=2021-04-01", '{"location": "eastus"}')
                groups.add(group.group(1))
    for exchange in exchanges:
        request = exchange["request"]
        path = urllib.parse.urlparse(request["uri"]).path
        if request["method"] == "PUT" and TOP.fullmatch(path):
            made.add(path.lower())
        if exchange["response"]["status"]["code"] >= 300 and exchange["response"]["status"]["code"] != 504:
            continue
        sent = unwrap(request["body"]) or ""
        for needed in TOP.findall(path) + (TOP.findall(sent) if isinstance(sent, str) else []):
            version, body = BODIES.get(kind_of(needed), (None, None))
            if version and needed.lower() not in made:
                where = (parse(sent) or {}).get("location") if isinstance(parse(sent), dict) else None
                send("PUT", f"{base}{needed}?api-version={version}", json.dumps({"location": where or "eastus", **body}))
                made.add(needed.lower())


main()
