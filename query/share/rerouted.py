"""Which undecided batches an answer counts: a pure function of the shares and their positions (I2).

A batch that is open in q counts there unless a partition that it names holds it as well, at the
position of that partition's own share: what is held counts there, or is open there and then judged
by the same rule. Copies of one batch name each other in one direction only, so exactly one counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from common.model.reroute import EpochOffset


class UndecidedBatch(msgspec.Struct, frozen=True):
    """An undecided batch of a share. batch: hex; place: epoch number and offset."""

    batch: str
    place: tuple[int, int]
    append_ns: int
    unless: tuple[int, ...]


class BatchLookup(msgspec.Struct, frozen=True):
    """Whether a partition holds a batch (hex) of a record appended elsewhere at that time."""

    batch: str
    append_ns: int


class BatchLookupRequest(msgspec.Struct, frozen=True):
    """Body of `POST /internal/held`. ends: by partition, epoch number and end offset of the share
    that is in the answer; asked: by partition, the batches in question.
    """

    ends: dict[int, tuple[int, int]]
    asked: dict[int, tuple[BatchLookup, ...]]


class BatchLookupResponse(msgspec.Struct, frozen=True):
    """held: by partition, which of the batches count or may count there before the share's end.
    unknown: by partition, why that cannot be told here now.
    """

    held: dict[int, list[str]]
    unknown: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Share:
    """Of one partition: the position it ends before, what is undecided, what its drops rely on."""

    end: EpochOffset
    open: Sequence[UndecidedBatch] = ()
    relies_on: Mapping[int, EpochOffset] | None = None


def lagging_shares(shares: Mapping[int, Share]) -> dict[int, EpochOffset]:
    """By partition, the place that another share relies on and its own does not include yet."""
    needed: dict[int, EpochOffset] = {}
    for share in shares.values():
        for partition, place in (share.relies_on or {}).items():
            other = shares.get(partition)
            if other is not None and other.end <= place:
                needed[partition] = max(place, needed.get(partition, place))
    return needed


def batch_lookups(shares: Mapping[int, Share]) -> dict[int, list[BatchLookup]]:
    """What each partition is asked. One that has no share in the answer counts nothing."""
    asked: dict[int, dict[BatchLookup, None]] = {}
    for share in shares.values():
        for item in share.open:
            for partition in item.unless:
                if partition in shares:
                    one = BatchLookup(item.batch, item.append_ns)
                    asked.setdefault(partition, {})[one] = None
    return {partition: list(some) for partition, some in asked.items()}


def batches_that_count(
    shares: Mapping[int, Share], held: Mapping[int, Collection[str]]
) -> dict[int, list[tuple[int, int]]]:
    """The places of the undecided batches that count, by partition.

    held: by partition, which batches it said it holds before its share's end.
    """
    undecided = {p: {item.batch for item in share.open} for p, share in shares.items()}
    chosen: dict[int, list[tuple[int, int]]] = {}
    for partition, share in shares.items():
        for item in share.open:
            elsewhere = any(
                item.batch in held.get(other, ()) or item.batch in undecided.get(other, ())
                for other in item.unless
            )
            if not elsewhere:
                chosen.setdefault(partition, []).append(item.place)
    return chosen
