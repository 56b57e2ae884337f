"""Which partition a record goes to. Random spreads load; health comes with the cluster."""

import random
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """A partition and, in a word, why it was chosen (the record's `via`)."""

    partition: int
    via: str


class Placement(Protocol):
    """Chooses partitions and hears how appends went."""

    def choose(self, dataset_id: str) -> Place:
        """A partition for a record of this dataset."""

    def choose_for_batch(self, dataset_id: str, batch: bytes) -> Place:
        """The partition of a batch that the client named: the same for every repetition."""

    def report(self, partition: int, ok: bool) -> None:
        """An append to the partition succeeded or failed."""


class RandomPlacement:
    """Any partition, evenly."""

    def __init__(self, partitions: int, rng: random.Random) -> None:
        self._partitions = partitions
        self._random = rng

    def choose(self, dataset_id: str) -> Place:
        return Place(self._random.randrange(self._partitions), "random")

    def choose_for_batch(self, dataset_id: str, batch: bytes) -> Place:
        return Place(int.from_bytes(batch[:8]) % self._partitions, "batch-id")

    def report(self, partition: int, ok: bool) -> None:
        return None
