"""Measuring: every system in a process of its own, repetitions interleaved in a seeded order.

One workload after the other. Its systems are prepared, called once to warm up, and then called in
turn, each turn in another order, so that whatever else the machine does falls on all of them
alike. Never two at once. What each wrote is compared with the truth after its last call.
"""

import os
import random
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.harness.inputs import Input, make_input
from benchmarks.harness.results import Repetition, Result, WorkloadInfo
from benchmarks.harness.worker_process import WorkerFailed, WorkerProcess
from benchmarks.systems.base import Group, Prepared, Served, System
from benchmarks.workloads import Workload

_SHARING = (Group.STAGES, Group.YARDSTICKS)
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
    call_s: float = 900.0


@dataclass(slots=True)
class _Measured:
    system: System
    worker: WorkerProcess
    folder: Path
    number: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    repetitions: list[Repetition] = field(default_factory=list)
    spent_s: float = 0.0
    problem: str = ""

    @property
    def is_sharing(self) -> bool:
        """Whether its process does the work of others too."""
        return self.system.group in _SHARING


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
    with ExitStack() as workers:
        workers.callback(shutil.rmtree, plan.folder, ignore_errors=True)
        made = make_input(workload, plan.seed, events, plan.folder / "input")
        info = WorkloadInfo(
            name=workload.name,
            note=workload.note,
            events=events,
            text_bytes=made.text_bytes,
            body_events=workload.body_events,
            depth=workload.depth,
            load_before=round(os.getloadavg()[0], 2),
            along=workload.along,
            events_full=workload.events,
        )
        measured = _start(plan, systems, workers)
        _prepare(plan, workload, made, measured, say)
        _repeat(plan, workload, measured, say)
        return info, [_result(workload, one, made) for one in measured]


def _start(plan: Plan, systems: Sequence[System], workers: ExitStack) -> list[_Measured]:
    """A process for each system, and one for all steps: their own memory says nothing."""
    shared: WorkerProcess | None = None
    measured = []
    for number, system in enumerate(systems):
        folder = plan.folder / f"system-{number}"
        (folder / "own").mkdir(parents=True)
        is_sharing = system.group in _SHARING
        worker = shared if is_sharing else None
        if worker is None:
            worker = WorkerProcess(folder, plan.call_s)
            workers.callback(worker.close)
        if is_sharing:
            shared = worker
        measured.append(_Measured(system, worker, folder / "own"))
    return measured


def _prepare(
    plan: Plan, workload: Workload, made: Input, measured: list[_Measured], say: Say
) -> None:
    """All of them, as many at once as there are cores: nothing is timed yet."""

    def prepare(some: list[_Measured]) -> None:
        for one in some:
            say(f"{workload.name}: preparing {one.system.name}")
            prepared = _prepared(plan, workload, made, one.folder)
            try:
                one.number, done = one.worker.prepare(one.system, prepared)
                one.settings = done.settings
            except WorkerFailed as error:
                one.problem = f"could not be prepared: {error}"

    by_worker: dict[int, list[_Measured]] = {}
    for one in measured:
        by_worker.setdefault(id(one.worker), []).append(one)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(prepare, by_worker.values()))


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
                found = one.worker.run(one.number).repetition
            except WorkerFailed as error:
                one.problem, one.repetitions = str(error), []
                continue
            one.spent_s += time.monotonic() - began
            if number and found is not None:
                one.repetitions.append(_without_memory(found) if one.is_sharing else found)


def _without_memory(found: Repetition) -> Repetition:
    return msgspec.structs.replace(found, peak_rss_bytes=0)


def _result(workload: Workload, one: _Measured, made: Input) -> Result:
    names = (workload.name, one.system.name, one.system.group.value)
    if one.problem:
        return Result(*names, settings=one.settings, problem=one.problem)
    try:
        written = one.worker.written(one.number).written
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
