#!/usr/bin/env python3
"""Measures `dsvmc simulate` as a whole process, beside the same pool in SimPy, a general library for discrete events.

usage: benches/simulate.py PATH-OF-DSVMC [--python PYTHON-WITH-SIMPY]

Prints wall time and peak memory: one pool over a year, one with a formula, 1,000 pools over a week; and
proofs. SimPy's model has the same people, machines,
rules and cooldown for one pool over a year; it runs once.
"""
import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

HEAD = """import std.images
import std.sizes
project lab {{ location = westeurope }}
param key: ssh_key
env prod {{ }}
"""
POOL = """
pool p{n}: interactive {{
  image    = images.ubuntu_2204
  size     = sizes.Standard_D4s_v5
  machines = 1..10 initially 1
  admin {{ name = "dsvmuser", key = key }}
  allow ssh from [203.0.113.0/24]
  autoscale {{
    timezone = "W. Europe Standard Time"
    when avg(cpu, 10 min) > 70% {{ add 1, cooldown 10 min }}
    when avg(cpu, 10 min) < 30% {{ remove 1, cooldown 10 min }}
    schedule workday {{ on mon..fri from 08:00 to 19:00, machines = 2..10 }}
  }}
}}
"""

NODES = """
pool nodes: batch {
  service  = azure_batch
  image    = images.ubuntu_hpc
  size     = sizes.Standard_D4s_v5
  machines = 0..10
  autoscale every 5 min { target = ceil(avg(pending_tasks, 10 min)) }
}
"""
WIDE = POOL.replace("1..10", "1..50").replace("2..10", "2..50")


def measure(command, folder):
    start = time.perf_counter()
    done = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.communicate()
    wall = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(err.decode())
    return wall, out


def peer():
    """The pool of the year in SimPy: prints people, machine hours and seconds."""
    import random

    import simpy

    random.seed(1)
    minutes, cores = 365 * 1440, 4.0
    env = simpy.Environment()
    machines = []  # [ready, load]
    paid = [0]
    start = time.perf_counter()

    def order():
        machines.append([env.now + random.choice([5, 5, 5, 6]), 0.0])

    def person(stay):
        while True:
            ready = [m for m in machines if m[0] <= env.now]
            if ready:
                break
            yield env.timeout(1)
        machine = min(ready, key=lambda m: m[1])
        machine[1] += 0.6
        yield env.timeout(stay)
        machine[1] -= 0.6

    def people():
        for day in range(365):
            if (day + 3) % 7 < 5:
                for _ in range(30):
                    late = random.randrange(60)
                    env.process(later(day * 1440 + 420 + late, 600 - late - random.randrange(60)))
            yield env.timeout(0)

    def later(at, stay):
        yield env.timeout(at - env.now)
        yield env.process(person(stay))

    def autoscale():
        window, last = [], -100
        while True:
            ready = [m for m in machines if m[0] <= env.now]
            window.append(sum(min(m[1] / cores, 1) for m in ready) / len(ready) * 100 if ready else 0)
            del window[:-10]
            mean, have = sum(window) / len(window), len(machines)
            work = (env.now // 1440 + 3) % 7 < 5 and 420 <= env.now % 1440 < 1080
            least = 2 if work else 1
            if have < least:
                order()
            elif env.now - last >= 10 and mean > 70 and have < 10:
                order()
                last = env.now
            elif env.now - last >= 10 and mean < 30 and have > least and mean * have / (have - 1) <= 70:
                machines.pop()
                last = env.now
            paid[0] += len(machines)
            yield env.timeout(1)

    order()
    env.process(people())
    env.process(autoscale())
    env.run(until=minutes)
    print(json.dumps({"hours": paid[0] / 60, "seconds": time.perf_counter() - start}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dsvmc")
    parser.add_argument("--python")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return peer()
    dsvmc = str(pathlib.Path(args.dsvmc).resolve())
    print("| what | wall s (min of 5) | peak MB |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "one.dsvm").write_text(HEAD.format() + POOL.format(n=0))
        (place / "tree").mkdir()
        for project in range(50):
            pools = "".join(POOL.format(n=n) for n in range(20))
            (place / "tree" / f"p{project:02}.dsvm").write_text(HEAD.format().replace("lab", f"lab{project}") + pools)
        (place / "nodes.dsvm").write_text(HEAD.format() + NODES)
        (place / "wide.dsvm").write_text(HEAD.format() + WIDE.format(n=0))
        jobs = ["--workload", "batch of 100 at 02:00 daily for 1 h", "--format", "json"]
        teams = str(pathlib.Path(__file__).resolve().parent.parent / "examples" / "03-teams")
        year = ["--from", "2026-01-01", "--days", "365"]
        office = ["--workload", "office of 30", "--format", "json"]
        for what, more in [
            ("`check` of the same pool", ["check", "one.dsvm"]),
            ("one pool over a year, by the minute", ["simulate", "one.dsvm", *year, *office]),
            ("one pool with a formula every 5 minutes over a year", ["simulate", "nodes.dsvm", *year, *jobs]),
            ("the same for people, who come and go all day", ["simulate", "nodes.dsvm", *year, *office]),
            ("1,000 pools over a week", ["simulate", "tree", "--from", "2026-11-30", *office]),
            ("`prove` of examples/03-teams", ["prove", teams]),
            ("`prove` of a pool of 1 to 50 machines", ["prove", "wide.dsvm"]),
        ]:
            walls = [measure([dsvmc, *more], place)[0] for _ in range(5)]
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
            print(f"| {what} | {min(walls):.3f} | {peak} |", flush=True)
    if args.python:
        wall, out = measure([args.python, __file__, dsvmc, "--peer"], ".")
        print(f"| peer: SimPy, the same pool over a year | {wall:.3f} | |")
        print(f"\nSimPy pays {json.loads(out)['hours']:,.0f} machine hours.")


if __name__ == "__main__":
    main()
