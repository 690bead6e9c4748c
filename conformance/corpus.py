#!/usr/bin/env python3
"""Repeats the counts of docs/template-engine.md and docs/local-endpoint.md on folders of ARM templates.

    conformance/corpus.py FOLDER…                     expand every template, in bounded time and memory, twice
    conformance/corpus.py --plans FOLDER…             plan, apply, plan on the local endpoint, each in a fresh state
    conformance/corpus.py --plans --report FILE …     the same, with one line of JSON for each template in FILE

A folder is a clone, or any tree, of public templates. Nothing is downloaded and nothing leaves this machine. A folder that is
not there is skipped with a line that says so. Needs Python 3.9 and nothing else.
"""

import argparse
import base64
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

# What a template must mention for its plans to be counted: what pools are made of.
POOL_TYPES = ("microsoft.compute/virtualmachinescalesets", "microsoft.network/", "microsoft.storage/storageaccounts",
              "microsoft.batch/", "microsoft.keyvault/vaults", "microsoft.insights/autoscalesettings")
# Bounds of one process: seconds, and bytes of address space (a 64-bit allocator reserves more than it uses).
SECONDS, ADDRESS_SPACE = 60, 8 << 30
PASSWORD = "Stand-in.4711-Kx"


def ssh_key():
    """An RSA public key of the right form that belongs to nobody."""
    part = lambda data: len(data).to_bytes(4, "big") + data
    number = bytes([0, 0xC1]) + b"".join(hashlib.sha256(bytes([i])).digest() for i in range(8))[:254] + b"\x01"
    body = base64.b64encode(part(b"ssh-rsa") + part(b"\x01\x00\x01") + part(number)).decode()
    return f"ssh-rsa {body} stand-in"


def text_of(path):
    """The text of a file, in the encodings that are found in practice."""
    data = path.read_bytes()
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")


def read(path):
    """The JSON of a template, with the comments and trailing commas that Azure takes; `None` when it is something else."""
    text = text_of(path)
    try:
        found = json.loads(text, strict=False)
    except ValueError:
        plain = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda m: m.group(1) or "", text, flags=re.S)
        plain = re.sub(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', lambda m: m.group(1) or "", plain, flags=re.S)
        try:
            found = json.loads(plain, strict=False)
        except ValueError:
            return None
    schema = str(found.get("$schema", "")).lower() if isinstance(found, dict) else ""
    return found if "deploymenttemplate.json" in schema and "resources" in found else None


def optional(declared, definitions):
    """Whether nothing needs to be given, by the declaration or the definition that it refers to."""
    target = definitions.get(str(declared.get("$ref", "")).rpartition("/")[2])
    return bool(declared.get("nullable") or (isinstance(target, dict) and target.get("nullable")))


def stand_in(name, number, declared, definitions=None, depth=0):
    """A value that a parameter without one takes: what its type and its name say, as Azure would take it."""
    definitions = definitions or {}
    if isinstance(declared.get("$ref"), str) and depth < 9:
        target = definitions.get(declared["$ref"].rpartition("/")[2], {})
        return stand_in(name, number, target if isinstance(target, dict) else {}, definitions, depth + 1)
    if declared.get("allowedValues"):
        return declared["allowedValues"][0]
    kind, low = str(declared.get("type", "string")).lower(), name.lower()
    if kind == "int":
        return declared.get("minValue", 2 if "count" in low or "capacity" in low else 1)
    if kind == "bool":
        return False
    if kind == "array":
        items = declared.get("items")
        return [stand_in(name, number, items, definitions, depth + 1) if isinstance(items, dict) and depth < 9 else "stand-in"]
    if kind in ("object", "secureobject"):
        members = declared.get("properties") if depth < 9 else None
        wanted = {n: d for n, d in (members or {}).items() if isinstance(d, dict) and not optional(d, definitions)}
        return {n: stand_in(n, number, d, definitions, depth + 1) for n, d in wanted.items()}
    scope = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/r/providers/"
    table = [
        ("key", ssh_key() if re.search(r"ssh|public|orkey|rsa", low) else "stand-in-key"), ("password|pwd", PASSWORD),
        ("user|admin", "standinuser"), ("location|region", "westeurope"), ("(account|storage|disk).*(type|sku)$|redundancy", "Standard_LRS"), (r"size|sku$", "Standard_D2s_v3"),
        ("url|uri|artifactslocation$|endpoint", "https://example.com/stand-in/"), ("email|mail", "someone@example.com"),
        ("subnet.*id$", scope + "Microsoft.Network/virtualNetworks/v/subnets/s"), ("vnet.*id$", scope + "Microsoft.Network/virtualNetworks/v"),
        ("workspace.*id$", scope + "Microsoft.OperationalInsights/workspaces/w"), ("storage.*id$", scope + "Microsoft.Storage/storageAccounts/standin"),
        ("(tenant|object|principal|client|application|app)id$", "33333333-3333-4333-8333-333333333333"),
        ("subscriptionid$", "11111111-1111-4111-8111-111111111111"), ("resourceid$", scope + "Microsoft.Storage/storageAccounts/standin"),
        ("(address|subnet|vnet|network|ip|range).*prefix(es|range)?$|cidr|addressspace|addressrange", "10.0.0.0/16" if "subnet" not in low else "10.0.0.0/24"), ("ipaddress$|(private|static)ip", "10.0.0.4"),
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
    given, definitions = {}, template.get("definitions") or {}
    for number, (name, declared) in enumerate((template.get("parameters") or {}).items()):
        if isinstance(declared, dict) and declared.get("defaultValue") is None and not optional(declared, definitions):
            given[name] = {"value": stand_in(name, number, declared, definitions)}
    return {"parameters": given}


def bounded():
    """In the child: bounds of time and memory, so that a template that hangs or grows is a count and not an accident."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def run(arguments, folder):
    """Exit code, stdout, stderr; the code is `hang` when the time was over."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DSVMC_", "AZURE_"))}
    environment["XDG_STATE_HOME"] = str(folder / "state")
    try:
        done = subprocess.run([str(OPTIONS.dsvmc), *arguments], cwd=folder, env=environment, capture_output=True,
                              preexec_fn=bounded, stdin=subprocess.DEVNULL, timeout=4 * SECONDS)
    except subprocess.TimeoutExpired:
        return "hang", "", ""
    code = "hang" if done.returncode in (-24, -9) else "crash" if done.returncode < 0 or done.returncode == 101 else done.returncode
    return code, done.stdout.decode("utf8", "replace"), done.stderr.decode("utf8", "replace")


