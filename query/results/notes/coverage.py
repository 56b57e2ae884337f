"""What an answer covers, by partition, as its JSON says it (I7)."""

from dataclasses import dataclass
from typing import Any

from common import limits
from common.model.position import Position
from query.scatter.receipts import unmet_positions
from query.scatter.reconcile import ReconciledTotals
from query.share.view.damaged import describe


def coverage_of(
    reconciled: ReconciledTotals, others: list[Position], numbers: range, now_ns: int
) -> dict[str, Any]:
    """The rows that the answer includes, by partition. Watermarks are at most now_ns (I7)."""
    latest_ns = now_ns + limits.LOG_AHEAD_MAX_NS
    gathered, partitions = reconciled.gathered, list[dict[str, Any]]()
    for partition in numbers:
        counted = gathered.answered.get(partition)
        if counted is None:
            reason = gathered.missing.get(partition, "no indexer answered for it")
            partitions.append({"partition": partition, "complete": False, "reason": reason})
            continue
        covered = counted.covered
        partitions.append(
            {
                "partition": partition,
                "epoch": covered.epoch,
                "end_offset": covered.end_offset,
                "watermark": min(covered.watermark_ns, latest_ns),
                "indexer": counted.indexer.instance,
                "zone": counted.indexer.zone,
                "gaps": [list(gap) for gap in covered.gaps],
                "unserved": covered.unserved,
                "undecided": reconciled.undecided.get(partition, 0),
                "damaged": [describe(one) for one in covered.damaged],
                "damaged_records": covered.damaged_more
                + sum(one.end - one.first for one in covered.damaged),
                "given_up_records": covered.given_up,
                "complete": covered.complete and partition not in reconciled.incomplete,
                "reason": covered.reason or reconciled.incomplete.get(partition, ""),
            }
        )
        if covered.longer:
            partitions[-1]["longer_spans"] = True
        if covered.watermark_ns > latest_ns:
            partitions[-1]["log_ahead_s"] = (covered.watermark_ns - now_ns) // 10**9
    shares = {p: counted.covered for p, counted in gathered.answered.items()}
    unmet = unmet_positions(others, shares)
    complete = not unmet and all(p["complete"] for p in partitions)
    coverage: dict[str, Any] = {
        "complete": complete,
        "partitions": partitions,
        "state_bytes": gathered.state_bytes,
        "rows_read": gathered.rows,
        "bytes_read": gathered.size_bytes,
    }
    if unmet:
        coverage["reason"] = "; ".join(unmet)
    return coverage


def notes_on_time(coverage: dict[str, Any]) -> list[str]:
    """Notes about events that end in the range and began before it, and about a log whose time is
    too much later than this process's clock.
    """
    notes = []
    if any(p.get("longer_spans") for p in coverage["partitions"]):
        notes.append(
            "events that last longer than the range may have ended in it: they are filed under"
            " their start, and BY END (`time_axis`) counts them"
        )
    ahead = {p["partition"]: p["log_ahead_s"] for p in coverage["partitions"] if "log_ahead_s" in p}
    if not ahead:
        return notes
    return [
        *notes,
        f"the log's time is up to {max(ahead.values()):,} s ahead of this query role's clock in "
        f"partitions {sorted(ahead)}: a clock is or was wrong, and times of arrival are not to be "
        "believed; no event is left out for it",
    ]


def why_incomplete(coverage: dict[str, Any]) -> str:
    """The refusal of a caller that requires everything."""
    every = [coverage.get("reason"), *(p["reason"] for p in coverage["partitions"])]
    reasons = "; ".join(dict.fromkeys(filter(None, every)))  # each once
    return f"not every partition can be covered now: {reasons[:500]}"


@dataclass(frozen=True, slots=True)
class CoverageRequirement:
    """The coverage that the answer must have.

    after: the positions of a receipt, which the answer must include.
    mode: "wait": wait for these positions; "accept": answer with the available rows; "require":
        503 unless the answer is complete.
    """

    after: tuple[Position, ...] = ()
    mode: str = "wait"
