"""The interface by which parts of an indexer read a partition that another part indexes."""

from typing import Protocol

from indexer.seal.pipeline import SealingPipeline
from indexer.state.partition_state import PartitionState
from indexer.state.view import PartitionView
from snapshot.documents.manifest import Manifest


class PartitionReader(Protocol):
    """One partition as it is now. Only the view is immutable."""

    @property
    def number(self) -> int:
        """The partition's number."""

    @property
    def view(self) -> PartitionView | None:
        """The view that is served; None until the partition is resumed for the first time."""

    @property
    def state(self) -> PartitionState | None:
        """Its state machine. Only the follower applies records to it."""

    @property
    def pipeline(self) -> SealingPipeline | None:
        """Its cuts that are not published yet; None while the partition is being resumed."""

    @property
    def stopped_reason(self) -> str | None:
        """Why indexing has stopped, as text."""


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
    """Whether all rows before `offset` are served, and their cuts published."""
    view, pipeline = partition.view, partition.pipeline
    if view is None or pipeline is None or view.live.end_offset < offset:
        return False
    return not pipeline.unpublished(offset)