def general(line):
    """A message without the words of the template, so that equal reasons count as one."""
    line = re.sub(r"`[^`]*`", "…", line)
    line = re.sub(r"(…, )+…", "…", re.sub(r"(?<!DSVM)(?<!\d)\d+", "N", line))
    return line.strip()[:140]


def reason(text):
    """The first error of a run."""
    lines = [line for line in text.splitlines() if line.startswith("error")]
    return general(lines[0]) if lines else general(text.strip().splitlines()[-1] if text.strip() else "no message")


def prepared(path, template, folder):
    """A copy of a template, its linked parts and its values in a folder of their own."""
    target = folder / "template" / path.name
    target.parent.mkdir(parents=True)
    if "relativePath" in path.read_text(errors="replace"):
        for part in path.parent.rglob("*.json"):
            copy = target.parent / part.relative_to(path.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part, copy)
    shutil.copyfile(path, target)
    values = folder / "values.json"
    values.write_text(json.dumps(parameters(template)))
    return target, values


def expanded(job):
    """Expands one template twice: both must print the same bytes."""
    path, template = job, read(job)
    if template is None:
        return path, "not a template", "", 0
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        target, values = prepared(path, template, folder)
        begun = time.monotonic()
        once, again = (run(["expand", str(target), "-p", f"@{values}", "-l", "westeurope"], folder) for _ in range(2))
        seconds = (time.monotonic() - begun) / 2
    if once != again:
        return path, "two runs differ", "", seconds
    word = {0: "expanded", "hang": "hang", "crash": "panic"}.get(once[0], "refused")
    return path, word, "" if once[0] == 0 else reason(once[2]), seconds


