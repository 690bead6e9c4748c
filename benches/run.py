#!/usr/bin/env python3
"""Whole-process figures of dsvmc and of a peer in the same run; prints Markdown.

  benches/run.sh            builds the release binary, makes the corpus under target/bench, writes benches/results.md

Each figure is the minimum and median of RUNS runs of the whole process, with the largest resident set. No figure is a test.
"""
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench"
DSVMC = ROOT / "target" / "release" / "dsvmc"
RUNS = int(os.environ.get("RUNS", "10"))


def measure(command, cwd=None, runs=RUNS):
    """(minimum ms, median ms, max MB) of the command; stops when it fails."""
    times, peak = [], 0
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        times.append((time.perf_counter() - start) * 1000)
        peak = max(peak, usage.ru_maxrss)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: exit {process.returncode}\n{error.decode()[:2000]}")
    return min(times), statistics.median(times), peak / 1024


def corpus(name, projects, pools, *kind):
    out = WORK / name
    if not out.exists():
        subprocess.run([sys.executable, ROOT / "benches" / "corpus.py", out, str(projects), str(pools), *kind], check=True)
    return out


def row(what, command, cwd=None, runs=RUNS):
    low, median, memory = measure(command, cwd, runs)
    print(f"| {what} | {low:.1f} | {median:.1f} | {memory:.0f} |", flush=True)
    return low


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    print("# Whole-process speed\n")
    print(f"`benches/run.sh` on {os.cpu_count()} cores, {platform.machine()}, {platform.system()}; minimum and median of {RUNS} runs.\n")
    print("| what | min ms | median ms | peak MB |\n|---|---|---|---|")
    example = ROOT / "examples" / "01-shared-pool"
    out = WORK / "out"
    row("`check` of an example", [DSVMC, "check", example])
    row("`build` of an example", [DSVMC, "build", example, "--out", out / "example"])
    tree = corpus("tree-1000", 50, 20)
    single = corpus("single-1000", 1, 1000)
    big = corpus("tree-10000", 500, 20)
    row("`check`, tree of 50 projects of 20 pools", [DSVMC, "check", tree])
    row("`build`, tree of 50 projects of 20 pools", [DSVMC, "build", tree, "--out", out / "tree"])
    row("`check`, one project of 1,000 pools", [DSVMC, "check", single])
    row("`build`, one project of 1,000 pools", [DSVMC, "build", single, "--out", out / "single"])
    row("`check`, 10,000 pools (500 projects)", [DSVMC, "check", big])
    row("`build`, 10,000 pools (500 projects)", [DSVMC, "build", big, "--out", out / "big"])
    batch = corpus("batch-1000", 50, 20, "batch")
    row("`check`, 1,000 batch pools (50 projects)", [DSVMC, "check", batch])
    row("`build`, 1,000 batch pools (50 projects)", [DSVMC, "build", batch, "--out", out / "batch"])
    batch = corpus("batch-single", 1, 1000, "batch")
    row("`build`, one project of 1,000 batch pools", [DSVMC, "build", batch, "--out", out / "batch-single"])
    row("`lint`, tree of 50 projects of 20 pools", [DSVMC, "lint", "-q", tree])
    subprocess.run([DSVMC, "snapshot", "-q", tree], check=True)
    row("`snapshot --check`, tree of 50 projects of 20 pools", [DSVMC, "snapshot", "--check", tree])
    row("`test`, 1,000 tests of a pool in two envs", [DSVMC, "test", tests()])
    peer(single)


def tests():
    """A project with a thousand tests: each compares a value and a property."""
    out = WORK / "tests.dsvm"
    text = (ROOT / "docs" / "tests.md").read_text().split("```dsvm test\n")[1].split("\ntest ")[0] + "\n"
    for i in range(1000):
        text += f'''
test "t{i}" {{
  env = {["dev", "prod"][i % 2]}
  expect most >= 2
  expect resource "Microsoft.Compute/virtualMachineScaleSets" {{ "sku.capacity" = 1 }}
}}
'''
    out.write_text(text)
    return out


def peer(single):
    """KCL, a typed configuration language with a native compiler, writing the same 1,000 scale sets, if it is installed."""
    python = os.environ.get("KCL_PYTHON")
    if not python:
        print("\nPeer: skipped (set KCL_PYTHON to a Python that has `kcl-lib`).")
        return
    program = WORK / "peer.k"
    names = ", ".join(f'"team{i}"' for i in range(1000))
    program.write_text(f"""
schema Pool:
    name: str
    size: str = "Standard_D8s_v5"
    min: int = 1
    max: int = 10
    check:
        min <= max, "range"

resources = [{{
    type = "Microsoft.Compute/virtualMachineScaleSets"
    name = p.name
    sku = {{name = p.size, capacity = p.min}}
    properties = {{orchestrationMode = "Uniform", tags = {{team = p.name}}}}
}} for p in [Pool {{name = n}} for n in [{names}]]]
""")
    script = WORK / "peer.py"
    script.write_text(f"import kcl_lib.api as a\nprint(len(a.API().exec_program(a.ExecProgramArgs(k_filename_list=[{str(program)!r}])).json_result))\n")
    row("peer: KCL, 1,000 scale sets with one check each (one resource a pool; dsvmc writes about four)", [python, script])


main()
