"""The state of a partition that is carried from cut to cut, rebuilt from its manifests (I3).

The window of batch ids reaches back two hour markers. It is rebuilt from the lists of the
manifests, newest first, so it never depends on one process's memory (I2).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from common import limits
from common.model.reroute import EpochOffset
from snapshot.documents.epochs import FIRST_EPOCH
from snapshot.documents.manifest import (
    ClockStep,
    Conditional,
    Damaged,
    DatasetTombstone,
    HourMarker,
    Manifest,
    ReliedOn,
    VoidInForce,
    unpack_batches,
)
from snapshot.retention.cutoffs import HOUR_NS


@dataclass(frozen=True, slots=True)
class CarriedState:
    """The state from which a partition's state machine starts.

    next_offset: the first offset that is not covered.
    watermark_ns: the log's time (unix ns).
    hour: the newest hour that is over in the log's time and was closed (unix hours).
    windows: batch id -> offset of its first copy. One mapping per stretch between hour markers,
    oldest first; the last one is open.
    datasets: ids of all datasets that the partition has had.
    gone: tombstones of deleted datasets.
    older: epoch numbers of those copies in the windows whose epoch is before `epoch_number`.
    open, voids, relies_on, damaged: as in the manifest.
    marked_by_ns: the newest hour marker was appended at this time or earlier; None: not known.
    It is a bound and not a part of the state, so it is not compared.
    marked_at: the position of that marker; not compared either.
    """

    next_offset: int = 0
    watermark_ns: int = 0
    hour: int | None = None
    windows: tuple[Mapping[bytes, int], ...] = ({},)
    datasets: frozenset[str] = frozenset()
    gone: tuple[DatasetTombstone, ...] = ()
    epoch_number: int = FIRST_EPOCH
    older: Mapping[bytes, int] = field(default_factory=dict)
    open: tuple[Conditional, ...] = ()
    voids: tuple[VoidInForce, ...] = ()
    relies_on: tuple[ReliedOn, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    marked_by_ns: int | None = field(default=None, compare=False)
    marked_at: EpochOffset | None = field(default=None, compare=False)


def carried_state_from(newest_first: Iterable[Manifest]) -> CarriedState:
    """The state at the end of the first manifest; reads no more manifests than it needs."""
    manifests = iter(newest_first)
    newest = next(manifests, None)
    if newest is None:
        return CarriedState()
    windows: list[dict[bytes, int]] = [{}]
    older: dict[bytes, int] = {}
    hour: int | None = None
    marked_by_ns: int | None = None
    marked_at: EpochOffset | None = None
    for manifest in _chain(newest, manifests):
        for item in reversed(_in_order(manifest)):
            if isinstance(item, ClockStep):
                hour = hour_closed_by_step(item) if hour is None else hour
                continue
            if isinstance(item, HourMarker):
                hour = item.hour if hour is None else hour
                if marked_at is None:
                    marked_at = EpochOffset(manifest.epoch_number, item.offset)
                    times = (step.was_ns for step in manifest.clock_steps)
                    marked_by_ns = max(manifest.watermark_ns, *times, 0)
                if len(windows) == limits.BATCH_WINDOW_HOUR_MARKERS:
                    return _carried(newest, hour, marked_by_ns, marked_at, windows, older)
                windows.append({})
                continue
            batch, offset = item
            windows[-1][batch] = offset
            if manifest.epoch_number != newest.epoch_number:
                older[batch] = manifest.epoch_number
    return _carried(newest, hour, marked_by_ns, marked_at, windows, older)


def hour_closed_by_step(step: ClockStep) -> int:
    """The newest closed hour after a clock record set the log's time back.

    It is the last hour that is over in the new time, so that the next hour to end is the next one
    to be closed.
    """
    return step.append_ns // HOUR_NS - 1


def _chain(first: Manifest, rest: Iterator[Manifest]) -> Iterator[Manifest]:
    yield first
    yield from rest


def _in_order(manifest: Manifest) -> list[HourMarker | ClockStep | tuple[bytes, int]]:
    items: list[HourMarker | ClockStep | tuple[bytes, int]] = [
        *manifest.hour_markers,
        *manifest.clock_steps,
        *unpack_batches(manifest.batches),
    ]
    items.sort(key=lambda item: item[1] if isinstance(item, tuple) else item.offset)
    return items


def _carried(
    newest: Manifest,
    hour: int | None,
    marked_by_ns: int | None,
    marked_at: EpochOffset | None,
    windows: list[dict[bytes, int]],
    older: dict[bytes, int],
) -> CarriedState:
    return CarriedState(
        next_offset=newest.next_offset,
        watermark_ns=newest.watermark_ns,
        hour=hour,
        windows=tuple(reversed(windows)),
        datasets=frozenset(newest.datasets),
        gone=tuple(newest.gone),
        epoch_number=newest.epoch_number,
        older=older,
        open=tuple(newest.conditionals_open),
        voids=tuple(newest.voids),
        relies_on=tuple(newest.relies_on),
        damaged=tuple(newest.damaged or ()),  # of older manifests: see `snapshot.damage.damage`
        marked_by_ns=marked_by_ns,
        marked_at=marked_at,
    )
