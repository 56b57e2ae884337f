"""Checks that the manifests of one partition are consistent about rerouted batches (I2, I3)."""

from collections.abc import Iterator

from common.model.reroute import EpochOffset
from snapshot.documents.manifest import Checkpoint, Manifest


class ReroutedCheck:
    """Checks the manifests of a chain in their order.

    dropped: positions of all batches that were dropped so far.
    undecided: positions of batches that are undecided in the last manifest.
    """

    def __init__(self) -> None:
        self.dropped: set[EpochOffset] = set()
        self.undecided: frozenset[EpochOffset] = frozenset()

    def problems(self, manifest: Manifest, *, follows: bool) -> Iterator[str]:
        """Problems of the next manifest. follows: its predecessor was the last one checked."""
        end = EpochOffset(manifest.epoch_number, manifest.next_offset)
        first = EpochOffset(manifest.epoch_number, manifest.first_offset)
        undecided = frozenset(item.position for item in manifest.conditionals_open)
        dropped = [item.position for item in manifest.conditionals_dropped]
        for position in sorted({*undecided, *dropped}):
            if position >= end:
                yield f"batch at {_text(position)} is beyond the cut's end"
            elif follows and position < first and position not in self.undecided:
                yield f"batch at {_text(position)} was decided before, or never conditional"
        for position in dropped:
            if position in self.dropped or position in undecided:
                yield f"batch at {_text(position)} is dropped twice, or undecided as well"
        self.dropped.update(dropped)
        self.undecided = undecided

    def checkpoint_problems(self, checkpoint: Checkpoint) -> Iterator[str]:
        """Problems of a checkpoint of the chain. Call it after all manifests."""
        for item in checkpoint.dropped:
            if item.position not in self.dropped:
                yield f"batch at {_text(item.position)} is dropped, and no manifest says so"


def _text(position: EpochOffset) -> str:
    return f"offset {position.offset} of epoch {position.epoch}"
