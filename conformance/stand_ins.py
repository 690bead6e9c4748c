"""Values and resources that stand in for what a caller of a template has: its parameters, and what they name.

A template of other people names networks, vaults and zones that its author has. `missing` reads from the words of a refusal
which of them there are not, and `world` writes a template that creates them, each with no more than its type needs.
"""

import base64
import hashlib
import json
import re

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
PASSWORD = "Stand-in.4711-Kx"
ID = rf"/subscriptions/{SUBSCRIPTION}/resourceGroups/[^/'\s]+/providers/[^'\s`]+"
# Words of the local endpoint, which are Azure's, around the id of what is not there.
WORDS = [
    rf"parent resource '({ID})' could not be found", rf"Resource ({ID}) referenced by resource \S+ was not found",
    rf"the identity '({ID})' wa", rf"storage account '({ID})' does not exist", rf"The target resource '({ID})'",
    rf"The specified KeyVault '({ID})'", rf"The Resource '({ID})' was not found",
]
NAMED = r"The Resource '([^']+)' under resource group '([^']+)' was not found"
GROUP = r"[Rr]esource group [`']([^`']+)[`'](?: of an existing resource)? (?:could not be found|does not exist)"
SUBNET = r"subnet `([^`]+)` of the existing network `([^`]+)` does not exist"

