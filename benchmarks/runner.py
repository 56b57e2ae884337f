"""Measuring: every system in a process of its own, repetitions interleaved in a seeded order.

One workload after the other. Its systems are prepared, called once to warm up, and then called in
turn, each turn in another order, so that whatever else the machine does falls on all of them
alike. Never two at once. What each wrote is compared with the truth after its last call.
"""

import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.inputs import Input, make_input
from benchmarks.results import Repetition, Result, WorkloadInfo
from benchmarks.systems.base import Prepared, Served, System
from benchmarks.worker_process import WorkerFailed, WorkerProcess
from benchmarks.workloads import Workload

Say = Callable[[str], None]  # told of each step before it begins


@dataclass(frozen=True, slots=True)
class Plan:
    """How to measure. folder: emptied and used; cache: kept. events: 0 for each workload's own.

    system_s: after so many seconds of one system on one workload it is not repeated further.
    call_s: a single call that takes longer is given up.
    """

    seed: int
    repetitions: int
    events: int
    folder: Path
    cache: Path
    system_s: float = 60.0
    call_s: float = 150.0


@dataclass(slots=True)
class _Measured:
    system: System
    worker: WorkerProcess
    settings: dict[str, Any] = field(default_factory=dict)
    repetitions: list[Repetition] = field(default_factory=list)
    spent_s: float = 0.0
    problem: str = ""


def steps(plan: Plan, systems: Sequence[System]) -> int:
    """How often `say` is called per workload, if nothing fails."""
    return 1 + len(systems) * (plan.repetitions + 2)


def measure_workload(
    plan: Plan, workload: Workload, systems: Sequence[System], say: Say
) -> tuple[WorkloadInfo, list[Result]]:
    """Every system on one workload."""
    say(f"{workload.name}: making the events")
    shutil.rmtree(plan.folder, ignore_errors=True)
    events = min(plan.events or workload.events, workload.events)
    made = make_input(workload, plan.seed, events, plan.folder / "input")
    info = WorkloadInfo(
        workload.name, workload.note, events, made.text_bytes, workload.body_events, workload.depth
    )
    measured: list[_Measured] = []
    try:
        for number, system in enumerate(systems):
            say(f"{workload.name}: preparing {system.name}")
            folder = plan.folder / f"system-{number}"
            (folder / "own").mkdir(parents=True)
            one = _Measured(system, WorkerProcess(system.name, folder, plan.call_s))
            measured.append(one)
            prepared = _prepared(plan, workload, made, folder / "own")
            try:
                one.settings = one.worker.prepare(prepared).settings
            except WorkerFailed as error:
                one.problem = f"could not be prepared: {error}"
        _repeat(plan, workload, measured, say)
        return info, [_result(workload, one, made) for one in measured]
    finally:
        for one in measured:
            one.worker.close()
        shutil.rmtree(plan.folder, ignore_errors=True)


def _prepared(plan: Plan, workload: Workload, made: Input, folder: Path) -> Prepared:
    return Prepared(
        workload=workload.name,
        lines=made.lines,
        envelopes=made.envelopes,
        folder=folder,
        cache=plan.cache,
        events=made.events,
        text_bytes=made.text_bytes,
        body_events=workload.body_events,
        depth=workload.depth,
        checks=workload.checks,
    )


def _repeat(plan: Plan, workload: Workload, measured: list[_Measured], say: Say) -> None:
    dice = random.Random(plan.seed)
    for number in range(plan.repetitions + 1):  # the first one only warms up
        for one in dice.sample(measured, len(measured)):
            what = f"repetition {number}" if number else "warming up"
            say(f"{workload.name}: {what} of {one.system.name}")
            if not number and isinstance(one.system, Served):
                continue  # its servers are new each time
            if one.problem or (one.repetitions and one.spent_s > plan.system_s):
                continue
            began = time.monotonic()
            try:
                found = one.worker.run().repetition
            except WorkerFailed as error:
                one.problem, one.repetitions = str(error), []
                continue
            one.spent_s += time.monotonic() - began
            if number and found is not None:
                one.repetitions.append(found)


def _result(workload: Workload, one: _Measured, made: Input) -> Result:
    names = (workload.name, one.system.name, one.system.group.value)
    if one.problem:
        return Result(*names, settings=one.settings, problem=one.problem)
    try:
        written = one.worker.written().written
    except WorkerFailed as error:
        text = f"what it wrote cannot be read back: {error}"
        return Result(*names, settings=one.settings, problem=text)
    if written is None:
        raise RuntimeError(f"{one.system.name} did not answer the question")
    return Result(
        *names,
        repetitions=one.repetitions,
        rows=written.rows,
        stored_bytes=written.stored_bytes,
        settings=one.settings,
        wrong=written.differs_from(made.truth),
    )
