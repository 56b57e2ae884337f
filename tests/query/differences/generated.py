"""Generated events with 200 fields, in some of which a planted cause shows; asked without HTTP."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from query.differences.find import ChosenFields, FoundDifferences, find_differences
from query.differences.request import DifferencesRequest, read_differences_request
from query.plan.plan import Plan
from query.share.compute.computation import Computation
from query.share.view.view import DatasetView
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn
from tests.query.share.databases import databases
from tests.query.share.rows import view

START_S = 1_700_000_000
_S_NS = 10**9
SLOW = [{"column": "duration_ms", "op": ">", "value": 500}]
CAUSE = ("build", "host_type", "region")


class LocalSteps:
    """Exchanges with shares that are computed here. ask: the shares of a plan."""

    def __init__(self, views: list[DatasetView]) -> None:
        self._views = views
        self._plan: Plan | None = None
        self.coverage: dict[str, Any] = {}
        self.notes: list[str] = []
        self.latest: dict[str, str] = {}

    def left_s(self) -> float:
        return 600.0

    async def work(self, work: Callable[[], Any]) -> Any:
        return work()

    async def first(self, make_plan: Any, work: Callable[[Any], Any]) -> Any:
        self._plan = make_plan(at_least={}, wait_ms=0, log="")
        return work(self._shares(self._plan))

    async def again(self, change: Callable[[Plan], Plan], work: Callable[[Any], Any]) -> Any:
        assert self._plan is not None
        return work(self._shares(change(self._plan)))

    def _shares(self, plan: Plan) -> list[dict[str, pa.Table]]:
        sent = msgspec.json.decode(msgspec.json.encode(plan), type=Plan)
        answers = [Computation(sent, [one], databases()).run() for one in self._views]
        for answer in answers:
            self.latest |= answer.report.types
        return [answer.states for answer in answers]


def planted(
    seed: int, events: int, share: float, *, fields: int = 200, partitions: int = 1
) -> list[DatasetView]:
    """Partitions of events.

    share: about the part of the events that is slow because of the cause: one build on one host
    type in one region. 3 % of the others are slow for no reason.
    """
    random = np.random.default_rng(seed)
    caused = random.random(events) < share
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name, number in zip(CAUSE, (20, 8, 6), strict=True):
        values = random.integers(0, number, events)
        values[caused] = 3
        columns[name] = np.array([f"{name}-{at}" for at in range(number)])[values]
    together = np.ones(events, bool)
    for name in CAUSE:
        together &= columns[name] == f"{name}-3"
    slow = together | (random.random(events) < 0.03)
    usual = random.lognormal(3, 1, events).clip(0, 400)
    columns["duration_ms"] = np.where(slow, 500 + random.lognormal(5, 1, events), usual)
    columns["duration_s"] = columns["duration_ms"] / 1000
    columns["trace_id"] = np.array([f"{random.integers(0, 2**62):032x}" for _ in range(events)])
    columns["user"] = random.zipf(1.3, events).clip(0, 50_000).astype(np.int64)
    for at in range(fields - len(columns)):
        columns[f"field{at:03d}"] = _noise(at % 5, random, events)
    ends = [events * number // partitions for number in range(partitions + 1)]
    parts = [slice(first, end) for first, end in pairwise(ends)]
    return [view(at, blocks=[_block(columns, random, part)]) for at, part in enumerate(parts)]


def _noise(kind: int, random: np.random.Generator, events: int) -> np.ndarray[Any, Any]:
    if kind == 0:
        return random.choice(np.array(["a", "b", "c", "d"]), events, p=[0.6, 0.3, 0.09, 0.01])
    if kind == 1:
        return np.array([f"value-{n}" for n in range(300)])[random.integers(0, 300, events)]
    if kind == 2:
        return random.lognormal(2, 2, events)
    if kind == 3:
        return random.integers(0, 50, events)
    return random.random(events) < 0.2


def _block(
    columns: dict[str, np.ndarray[Any, Any]], random: np.random.Generator, part: slice
) -> ColumnBlock:
    kinds = {"U": FieldType.STRING, "f": FieldType.FLOAT, "i": FieldType.INT, "b": FieldType.BOOL}
    rows = part.stop - part.start
    held = {}
    for name, values in columns.items():
        key = ColumnKey(name, kinds[values.dtype.kind])
        some = pa.array(values[part].tolist(), key.type.arrow)
        held[key] = SparseColumn(np.arange(rows, dtype=np.uint32), some)
    return ColumnBlock(
        START_S * _S_NS + np.sort(random.integers(0, 3_600 * _S_NS, rows)),
        np.ones(rows, np.int64),
        np.arange(rows, dtype=np.int64),
        np.zeros(rows, np.int32),
        np.zeros(rows, np.bool_),
        held,
    )


def local_steps(views: list[DatasetView]) -> Any:
    """In place of `Steps`."""
    return LocalSteps(views)


class Named:
    """Chooses the fields of a request, or these."""

    def __init__(self, names: list[str]) -> None:
        self._names = names

    async def fields(self, wanted: DifferencesRequest, within_s: float) -> ChosenFields:
        return ChosenFields(wanted.fields or tuple(self._names))


def find(views: list[DatasetView], **body: Any) -> tuple[DifferencesRequest, FoundDifferences]:
    """What `POST /bw/1/differences` finds in all fields."""
    asked = {
        "query": {"start_time": START_S, "end_time": START_S + 3_600},
        "selection": SLOW,
        **body,
    }
    wanted = read_differences_request(asked, "d" * 24, 0)
    names = sorted({key.field for one in views for block in one.blocks for key in block.columns})
    finding: Coroutine[Any, Any, FoundDifferences] = find_differences(
        wanted, Named(names), local_steps(views)
    )
    return wanted, asyncio.run(finding)


def ranking(found: FoundDifferences, wanted: DifferencesRequest) -> list[str]:
    """The names of the fields that are not listed apart, in order."""
    apart = wanted.selection.fields | found.follows.keys()
    return [one.name for one in found.ranked if one.name not in apart]
