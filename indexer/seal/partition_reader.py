"""What the parts of an indexer may read of a partition that another part indexes."""

from typing import Protocol

from indexer.seal.pipeline import SealingPipeline
from indexer.state.partition_state import PartitionState
from indexer.state.view import PartitionView
from snapshot.documents.manifest import Manifest


class PartitionReader(Protocol):
    """One partition. Everything is as of now; only the view stays as it is when it is kept."""

    @property
    def number(self) -> int:
        """The partition's number."""

    @property
    def view(self) -> PartitionView | None:
        """What is served now; None until the partition is resumed for the first time."""

    @property
    def state(self) -> PartitionState | None:
        """What its records mean. Only the follower applies records to it."""

    @property
    def pipeline(self) -> SealingPipeline | None:
        """Its cuts that are not published yet; None while the partition is being resumed."""

    @property
    def stopped_reason(self) -> str | None:
        """Why it is not indexed any further, in words."""


def covered_end(partition: PartitionReader) -> int:
    """The first offset of the present epoch that no published cut covers."""
    view, newest = partition.view, last_manifest(partition)
    if view is None:
        return 0
    is_of_epoch = newest is not None and newest.epoch_number == view.epoch.number
    return newest.next_offset if newest and is_of_epoch else view.epoch.first_offset


def last_manifest(partition: PartitionReader) -> Manifest | None:
    """The newest published manifest; None while the partition is being resumed, too."""
    return None if partition.pipeline is None else partition.pipeline.last_manifest


def is_published(partition: PartitionReader, offset: int) -> bool:
    """Whether everything before `offset` is served, and each cut of it published."""
    view, pipeline = partition.view, partition.pipeline
    if view is None or pipeline is None or view.live.end_offset < offset:
        return False
    return not pipeline.unpublished(offset)
