"""The status of a partition as JSON. The keys are part of the internal HTTP between roles."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from common import limits
from indexer.partition.partition import Partition
from indexer.seal.partition_reader import last_manifest
from snapshot.damage.damage import events, may_be_of_any_dataset, records
from snapshot.documents.manifest import Damaged


class Writers(NamedTuple):
    """Names of the shredder and the segment encoders that this process uses now."""

    shredder: str
    segment_writer: str


def describe(
    partition: Partition, writers: Writers, unrepaired: Mapping[str, str], now_ns: int
) -> dict[str, object]:
    """The status of a partition.

    unrepaired: segment objects that could not be repaired, and why. now_ns: this machine's clock.
    """
    view, newest = partition.view, last_manifest(partition)
    described: dict[str, object] = {
        "log_start": partition.log_end.bounds.start,
        "log_end": partition.log_end.bounds.end,
        "lag_records": partition.log_end.lag,
        "stopped_reason": partition.stopped_reason,
        "paused": partition.shared.budget.paused(partition.number),
        "shredder": writers.shredder,
        "segment_writer": writers.segment_writer,
        "kernel_expected": partition.shared.kernel_wait.is_expected,
        "ready": view is not None,
        "alarms": partition.alarms.raised,
        "unmended": dict(unrepaired),
        "unpublished": _unpublished(partition),
        "replay": None if partition.replay is None else partition.replay.describe(),
        "set_aside": partition.damage.total,
        "set_aside_records": [
            {"offset": entry.offset, "reason": entry.reason} for entry in partition.damage.newest
        ],
        "divergences": [
            {"ours": one.ours, "published": one.published, "block": str(one.block or "")}
            for one in partition.divergences
        ],
        "last_cut": None
        if newest is None
        else {"end_offset": newest.next_offset, "time_ns": newest.created_ns},
    }
    if view is None:
        return described
    described |= {
        "epoch": view.epoch.log,
        "epoch_number": view.epoch.number,
        "end_offset": view.live.end_offset,
        "live_rows": view.live.rows,
        "live_bytes": view.live.memory_bytes,
        "watermark_ns": view.watermark_ns,
        "sealing": len(view.live.sealing),
        "damaged": _describe_damage(view.damage.missing),
        "given_up": _describe_damage(view.damage.given_up),
        "rerouted": _describe_rerouted(partition, now_ns),
        "segments": sum(len(entries) for entries in view.segments.values()),
        "segment_bytes": sum(
            entry.size_bytes for entries in view.segments.values() for entry in entries
        ),
        "compacted": {
            "outputs": len(view.compacted.all()),
            "segments": sum(len(one.inputs) for one in view.compacted.all()),
            "documents": view.compacted.newest,
        },
        "datasets": sorted({*view.segments, *view.live.datasets}),
        "gaps": [
            {"epoch": gap.epoch, "first": gap.first, "end": gap.end, "reason": gap.reason}
            for gap in view.gaps
        ],
    }
    return described


def _unpublished(partition: Partition) -> dict[str, int]:
    pipeline = partition.pipeline
    if pipeline is None:
        return {"cuts": 0, "bytes": 0}
    return {"cuts": len(pipeline.waiting), "bytes": pipeline.waiting_bytes}


def _describe_rerouted(partition: Partition, now_ns: int) -> dict[str, object]:
    """Undecided batches of a partition, and the partitions that have not answered."""
    state = partition.state
    if state is None:
        return {}
    undecided = state.reroutes.open
    waiting = Counter(other for item in undecided.values() for other in item.unless)
    oldest_ns = min((item.append_ns for item in undecided.values()), default=now_ns)
    return {
        "undecided": len(undecided),
        "oldest_s": max(0, now_ns - oldest_ns) / 1e9,
        "waiting_for": {str(other): many for other, many in sorted(waiting.items())},
        "dropped": len(state.reroutes.view.dropped),
        "voids": state.reroutes.voids,
        "questions_waiting": len(partition.voids),
    }


def _describe_damage(entries: Sequence[Damaged]) -> dict[str, object]:
    """Number of records, number of events if it is known, and the first positions."""
    return {
        "records": records(entries),
        "events": events(entries),
        "places": [
            {
                "epoch_number": one.epoch_number,
                "first": one.first,
                "end": one.end,
                "dataset": "" if may_be_of_any_dataset(one) else one.dataset,
                "events": events((one,)),
                "cause": one.cause,
                "reason": one.reason,
            }
            for one in entries[: limits.SET_ASIDE_SHOWN_MAX]
        ],
    }
