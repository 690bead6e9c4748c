#!/usr/bin/env python3
"""What it costs to build dsvmc: this tree beside another commit, in the same run; prints Markdown.

  python3 benches/build.py [COMMIT]     COMMIT defaults to the last one of a single crate

Cold release builds and `cargo check` after one line was added, each as processor seconds (user and system of cargo and
all that it starts) and wall seconds. Processor seconds grow when other work shares the caches: run it on an idle machine.
"""
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SINGLE_CRATE = "5bc42c7"
EDITS = {
    "cli": ["src/cli/printer.rs"],
    "sema": ["crates/dsvm-sema/src/fit.rs", "src/sema/fit.rs"],
}


def measure(command, tree, target):
    """(processor seconds, wall seconds) of the command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=tree, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def figures(tree, target):
    """The rows of one tree: what, processor seconds, wall seconds."""
    yield ("release build, cold", *measure(["cargo", "build", "--release", "--locked"], tree, target))
    measure(["cargo", "check"], tree, target)
    for name, places in EDITS.items():
        path = next(tree / place for place in places if (tree / place).exists())
        text = path.read_text()
        runs = []
        try:
            for number in range(3):
                path.write_text(text + f"// {number}\n")
                runs.append(measure(["cargo", "check"], tree, target))
        finally:
            path.write_text(text)
        yield (f"`cargo check` after one line in {name}, median of 3", *sorted(runs)[1])


def main():
    commit = sys.argv[1] if len(sys.argv) > 1 else SINGLE_CRATE
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        trees = {}
        for name, revision in (("then", commit), ("now", "HEAD")):
            tree = scratch / name
            subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=ROOT, check=True)
            trees[name] = tree
        try:
            then = list(figures(trees["then"], scratch / "target-then"))
            now = list(figures(trees["now"], scratch / "target-now"))
        finally:
            for tree in trees.values():
                subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
        print(f"| what | {commit}: processor s | wall s | now: processor s | wall s |\n|---|---|---|---|---|")
        for (what, cpu, wall), (_, new_cpu, new_wall) in zip(then, now):
            print(f"| {what} | {cpu:.1f} | {wall:.1f} | {new_cpu:.1f} | {new_wall:.1f} |")


main()
