#!/usr/bin/env python3
"""Figures of the local endpoint and of the template engine; prints Markdown.

  benches/endpoint.py       needs target/release/dsvmc; benches/run.sh builds it and puts this behind its own figures

Start-up is from process start to the first answer, with a new state and certificate. Throughput is from the first PUT to the end
of both deployments. Processor time and largest resident set are those of the server, or of the whole `expand`.
"""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DSVMC = pathlib.Path(os.environ.get("DSVMC", ROOT / "target" / "release" / "dsvmc"))
RUNS = int(os.environ.get("RUNS", "5"))
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
GROUP = "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/bench"
VERSION = "?api-version=2024-11-01"


def ask(base, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {error.read()[:500]}") from error


def spent(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def start(folder):
    """Starts a server; gives the process, its address, and the milliseconds and processor milliseconds until it answered."""
    begun = time.perf_counter()
    process = subprocess.Popen([DSVMC, "local", "up", folder, "--foreground"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state = pathlib.Path(folder) / ".dsvmc" / "local" / "endpoint.json"
    while True:
        try:
            base = json.loads(state.read_text())["http"]
            ask(base, "GET", "/_local/status")
            took = (time.perf_counter() - begun) * 1000
            return process, base, took, spent(process.pid)
        except (OSError, ValueError, KeyError):
            time.sleep(0.0005)


def stop(process):
    process.send_signal(signal.SIGINT)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def resources(prefix, count):
    kinds = [
        ("Microsoft.Network/publicIPAddresses", {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}),
        ("Microsoft.ManagedIdentity/userAssignedIdentities", {}),
        ("Microsoft.Network/networkSecurityGroups", {"properties": {"securityRules": []}}),
        ("Contoso.Things/widgets", {"properties": {"size": 3}}),
    ]
    for at in range(count):
        kind, body = kinds[at % len(kinds)]
        yield {"type": kind, "apiVersion": "2024-05-01", "name": f"{prefix}{at}", "location": "westeurope", **body}


def throughput(base):
    ask(base, "PUT", GROUP + VERSION, {"location": "westeurope"})
    begun = time.perf_counter()
    for part in ("bench-a", "bench-b"):
        template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources(part, 500))}
        path = f"{GROUP}/providers/Microsoft.Resources/deployments/{part}{VERSION}"
        ask(base, "PUT", path, {"properties": {"mode": "Incremental", "template": template}})
        while (state := ask(base, "GET", path)["properties"]["provisioningState"]) not in ("Succeeded", "Failed"):
            time.sleep(0.005)
        assert state == "Succeeded", ask(base, "GET", path)
    seconds = time.perf_counter() - begun
    listed = len(ask(base, "GET", f"{GROUP}/resources{VERSION}&$top=2000")["value"])
    assert listed == 1000, listed
    return seconds


def big_template(file, megabytes):
    """790 resources with expressions, of about so many megabytes."""
    line = "[concat(parameters('team'), '-', string(add({0}, {1})), '-', toLower(variables('word')), '-', uniqueString(parameters('team'), '{1}'))]"
    each = int(megabytes * 1024 * 1024 / 790 / (len(line) + 12))
    members = lambda at: {f"key{n}": line.replace("{0}", str(at)).replace("{1}", str(n)) for n in range(each)}
    template = {
        "$schema": SCHEMA, "contentVersion": "1.0.0.0",
        "parameters": {"team": {"type": "string", "defaultValue": "lab"}}, "variables": {"word": "[concat('Some', 'Word')]"},
        "resources": [{"type": "Contoso.Things/widgets", "apiVersion": "2024-01-01", "name": f"w{at}", "location": "westeurope", "properties": members(at)} for at in range(790)],
    }
    file.write_text(json.dumps(template))
    return file.stat().st_size / 1024 / 1024


def expand(file):
    best, peak = None, 0
    for _ in range(RUNS):
        process = subprocess.Popen([DSVMC, "expand", file], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        spent = (usage.ru_utime + usage.ru_stime) * 1000
        best, peak = min(best or spent, spent), max(peak, usage.ru_maxrss / 1024)
    return best, peak


def main():
    starts, begun, speeds, processor, peaks = [], [], [], [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            process, base, milliseconds, used = start(folder)
            starts.append(milliseconds)
            begun.append(used)
            speeds.append(throughput(base))
            seconds, peak = stop(process)
            processor.append(seconds)
            peaks.append(peak)
    print("# The local endpoint and the template engine\n")
    print(f"`benches/endpoint.py`, minimum and median of {RUNS} runs.\n")
    print("| what | min | median | peak MB |\n|---|---|---|---|")
    middle = lambda values: sorted(values)[len(values) // 2]
    print(f"| endpoint: process start to the first answer, new state and certificate | {min(starts):.0f} ms | {middle(starts):.0f} ms | |")
    print(f"| of that, processor time (counted in steps of 10 ms) | {min(begun):.0f} ms | {middle(begun):.0f} ms | |")
    print(f"| endpoint: 1,000 resources in two deployments over HTTP | {min(speeds):.2f} s | {middle(speeds):.2f} s | {max(peaks):.0f} |")
    print(f"| of that, processor time of the server | {min(processor):.2f} s | {middle(processor):.2f} s | |")
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in (1, 2, 4):
            file = pathlib.Path(folder) / f"{megabytes}.json"
            size = big_template(file, megabytes * 0.98)
            milliseconds, peak = expand(file)
            print(f"| `expand`, template of {size:.1f} MB: processor time | {milliseconds:.0f} ms | | {peak:.0f} |")


main()