# API version and what a resource of a type needs besides its name; `None` for the version of others.
BODIES = {
    "microsoft.network/virtualnetworks": ("2023-04-01", {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}}),
    "microsoft.network/publicipaddresses": ("2023-04-01", {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}),
    "microsoft.network/loadbalancers": ("2023-04-01", {"sku": {"name": "Standard"}}),
    "microsoft.network/dnszones": ("2018-05-01", {"location": "global"}),
    "microsoft.network/privatednszones": ("2020-06-01", {"location": "global"}),
    "microsoft.storage/storageaccounts": ("2023-01-01", {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}),
    "microsoft.compute/disks": ("2023-04-02", {"sku": {"name": "Standard_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 64}}),
    "microsoft.compute/availabilitysets": ("2023-03-01", {"sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2}}),
    "microsoft.keyvault/vaults": ("2023-02-01", {"properties": {"tenantId": "[subscription().tenantId]", "sku": {"family": "A", "name": "standard"}, "accessPolicies": []}}),
    "microsoft.managedidentity/userassignedidentities": ("2023-01-31", {}),
    "microsoft.batch/batchaccounts": ("2023-05-01", {}),
    "microsoft.compute/galleries": ("2022-03-03", {}),
    "microsoft.operationalinsights/workspaces": ("2022-10-01", {"properties": {"sku": {"name": "PerGB2018"}}}),
    "microsoft.insights/components": ("2020-02-02", {"kind": "web", "properties": {"Application_Type": "web"}}),
    "microsoft.insights/actiongroups": ("2023-01-01", {"location": "global", "properties": {"groupShortName": "standin", "enabled": True}}),
    "microsoft.network/applicationsecuritygroups": ("2023-04-01", {}),
    "microsoft.network/networksecuritygroups": ("2023-04-01", {}),
    "microsoft.network/routetables": ("2023-04-01", {}),
}


def missing(text):
    """Ids of what a refusal says is not there, and names of groups."""
    flat = re.sub(r"\s+", " ", text)
    ids = {found.rstrip(".,:") for words in WORDS for found in re.findall(words, flat)}
    for name, group in re.findall(NAMED, flat):
        parts = name.split("/")
        if len(parts) >= 3 and len(parts) % 2 == 1:
            ids.add(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{name}")
        elif len(parts) > 3:
            # `Microsoft.X/a/b/name/child` as the endpoint writes children: types first, then names
            half = (len(parts) - 1) // 2
            pairs = [part for pair in zip(parts[1:1 + half], parts[1 + half:]) for part in pair]
            ids.add(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/{'/'.join([parts[0], *pairs])}")
    for subnet, network in re.findall(SUBNET, flat):
        ids.add(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}")
    return ids, set(re.findall(GROUP, flat))


def split(id):
    """Group, type and name of an id."""
    _, _, rest = id.partition("/resourceGroups/")
    group, _, path = rest.partition("/providers/")
    namespace, *parts = path.split("/")
    return group, "/".join([namespace, *parts[0::2]]), "/".join(parts[1::2])


def world(ids):
    """For each group a template that creates what the ids name, and the parents of it."""
    groups = {}
    for id in sorted(ids):
        group, kind, name = split(id)
        if not name or kind.lower().startswith("microsoft.resources/"):
            continue
        steps = name.split("/")
        for depth in range(1, len(steps) + 1):
            own = "/".join(kind.split("/")[:depth + 1])
            groups.setdefault(group, {}).setdefault((own.lower(), "/".join(steps[:depth]).lower()), (own, "/".join(steps[:depth])))
    templates = {}
    for group, wanted in groups.items():
        resources, subnets, before = [], 0, {}
        for kind, name in wanted.values():
            version, more = BODIES.get(kind.lower(), ("2023-01-01", {}))
            one = {"type": kind, "apiVersion": version, "name": name, **more}
            if "/" not in name:
                one.setdefault("location", "westeurope")
            else:
                parent = "/".join(kind.split("/")[:-1]), name.rpartition("/")[0]
                one["dependsOn"] = [resource_id(*parent)]
            if kind.lower() == "microsoft.network/virtualnetworks/subnets":
                endpoints = [{"service": service} for service in ("Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.Sql")]
                one["apiVersion"] = "2023-04-01"
                one["properties"] = {"addressPrefix": f"10.0.{subnets}.0/24", "serviceEndpoints": endpoints}
                # one network takes one change at a time
                one["dependsOn"] += [before[name.rpartition("/")[0]]] if name.rpartition("/")[0] in before else []
                before[name.rpartition("/")[0]] = resource_id(kind, name)
                subnets += 1
            elif "/" in name and "properties" not in one:
                one["properties"] = {}
            resources.append(one)
        templates[group] = template(resources)
    return templates


def template(resources):
    """A template of resources."""
    return {"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "resources": resources}


def resource_id(kind, name):
    """The expression of an id in the same group."""
    return f"[resourceId('{kind}', {', '.join(repr(part) for part in name.split('/'))})]"


def ssh_key():
    """An RSA public key of the right form that belongs to nobody."""
    part = lambda data: len(data).to_bytes(4, "big") + data
    number = bytes([0, 0xC1]) + b"".join(hashlib.sha256(bytes([i])).digest() for i in range(8))[:254] + b"\x01"
    body = base64.b64encode(part(b"ssh-rsa") + part(b"\x01\x00\x01") + part(number)).decode()
    return f"ssh-rsa {body} stand-in"


def optional(declared, definitions):
    """Whether nothing needs to be given, by the declaration or the definition that it refers to."""
    target = definitions.get(str(declared.get("$ref", "")).rpartition("/")[2])
    return bool(declared.get("nullable") or (isinstance(target, dict) and target.get("nullable")))


def shape_of(name, text):
    """What a template reads of a parameter: members by name, `[]` for elements and how many, nothing at the ends."""
    shape = {}
    for path in re.findall(rf"parameters\('{re.escape(name)}'\)((?:\.[A-Za-z_]\w*|\[[^\[\]]*\])+)", text, re.I):
        at = shape
        for member, index in re.findall(r"\.([A-Za-z_]\w*)|\[([^\[\]]*)\]", path):
            if quoted := re.fullmatch(r"'([^']+)'", index):
                member = quoted.group(1)
            if not member:
                elements = at.setdefault("[]", [1, {}])
                # the turn of a loop or another parameter counts for three
                turns = min(int(index), 20) + 1 if index.isdigit() else 3
                elements[0] = max(elements[0], turns)
            at = at.setdefault(member, {}) if member else at["[]"][1]
    return shape


def shaped(name, number, kind, shape):
    """A value with what is read of it."""
    members = {member: inner for member, inner in shape.items() if member != "[]"}
    if "[]" in shape and not members:
        count, inner = shape["[]"]
        return [shaped(name, f"{number}{i or ''}", "string", inner) for i in range(count)]
    if members:
        return {member: shaped(member, number, "string", inner) for member, inner in members.items()}
    return stand_in(name, number, {"type": kind})


def stand_in(name, number, declared, definitions=None, depth=0, shape=None):
    """A value that a parameter without one takes: what its type and its name say, as Azure would take it."""
    definitions = definitions or {}
    if isinstance(declared.get("$ref"), str) and depth < 9:
        target = definitions.get(declared["$ref"].rpartition("/")[2], {})
        return stand_in(name, number, target if isinstance(target, dict) else {}, definitions, depth + 1)
    if declared.get("allowedValues"):
        return declared["allowedValues"][0]
    kind, low = str(declared.get("type", "string")).lower(), name.lower()
    if kind in ("array", "object", "secureobject") and shape and not declared.get("items") and not declared.get("properties"):
        return shaped(name, number, kind, shape)
    if kind == "int":
        return declared.get("minValue", 100 if "priority" in low else 2 if "count" in low or "capacity" in low else 1)
    if kind == "bool":
        return False
    if kind == "array":
        items = declared.get("items")
        if not isinstance(items, dict) and not re.search("prefix|address|space|ips?$|zone|ids?$|name|mail|location|region", low):
            return []
        return [stand_in(name, number, items if isinstance(items, dict) and depth < 9 else {}, definitions, depth + 1)]
    if kind in ("object", "secureobject"):
        members = declared.get("properties") if depth < 9 else None
        wanted = {n: d for n, d in (members or {}).items() if isinstance(d, dict) and not optional(d, definitions)}
        return {n: stand_in(n, number, d, definitions, depth + 1) for n, d in wanted.items()}
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/r/providers/"
    table = [
        ("vault(name)?$", "standin-vault"), ("principal(object)?ids?$", "33333333-3333-4333-8333-333333333333"), ("key", ssh_key() if re.search(r"ssh|public|orkey|rsa", low) else "stand-in-key"), ("password|pwd", PASSWORD),
        ("resourcegroup(name)?$|rg(name)?$", "r"), ("(identity|msi|assigned).*id$", scope + "Microsoft.ManagedIdentity/userAssignedIdentities/standin-identity"),
        ("user|admin", "standinuser"), ("location|region", "westeurope"),
        ("(account|storage|disk).*(type|sku)$|redundancy", "Standard_LRS"), ("(ip|lb|balancer|bastion|gateway|workspace|registry).*sku|tier$", "Standard"),
        ("vault.*sku|sku.*vault", "standard"), (r"size|sku$", "Standard_D2s_v3"),
        (r"url|uri(?!ty)|artifactslocation$|endpoint", "https://example.com/stand-in/"), ("email|mail", "someone@example.com"),
        ("subnet.*id$", scope + "Microsoft.Network/virtualNetworks/standin-network/subnets/standin-subnet"),
        ("(vnet|virtualnetwork).*id$", scope + "Microsoft.Network/virtualNetworks/standin-network"),
        ("(workspace|loganalytics).*id$", scope + "Microsoft.OperationalInsights/workspaces/standin-workspace"),
        ("storage.*id$", scope + "Microsoft.Storage/storageAccounts/standin"),
        ("vault.*id$", scope + "Microsoft.KeyVault/vaults/standin-vault"),
        ("(nsg|securitygroup).*id$", scope + "Microsoft.Network/networkSecurityGroups/standin-rules"),
        ("disk.*id$", scope + "Microsoft.Compute/disks/standin-disk"), ("actiongroup.*id$", scope + "Microsoft.Insights/actionGroups/standin-actions"),
        ("(public)?ip(address)?(resource)?id$", scope + "Microsoft.Network/publicIPAddresses/standin-address"),
        ("(tenant|object|principal|client|application|app)(object)?ids?$", "33333333-3333-4333-8333-333333333333"),
        ("subscriptionid$", SUBSCRIPTION), ("resourceid$", scope + "Microsoft.Storage/storageAccounts/standin"),
        ("(address|subnet|vnet|network|ip|range).*prefix(es|range)?$|cidr|addressspaces?$|addressrange", "10.0.0.0/16" if "subnet" not in low else "10.0.0.0/24"),
        ("ipaddress$|(private|static)ip|dnsserver", "10.0.0.4"), ("zones?$", "1" if "dns" not in low else "stand-in.example.com"),
        ("apiversion", "2023-05-01"), ("(?<!ac)count|capacity|number|port$", "2"),
    ]
    text = next((value for pattern, value in table if re.search(pattern, low)), f"standin{number}")
    least, most = declared.get("minLength", 0), declared.get("maxLength", 10_000)
    if isinstance(least, int) and len(text) < least:
        text += "standin" * least
        text = text[:max(least, len(text) if least == 0 else least)]
    return text[:most] if isinstance(most, int) else text


def parameters(template):
    """Values for the parameters without a default."""
    given, definitions, text = {}, template.get("definitions") or {}, json.dumps(template)
    for number, (name, declared) in enumerate((template.get("parameters") or {}).items()):
        if not isinstance(declared, dict) or optional(declared, definitions):
            continue
        # nobody deploys with an empty place
        placeless = declared.get("defaultValue") == "" and re.search("location$|subscriptionid$|resourcegroup(name)?$", name, re.I)
        if declared.get("defaultValue") is None or placeless:
            given[name] = {"value": stand_in(name, number, declared, definitions, shape=shape_of(name, text))}
    return {"parameters": given}
