"""Steps of the pool. Each text runs to its end once; a changed text runs again, an unchanged one does not."""

from __future__ import annotations

import hashlib
import os

from . import paths
from .config import Pool, Step
from .state import State
from .system import CommandFailed, Failed, again, remove, run, say, write


def fingerprint(step: Step) -> str:
    """What decides whether a step is the same as before."""
    return hashlib.sha256(step.run.encode()).hexdigest()


def apply(pool: Pool, state: State) -> None:
    """Runs what is new, in order. Raises `Failed` with the name of the step and the end of its output."""
    names = {step.name for step in pool.steps}
    state.steps = {name: mark for name, mark in state.steps.items() if name in names}
    for step in pool.steps:
        if state.steps.get(step.name) == fingerprint(step):
            continue
        say("step " + step.name)
        # A file, not an argument: arguments are visible to everybody on the machine.
        script = os.path.join(paths.LIBRARY, "step")
        write(script, step.run, 0o700)
        try:
            again(
                "step " + step.name,
                lambda: run("bash", "-euo", "pipefail", script, timeout=5400),
                times=1 + step.retries,
            )
        except CommandFailed as error:
            raise Failed("step %s exited with code %d: %s" % (step.name, error.code, error.output or "no output")) from None
        finally:
            remove(script)
        state.steps[step.name] = fingerprint(step)
        state.save()
