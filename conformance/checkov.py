#!/usr/bin/env python3
"""Holds the examples' templates against checkov: a failed check must have its reason in docs/external-checks.md.

usage: checkov.py CHECKOV        (the program's path)

A template that checkov cannot parse exits 0 with no resources, so the number of resources is asserted too.
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPLAINED = set(re.findall(r"^\| (CKV2?_AZURE_\d+)", (ROOT / "docs" / "external-checks.md").read_text(), re.M))


def main():
    passed = resources = 0
    failed, wrong = {}, []
    for template in sorted(ROOT.glob("examples/*/expected/template*.json")):
        run = subprocess.run([sys.argv[1], "--framework", "arm", "-f", template, "-o", "json"], capture_output=True, text=True)
        told = json.loads(run.stdout)
        told = told[0] if isinstance(told, list) else told
        summary = told.get("summary", told)
        if summary.get("resource_count", 0) == 0:
            wrong.append(f"{template.relative_to(ROOT)}: checkov saw no resource")
        passed += summary.get("passed", 0)
        resources += summary.get("resource_count", 0)
        for check in told.get("results", {}).get("failed_checks", []):
            failed.setdefault(check["check_id"], set()).add(template.parent.parent.name)
    for check, examples in sorted(failed.items()):
        if check not in EXPLAINED:
            wrong.append(f"{check} fails in {', '.join(sorted(examples))} and docs/external-checks.md gives no reason")
    for line in wrong:
        print(f"FAIL {line}")
    print(f"checkov: {resources} resources, {passed} passed, failed with a reason: {', '.join(sorted(set(failed) & EXPLAINED)) or 'none'}")
    sys.exit(1 if wrong or resources == 0 else 0)


main()
