"""Several views of one partition, of which each is of another dataset, as if they were one.

A view may be newer than that of another dataset. All are read up to the end of the oldest one.
"""

from collections.abc import Sequence

import msgspec

from common.errors import Unavailable
from query.plan.plan import Plan
from query.share.compute.answer import PartitionCovered
from query.share.view.view import DatasetView


def with_common_ends(plan: Plan, views: Sequence[DatasetView]) -> Plan:
    """The plan that reads each partition up to the end of the oldest of its views.

    Raises Unavailable if a log was replaced meanwhile.
    """
    upto = dict(plan.upto)
    epochs: dict[int, str] = {}
    for view in views:
        if epochs.setdefault(view.partition, view.epoch) != view.epoch:
            raise Unavailable(f"the log of partition {view.partition} was replaced meanwhile")
        upto[view.partition] = min(view.end_offset, upto.get(view.partition, view.end_offset))
    return msgspec.structs.replace(plan, upto=upto)


def covered_together(covered: Sequence[PartitionCovered]) -> list[PartitionCovered]:
    """The coverage of each partition, of those of its datasets."""
    together: dict[int, PartitionCovered] = {}
    for one in covered:
        known = together.get(one.partition)
        together[one.partition] = one if known is None else _both(known, one)
    return list(together.values())


def _both(one: PartitionCovered, other: PartitionCovered) -> PartitionCovered:
    relies_on = dict(one.relies_on)
    for partition, position in other.relies_on.items():
        relies_on[partition] = max(position, relies_on.get(partition, position))
    damaged = (*one.damaged, *(d for d in other.damaged if d not in one.damaged))
    return msgspec.structs.replace(
        one,
        end_offset=min(one.end_offset, other.end_offset),
        watermark_ns=min(one.watermark_ns, other.watermark_ns),
        gaps=one.gaps if len(one.gaps) >= len(other.gaps) else other.gaps,
        unserved=one.unserved + other.unserved,
        complete=one.complete and other.complete,
        reason=one.reason or other.reason,
        undecided=(*one.undecided, *other.undecided),
        relies_on=relies_on,
        damaged=damaged,
        damaged_more=max(one.damaged_more, other.damaged_more),
        given_up=max(one.given_up, other.given_up),
        longer=one.longer or other.longer,
    )