def planned(job):
    """Plan, apply, plan: how far the template comes, and what the second plan still wants to change."""
    path, template = job, read(job)
    if template is None:
        return path, "not a template", "", []
    schema = str(template.get("$schema", "")).lower()
    group = ["-g", "r"] if "/deploymenttemplate" in schema else []
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        target, values = prepared(path, template, folder)
        where = ["--template", str(target), "-p", f"@{values}", "--location", "westeurope", *group]
        code, out, err = run(["plan", *where, "--format", "json"], folder)
        if code != 0:
            return path, word("plan", code), reason(err), []
        if not json.loads(out)["changes"]:
            return path, "nothing to deploy", "", []
        code, out, err = run(["apply", *where, "--yes"], folder)
        if code != 0:
            return path, word("apply", code), failure(err + out), []
        code, out, err = run(["plan", *where, "--format", "json"], folder)
        if code != 0:
            return path, word("second plan", code), reason(err), []
        left = [change for change in json.loads(out)["changes"] if change["action"] != "no-change"]
    if not left:
        return path, "second plan empty", "", []
    found = []
    for change in left:
        attributes = change.get("attributes") or [{"path": "", "kind": ""}]
        found += [f'{change["action"]} {change["type"]} {re.sub("[0-9]+", "N", a["path"])} ({a["kind"]})' for a in attributes]
    return path, "second plan not empty", found[0], sorted(set(found))


def word(step, code):
    """The outcome of a step that did not succeed."""
    return {"hang": f"{step}: hang", "crash": f"{step}: panic"}.get(code, f"{step} refused")


def failure(text):
    """Why an apply failed: the most specific line."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"error|failed|Azure says|: [A-Z][A-Za-z]+[a-z]: ", line)]
    return general(lines[0]) if lines else reason(text)


def templates(folders):
    """Files below the folders that look like templates; for plans, those with a type that pools are made of."""
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*.json")):
            if path.is_file() and path.stat().st_size <= 4 << 20 and not path.name.lower().endswith("parameters.json"):
                text = text_of(path).lower()
                wanted = not OPTIONS.plans or any(kind in text for kind in POOL_TYPES)
                if wanted and "deploymenttemplate.json" in text[:4000]:
                    yield path


def main():
    folders = []
    for folder in OPTIONS.folders:
        if pathlib.Path(folder).is_dir():
            folders.append(folder)
        else:
            print(f"skipped: there is no folder {folder}")
    if not folders:
        return 0
    jobs, stop = list(templates(folders)), OPTIONS.limit
    if stop:
        # every n-th, so that no collection is favoured
        jobs = jobs[::max(1, len(jobs) // stop)][:stop]
    counts, reasons, slowest, everything = collections.Counter(), collections.defaultdict(collections.Counter), (0, ""), collections.Counter()
    report = open(OPTIONS.report, "w") if OPTIONS.report else None
    work = planned if OPTIONS.plans else expanded
    with concurrent.futures.ThreadPoolExecutor(OPTIONS.jobs) as pool:
        for path, outcome, why, detail in pool.map(work, jobs):
            counts[outcome] += 1
            if why:
                reasons[outcome][why] += 1
            if OPTIONS.plans:
                everything.update(detail)
            else:
                slowest = max(slowest, (detail, str(path)))
            if report:
                report.write(json.dumps({"file": str(path), "outcome": outcome, "why": why, "detail": detail}) + "\n")
                report.flush()
    for outcome, count in counts.most_common():
        print(f"{count:>6}  {outcome}")
        for why, number in reasons[outcome].most_common(OPTIONS.reasons):
            print(f"          {number:>5}  {why}")
    if everything:
        print("differences of second plans, by the number of templates that have them:")
        for what, number in everything.most_common(OPTIONS.reasons):
            print(f"          {number:>5}  {what}")
    if slowest[1]:
        print(f"slowest: {slowest[0]:.2f} s, {slowest[1]}")
    bad = sum(count for outcome, count in counts.items() if "panic" in outcome or "hang" in outcome or "differ" in outcome)
    return 1 if bad else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--dsvmc", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "target/release/dsvmc")
    parser.add_argument("--plans", action="store_true", help="plan, apply, plan instead of expanding")
    parser.add_argument("--limit", type=int, default=0, help="at most so many templates, spread over all")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--reasons", type=int, default=40, help="how many reasons are printed for each outcome")
    parser.add_argument("--report", help="file for one line of JSON for each template")
    OPTIONS = parser.parse_args()
    OPTIONS.dsvmc = OPTIONS.dsvmc.resolve()
    sys.exit(main())
