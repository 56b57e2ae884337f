"""Whether the manifests of one partition agree about rerouted batches, from cut to cut (I2, I3)."""

from collections.abc import Iterator

from common.model.reroute import EpochOffset
from snapshot.documents.manifest import Checkpoint, Manifest


class ReroutedCheck:
    """Takes the manifests of a chain in order. dropped, undecided: as of the last one."""

    def __init__(self) -> None:
        self.dropped: set[EpochOffset] = set()
        self.undecided: frozenset[EpochOffset] = frozenset()

    def problems(self, manifest: Manifest, *, follows: bool) -> Iterator[str]:
        """What is wrong with the next manifest. follows: the one before it was taken as well."""
        end = EpochOffset(manifest.epoch_number, manifest.next_offset)
        first = EpochOffset(manifest.epoch_number, manifest.first_offset)
        undecided = frozenset(item.place for item in manifest.conditionals_open)
        dropped = [item.place for item in manifest.conditionals_dropped]
        for place in sorted({*undecided, *dropped}):
            if place >= end:
                yield f"batch at {_text(place)} is beyond the cut's end"
            elif follows and place < first and place not in self.undecided:
                yield f"batch at {_text(place)} was decided before, or never conditional"
        for place in dropped:
            if place in self.dropped or place in undecided:
                yield f"batch at {_text(place)} is dropped twice, or undecided as well"
        self.dropped.update(dropped)
        self.undecided = undecided

    def checkpoint_problems(self, checkpoint: Checkpoint) -> Iterator[str]:
        """What is wrong with a checkpoint of the chain. Call it after all manifests."""
        for item in checkpoint.dropped:
            if item.place not in self.dropped:
                yield f"batch at {_text(item.place)} is dropped, and no manifest says so"


def _text(place: EpochOffset) -> str:
    return f"offset {place.offset} of epoch {place.epoch}"
