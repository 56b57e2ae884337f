"""The view that a partition serves now: one value, replaced in one step (I2, I7)."""

import asyncio
from collections.abc import Callable, Iterable

from indexer.state.resync import Resync
from indexer.state.view import PartitionView
from snapshot.documents.manifest import SegmentEntry


class CurrentView:
    """The present view. Readers may keep `now`, which is immutable. Used from one event loop.

    now: None until the partition is resumed for the first time.
    turn: lock held while the next view is derived from the present one.
    """

    def __init__(self) -> None:
        self.now: PartitionView | None = None
        self.turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._hidden: dict[str, SegmentEntry] = {}

    @property
    def present(self) -> PartitionView:
        """The view. Raises Resync before the first one."""
        if self.now is None:
            raise Resync("the partition is not resumed")
        return self.now

    def serve(self, view: PartitionView) -> None:
        """Replace the view; the segments that it hides wait to be expired."""
        if self.now is not None and _hides_the_same(self.now, view):
            self.now = view
            return
        hides = view.hiding.hides
        for entries in view.segments.values():
            self._hidden.update((e.object, e) for e in entries if hides(e))
        self.now = view.without_hidden()

    async def change(self, change: Callable[[PartitionView], PartitionView]) -> PartitionView:
        """Replace the view by a changed one, in one step, and wake the tasks that wait for it."""
        async with self.turn:
            self.serve(change(self.present))
        self.notify()
        return self.present

    def notify(self) -> None:
        """Wake the tasks that wait for progress of the partition."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait for the next `notify`."""
        await self._changed.wait()

    @property
    def hidden(self) -> list[SegmentEntry]:
        """Segments of deleted datasets that are not in a retention document yet."""
        return list(self._hidden.values())

    def forget_hidden(self, expired: Iterable[SegmentEntry]) -> None:
        """Forget these hidden segments, which have expired."""
        for entry in expired:
            self._hidden.pop(entry.object, None)


def _hides_the_same(before: PartitionView, view: PartitionView) -> bool:
    """Whether the view's segments were all shown before and nothing new hides any."""
    return (
        view.segments is before.segments
        and view.expired_objects is before.expired_objects
        and view.dataset_tombstones is before.dataset_tombstones
    )
