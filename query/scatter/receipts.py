"""The positions of a receipt that an answer must include, also after a change of log (I5, I7).

Offsets of two log epochs cannot be compared. A position of the present epoch is waited for. A
position of an earlier epoch was indexed before that log was replaced, or is lost: no wait can help.
"""

from collections.abc import Collection, Iterable, Mapping

from common.model.position import Position
from query.share.compute.answer import PartitionCovered


def split_receipt(
    positions: Iterable[Position], epoch: str, partitions: Collection[int]
) -> tuple[dict[int, int], list[Position]]:
    """(per partition the end offset to wait for in the log `epoch`, all other positions)."""
    at_least: dict[int, int] = {}
    others: list[Position] = []
    for position in positions:
        if position.epoch != epoch or position.partition not in partitions:
            others.append(position)
            continue
        beyond = position.offset + 1
        at_least[position.partition] = max(at_least.get(position.partition, 0), beyond)
    return at_least, others


def unmet_positions(
    positions: Iterable[Position], covered: Mapping[int, PartitionCovered]
) -> list[str]:
    """Why the answer lacks some of these positions, each reason once; empty if it has them all.

    covered: by partition. A partition that is missing makes the answer incomplete already.
    """
    reasons: dict[str, None] = {}
    for position in positions:
        partition = covered.get(position.partition)
        if partition is None:
            reasons[f"partition {position.partition} of the receipt did not answer"] = None
            continue
        ends = {**partition.earlier, partition.epoch: partition.end_offset}
        end = ends.get(position.epoch)
        if end is None:
            reasons["the receipt names positions of another log"] = None
        elif position.offset >= end:
            reasons[f"position {position} was lost with its log"] = None
    return list(reasons)
