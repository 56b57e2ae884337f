"""The process that a system is measured in, for one workload. Started by
`benchmarks.harness.runner`.

It is told what to do by lines of JSON on its standard input and answers with lines of JSON on
what was its standard output; whatever libraries print goes to standard error. It imports nothing
but what its systems need, so that its memory is theirs.
"""

import gc
import os
import pickle
import sys
import time
import traceback
from typing import Any

import msgspec

from benchmarks.harness.processes import Meter
from benchmarks.harness.results import Repetition
from benchmarks.systems.base import Prepared, Served, System, Written


class Task(msgspec.Struct, frozen=True):
    """What to do: `prepare`, `run` or `written`. number: of the system, in the order they came.

    system, prepared: with `prepare` alone, a new system (pickled) and its input.
    """

    do: str
    number: int
    system: bytes = b""
    prepared: Prepared | None = None


class Done(msgspec.Struct, frozen=True):
    """How it went. error: empty, or the exception's text."""

    error: str = ""
    settings: dict[str, Any] = {}
    repetition: Repetition | None = None
    written: Written | None = None


def decode_task(line: bytes) -> Task:
    """A task as it came; paths come as text."""
    return msgspec.json.decode(line, type=Task, dec_hook=lambda kind, value: kind(value))


def work(systems: dict[int, System], task: Task, meter: Meter) -> Done:
    """Do one thing. Raises whatever the system raises."""
    if task.prepared is not None:
        system: System = pickle.loads(task.system)  # the runner's own
        system.prepare(task.prepared)
        systems[task.number] = system
        return Done(settings=dict(system.settings()))
    system = systems[task.number]
    if task.do == "written":
        return Done(written=system.written())
    if isinstance(system, Served):
        system.reset()
        found = _measured(system, Meter(system.processes))
        return Done(repetition=msgspec.structs.replace(found, figures=system.finish()))
    return Done(repetition=_measured(system, meter))


def _measured(system: System, meter: Meter) -> Repetition:
    gc.collect()
    meter.begin()
    began = time.perf_counter()
    system.run()
    return meter.end(time.perf_counter() - began)


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    systems: dict[int, System] = {}
    meter = Meter()
    for line in sys.stdin.buffer:
        try:
            done = work(systems, decode_task(line), meter)
        except Exception as error:  # noqa: BLE001 - a peer may raise anything; it is reported
            traceback.print_exc()
            done = Done(error=f"{type(error).__name__}: {error}")
        answers.write(msgspec.json.encode(done, enc_hook=str) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
