"""The undecided batches that an answer counts: a pure function of the shares' positions (I2).

A batch is undecided in a partition while another partition may hold a copy that counts. It counts
there unless a partition that it names holds it before the end of its own share. In that partition
the batch counts, or is undecided and the same rule applies. Copies of a batch name each other in
one direction only, so exactly one counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from common.model.reroute import EpochOffset
from common.process.versions import VersionedRequest


class UndecidedBatch(msgspec.Struct, frozen=True):
    """An undecided batch of a share.

    batch: id of the batch, hex.
    position: (epoch number, offset) of its record; `place` in the bytes of an answer.
    append_ns: append time of its record, in unix ns.
    unless: partitions; the batch does not count here if one of these holds it.
    """

    batch: str
    position: tuple[int, int] = msgspec.field(name="place")
    append_ns: int
    unless: tuple[int, ...]


class BatchLookup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request whether a partition holds a batch (hex).

    append_ns: when its record was appended to the other partition, in unix ns.
    """

    batch: str
    append_ns: int


class BatchLookupRequest(VersionedRequest, frozen=True):
    """Body of `POST /internal/held`.

    ends: by partition, (epoch number, end offset) of its share.
    asked: the batches to look up, by partition.
    """

    ends: dict[int, tuple[int, int]]
    asked: dict[int, tuple[BatchLookup, ...]]


class BatchLookupResponse(msgspec.Struct, frozen=True):
    """Answer of `POST /internal/held`.

    held: by partition, the batches that count or may count there before the end of its share.
    unknown: by partition, why this indexer cannot decide now.
    """

    held: dict[int, list[str]]
    unknown: dict[int, str] = {}


@dataclass(frozen=True, slots=True)
class Share:
    """The share of one partition.

    end: the position before which it ends.
    undecided: batches that may count in another partition.
    relies_on: by partition, the position that the batches dropped here rely on.
    """

    end: EpochOffset
    undecided: Sequence[UndecidedBatch] = ()
    relies_on: Mapping[int, EpochOffset] | None = None


def lagging_shares(shares: Mapping[int, Share]) -> dict[int, EpochOffset]:
    """Positions that another share relies on and the partition's own lacks, by partition."""
    needed: dict[int, EpochOffset] = {}
    for share in shares.values():
        for partition, position in (share.relies_on or {}).items():
            other = shares.get(partition)
            if other is not None and other.end <= position:
                needed[partition] = max(position, needed.get(partition, position))
    return needed


def batch_lookups(shares: Mapping[int, Share]) -> dict[int, list[BatchLookup]]:
    """The lookups for each partition with a share; a partition without one counts no batch."""
    asked: dict[int, dict[BatchLookup, None]] = {}
    for share in shares.values():
        for item in share.undecided:
            for partition in item.unless:
                if partition in shares:
                    one = BatchLookup(item.batch, item.append_ns)
                    asked.setdefault(partition, {})[one] = None
    return {partition: list(some) for partition, some in asked.items()}


def batches_that_count(
    shares: Mapping[int, Share], held: Mapping[int, Collection[str]]
) -> dict[int, list[tuple[int, int]]]:
    """The positions of the undecided batches that count, by partition.

    held: by partition, the batches that it holds before the end of its share.
    """
    undecided = {p: {item.batch for item in share.undecided} for p, share in shares.items()}
    chosen: dict[int, list[tuple[int, int]]] = {}
    for partition, share in shares.items():
        for item in share.undecided:
            counts_in_other = any(
                item.batch in held.get(other, ()) or item.batch in undecided.get(other, ())
                for other in item.unless
            )
            if not counts_in_other:
                chosen.setdefault(partition, []).append(item.position)
    return chosen
