#!/usr/bin/env python3
"""Repeats the counts of docs/template-engine.md and docs/local-endpoint.md on folders of ARM templates.

    conformance/corpus.py FOLDER…                     expand every template, in bounded time and memory, twice
    conformance/corpus.py --plans FOLDER…             plan, apply, plan on the local endpoint, each in a fresh state
    conformance/corpus.py --plans --report FILE …     the same, with one line of JSON for each template in FILE

A folder is a clone, or any tree, of public templates. Nothing is downloaded and nothing leaves this machine. A folder that is
not there is skipped with a line that says so. Needs Python 3.9 and nothing else.
"""

import argparse
import collections
import concurrent.futures
import itertools
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

import stand_ins

# What a template must mention for its plans to be counted: what pools are made of.
POOL_TYPES = ("microsoft.compute/virtualmachinescalesets", "microsoft.network/", "microsoft.storage/storageaccounts",
              "microsoft.batch/", "microsoft.keyvault/vaults", "microsoft.insights/autoscalesettings")
# Bounds of one process: seconds, and bytes of address space (a 64-bit allocator reserves more than it uses).
SECONDS, ADDRESS_SPACE = 60, 8 << 30
# How often what a template lacks is created before its refusal counts.
TURNS = 12


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
    if "templatelink" in text_of(path).lower():
        for part in itertools.islice(path.parent.rglob("*.json"), 300):
            copy = target.parent / part.relative_to(path.parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part, copy)
    shutil.copyfile(path, target)
    values = folder / "values.json"
    values.write_text(json.dumps(stand_ins.parameters(template)))
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
    # a stack names its deployments anew each time, so a template that reads the name is deployed under one, as its authors do
    if "deployment().name" in text_of(path).lower():
        group += ["--deployment-name", "main"]
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        target, values = prepared(path, template, folder)
        # one state for the template and for what it lacks
        state = ["--state-dir", str(folder / "state")]
        where = ["--template", str(target), "-p", f"@{values}", "--location", "westeurope", *group, *state]
        there, groups = set(), set()
        for _ in range(TURNS):
            code, out, err = run(["plan", *where, "--format", "json"], folder)
            step, why = "plan", reason(err)
            if code == 0:
                if not json.loads(out)["changes"]:
                    return path, "nothing to deploy", "", []
                code, out, err = run(["apply", *where, "--yes", "--register-features", "--allow-delete"], folder)
                step, why = "apply", failure(err + out)
            if code == 0:
                break
            ids, more = stand_ins.missing(err + out)
            if ids <= there and more <= groups:
                return path, word(step, code), why, []
            there |= ids
            groups |= more
            create(there, groups, folder)
        if code != 0:
            return path, word(step, code), why, []
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


def create(ids, groups, folder):
    """Creates what a template names and does not deploy. What cannot be created is missed again by the template itself."""
    templates = stand_ins.world(ids)
    for group in groups - set(templates):
        templates[group] = stand_ins.template([])
    for group, template in templates.items():
        file = folder / "template" / "dsvmc-stand-ins.json"
        file.write_text(json.dumps(template))
        run(["apply", "--template", str(file), "-g", group, "--location", "westeurope", "--yes",
             "--state-dir", str(folder / "state")], folder)


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
