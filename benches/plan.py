#!/usr/bin/env python3
"""Figures of `plan` against the local endpoint; prints Markdown rows.

  benches/plan.py [DSVMC]      default: target/release/dsvmc

Makes a project of about 1,000 and one of about 5,000 resources, applies each to an endpoint of its own and plans:
nothing changed, one line changed that reaches every pool. "alone": the endpoint runs as a process of its own, as
`dsvmc local up` starts it, so that time and memory are those of the planner; "with endpoint": it starts inside the plan.
CPU seconds are those of the process, which other work on the machine does not change as it changes the wall clock.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "bench-plan"
DSVMC = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "dsvmc").resolve()
RUNS = int(os.environ.get("RUNS", "3"))


def run(arguments, cwd):
    """(wall seconds, CPU seconds, MB, last line of stdout)"""
    start = time.perf_counter()
    process = subprocess.Popen([DSVMC, *arguments], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    text = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit {process.returncode}")
    wall = time.perf_counter() - start
    lines = [line for line in text.splitlines() if line.startswith(("Plan:", "Nothing"))]
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, (lines or [""])[-1]


def row(what, arguments, cwd):
    runs = [run(arguments, cwd) for _ in range(RUNS)]
    best = lambda i: min(r[i] for r in runs)
    print(f"| {what} | {best(0):.2f} | {best(1):.2f} | {max(r[2] for r in runs):.0f} | {runs[0][3]} |", flush=True)


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    print("| plan | wall s (min) | CPU s (min) | peak MB | it says |\n|---|---|---|---|---|")
    for name, pools in [("1,000", 143), ("5,000", 714)]:
        folder = WORK / name
        subprocess.run([sys.executable, ROOT / "benches" / "corpus.py", folder, "1", str(pools)], check=True)
        project = next(folder.iterdir()).name
        run(["apply", "--yes", "--quiet", "--env", "dev", project], folder)
        plan = ["plan", "--env", "dev", project]
        row(f"{name} resources, nothing changed, with endpoint", plan, folder)
        server = subprocess.Popen([DSVMC, "local", "up", project], cwd=folder, stdout=subprocess.DEVNULL)
        server.wait()
        row(f"{name} resources, nothing changed, alone", plan, folder)
        source = folder / project / "main.dsvm"
        text = source.read_text()
        source.write_text(text.replace("add 1, cooldown 5 min", "add 2, cooldown 5 min"))
        row(f"{name} resources, every autoscale rule changed, alone", plan, folder)
        source.write_text(text)
        subprocess.run([DSVMC, "local", "down", project], cwd=folder, stdout=subprocess.DEVNULL)


main()
