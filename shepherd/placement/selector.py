"""Selects the partition of a record: a random one of its dataset's healthy partitions.

Pure: time is a parameter. A batch that its client named follows a fixed order instead, and its
`unless` lists every partition of that order before the selected one. So a repetition never counts
twice, through any shepherd (I2).
"""

import random
from collections.abc import Callable, Sequence

import msgspec

from shepherd.placement.health import Health
from shepherd.placement.rendezvous import DatasetRates, rendezvous_order

_BROKERS_WANTED = 3  # a dataset survives two slow ones without being moved


class Placement(msgspec.Struct, frozen=True):
    """A chosen partition.

    via: one word for the reason of the choice (the record's `via`).
    unless: other partitions where the same batch may be or land later (the record's `unless`).
    """

    partition: int
    via: str
    unless: tuple[int, ...] = ()


class Tried(msgspec.Struct, frozen=True):
    """Partitions in which a batch was tried: some certainly lack it, others may have it."""

    refused: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """Every partition that was tried."""
        return self.refused + self.unknown


class PartitionSelector:
    """Chooses partitions by their dataset, its rate, and the health of the log."""

    def __init__(
        self,
        partitions: int,
        leader: Callable[[int], str],
        rng: random.Random,
        now_ns: int,
        named_partitions: int = 0,
    ) -> None:
        self.health = Health(partitions, leader, now_ns)
        self.health.evaluate(now_ns)
        self._leader = leader
        self._random = rng
        self._rates = DatasetRates(partitions)
        self._named_partitions = named_partitions

    @property
    def partitions(self) -> int:
        """The last known number of the log's partitions."""
        return len(self.health.partitions)

    def grow(self, partitions: int, now_ns: int) -> None:
        """Use partitions that were added to the log."""
        if partitions > self.partitions:
            self.health.grow(partitions, now_ns)
            self._rates.grow(partitions)

    def choose(self, dataset_id: str, size: int, now_ns: int) -> Placement:
        """A partition for a new record of this dataset."""
        order, count = self._rates.count_bytes(dataset_id, size, now_ns)
        return Placement(self._random.choice(self._candidates(order, count)), "random")

    def choose_again(self, dataset_id: str, tried: Tried, now_ns: int) -> Placement | None:
        """Another partition for a record that was tried; None when none is left."""
        order, count = self._rates.count_bytes(dataset_id, 0, now_ns)
        left = [p for p in order if p not in tried.all]
        if not left:
            return None
        brokers = {self._leader(p) for p in tried.all}
        elsewhere = [p for p in left if self._leader(p) not in brokers] or left
        partition = self._random.choice(self._candidates(elsewhere, count))
        if tried.unknown:
            return Placement(partition, _because("reroute", tried.unknown), tried.unknown)
        return Placement(partition, _because("refused", tried.refused))

    def choose_named(self, batch: bytes, tried: Tried) -> Placement | None:
        """The first healthy partition of a named batch's order that was not tried yet."""
        order = self._named_order(batch)
        left = [at for at, partition in enumerate(order) if partition not in tried.all]
        if not left:
            return None
        brokers = {self._leader(p) for p in tried.all}
        good = [at for at in left if self._usable(order[at])]
        elsewhere = [at for at in good if self._leader(order[at]) not in brokers]
        at = (elsewhere or good or left)[0]
        if not at:
            return Placement(order[0], "batch-id")
        return Placement(order[at], _because("reroute", order[:at]), order[:at])

    def first_named(self, batch: bytes) -> Placement:
        """The partition of a named batch while all partitions are healthy."""
        return Placement(self._named_order(batch)[0], "batch-id")

    def _named_order(self, batch: bytes) -> tuple[int, ...]:
        """The fixed order of a named batch, over the number of partitions in the settings."""
        return rendezvous_order(batch, min(self._named_partitions or 2**31, self.partitions))

    def _candidates(self, order: Sequence[int], count: int) -> list[int]:
        """The first `count` usable partitions, and more until several brokers lead them."""
        wanted = min(_BROKERS_WANTED, self.health.brokers_in_use)
        found: list[int] = []
        seen: set[str] = set()
        usable = self.health.usable_at
        for partition in order:
            broker = self._leader(partition)
            if not broker or not usable(partition, broker):
                continue
            if len(found) >= count:
                if len(seen) >= wanted:
                    break
                if broker in seen:
                    continue
            found.append(partition)
            seen.add(broker)
        return found or list(order)

    def _usable(self, partition: int) -> bool:
        broker = self._leader(partition)
        return bool(broker) and self.health.usable_at(partition, broker)


def _because(word: str, partitions: Sequence[int]) -> str:
    return f"{word}:{','.join(map(str, partitions))}"
