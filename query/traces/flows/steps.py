"""The steps of a population: one row per event, sorted by instance and start, as numpy arrays.

An *instance* is what goes through steps: a trace, a request, a job. Texts are numbers here, so that
millions of steps need no object each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_MS_NS: Final = 1_000_000
NONE: Final = -1  # the number of a text that is missing


@dataclass(frozen=True, slots=True)
class StepColumns:
    """The columns that steps are made of, of equal length, in any order.

    instance, step, process, next_step: texts; null where missing. Rows without an instance or a
        step are left out. next_step: what the event says comes next; "" that nothing does.
    start_ns: int64, unix ns. duration_ms: double, null for what has none.
    error: bool. announced: bool, whether the event tells that a step began.
    trace_id, span_id, parent_id: texts, null where missing.
    """

    instance: pa.ChunkedArray
    step: pa.ChunkedArray
    start_ns: pa.ChunkedArray
    duration_ms: pa.ChunkedArray
    error: pa.ChunkedArray
    announced: pa.ChunkedArray
    process: pa.ChunkedArray
    next_step: pa.ChunkedArray
    trace_id: pa.ChunkedArray
    span_id: pa.ChunkedArray
    parent_id: pa.ChunkedArray


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps sorted by instance, then start, then longer ones first, so that a step comes before
    those within it.

    instance, step, process, next_step, trace: int64 numbers of texts, NONE if missing.
    start_ns, end_ns: int64. An end equals the start where the event has no duration.
    has_duration, error, announced: bool. root: whether it is a span without a parent.
    parent: int64, first row with the id of the step's parent; NONE if it is not among the steps.
    same_id: int64, first row with the step's own id; NONE without an id.
    instances, names, processes, traces: the texts. next_step counts as names do; `ENDS` is "".
    """

    instance: Ints
    step: Ints
    start_ns: Ints
    end_ns: Ints
    has_duration: Flags
    error: Flags
    announced: Flags
    root: Flags
    process: Ints
    next_step: Ints
    trace: Ints
    parent: Ints
    same_id: Ints
    instances: Sequence[str]
    names: Sequence[str]
    processes: Sequence[str]
    traces: Sequence[str]

    def __len__(self) -> int:
        return len(self.instance)

    @property
    def first_of_instance(self) -> Flags:
        """Whether a row is its instance's first."""
        first = np.ones(len(self), np.bool_)
        first[1:] = self.instance[1:] != self.instance[:-1]
        return first

    @property
    def last_of_instance(self) -> Flags:
        """Whether a row is its instance's last."""
        last = np.ones(len(self), np.bool_)
        last[:-1] = self.instance[1:] != self.instance[:-1]
        return last

    @property
    def instance_count(self) -> int:
        """Instances with at least one step."""
        return int(np.count_nonzero(self.first_of_instance))


def make_steps(columns: StepColumns) -> Steps:
    """The steps of rows in any order. Of equal ids, the finished step takes the place of the one
    that was announced, and a row that is there twice counts twice: it was sent twice.
    """
    keep = pc.and_(pc.is_valid(columns.instance), pc.is_valid(columns.step))
    kept = [getattr(columns, name).filter(keep) for name in StepColumns.__slots__]
    rows = StepColumns(*kept)
    start_ns = _integers(rows.start_ns)
    duration = rows.duration_ms
    has_duration = _flags(pc.is_valid(duration))
    length_ms = np.asarray(pc.fill_null(duration, 0.0).to_numpy(), np.float64)
    end_ns = start_ns + _nanoseconds(length_ms, start_ns)
    announced = _flags(rows.announced)
    instance, instances = _encoded(rows.instance)
    both = pa.chunked_array([*rows.step.chunks, *rows.next_step.chunks], pa.string())
    numbers, names = _sorted(*_encoded(both))
    count = len(start_ns)
    step, next_step = numbers[:count], numbers[count:]
    process, processes = _encoded(rows.process)
    trace, traces = _encoded(rows.trace_id)
    ids = _ids(trace, rows.span_id)
    root = _flags(pc.and_(pc.is_valid(rows.span_id), pc.is_null(rows.parent_id)))
    finished = pc.filter(ids, pa.array(~announced))
    superseded = announced & _flags(pc.is_in(ids, value_set=finished))
    superseded &= _flags(pc.is_valid(ids))
    order = np.lexsort((-end_ns, start_ns, instance))
    order = order[~superseded[order]]
    ids = ids.take(pa.array(order))
    same_id = pc.fill_null(pc.index_in(ids, value_set=ids, skip_nulls=True), NONE)
    parents = _ids(trace, rows.parent_id).take(pa.array(order))
    parent = pc.fill_null(pc.index_in(parents, value_set=ids, skip_nulls=True), NONE)
    return Steps(
        instance=instance[order],
        step=step[order],
        start_ns=start_ns[order],
        end_ns=end_ns[order],
        has_duration=has_duration[order],
        error=_flags(rows.error)[order],
        announced=announced[order],
        root=root[order],
        process=process[order],
        next_step=next_step[order],
        trace=trace[order],
        parent=_integers(parent),
        same_id=_integers(same_id),
        instances=instances,
        names=names,
        processes=processes,
        traces=traces,
    )


def _nanoseconds(length_ms: Floats, start_ns: Ints) -> Ints:
    """Durations in ns: not below 0, and so that no end is beyond the int64 range."""
    room = np.iinfo(np.int64).max - np.maximum(start_ns, 0)
    wanted = np.nan_to_num(np.maximum(length_ms, 0.0), nan=0.0) * _MS_NS
    found: Ints = np.minimum(wanted, 9e18).round().astype(np.int64)
    found_ns: Ints = np.minimum(found, room)
    return found_ns


def _integers(values: pa.ChunkedArray | pa.Array) -> Ints:
    return np.asarray(values.to_numpy(zero_copy_only=False), np.int64)


def _flags(values: pa.ChunkedArray | pa.Array) -> Flags:
    return np.asarray(values.to_numpy(zero_copy_only=False), np.bool_)


def _encoded(texts: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Each text's number, and the texts by their numbers."""
    encoded = texts.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    numbers = pc.fill_null(encoded.indices, NONE)
    return _integers(numbers), encoded.dictionary.to_pylist()


def _sorted(numbers: Ints, texts: list[str]) -> tuple[Ints, list[str]]:
    """The same with the texts in their order, which pairs of two populations have in common."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.full(len(texts) + 1, NONE, np.int64)  # the last element is that of NONE
    rank[order] = np.arange(len(texts))
    return rank[numbers], [texts[at] for at in order]


def _ids(trace: Ints, span: pa.ChunkedArray) -> pa.Array:
    """One text per row for a span in its trace; null without one."""
    prefix = pc.cast(pa.array(trace), pa.string())
    joined = pc.binary_join_element_wise(prefix, span.combine_chunks(), ".")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
