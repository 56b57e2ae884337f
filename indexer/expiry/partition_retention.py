"""The expired rows of one partition: its retention documents, applied to its view.

Compaction documents are read before them and applied in the same step: what an output leaves out
was announced as deleted before.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from indexer.state.current_view import CurrentView
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.compacted import NOTHING_COMPACTED, Compacted
from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.confirmations import ConfirmationBook
from snapshot.retention.document import Retention
from snapshot.retention.retention import RetentionBook


class PartitionRetention:
    """Retention of one partition, for as long as this process holds it.

    book: its retention documents.
    compactions: its compaction documents.
    confirmations: expiry steps that operators have confirmed.
    expired_early: documents that expired events too early, judged by the present trusted time.
    now_ns: the time by which events expire (unix ns).
    applied: number of the newest document of `book` that the view applies.
    stored_ns: newest time in the manifests published before this process (unix ns); None: without
    such manifests.
    """

    def __init__(
        self,
        book: RetentionBook,
        compactions: CompactionBook,
        confirmations: ConfirmationBook,
        views: CurrentView,
        now_ns: Callable[[], int],
    ) -> None:
        self.book = book
        self.compactions = compactions
        self._compacted = NOTHING_COMPACTED  # read before the newest documents of `book`
        self.confirmations = confirmations
        self.expired_early: tuple[Retention, ...] = ()
        self.applied = 0
        self.stored_ns: int | None = None
        self._views = views
        self.now_ns = now_ns

    def check_early(self) -> None:
        """Find documents that expired events too early, by the present trusted time."""
        self.expired_early = tuple(self.book.early_documents(self.now_ns()))

    @property
    def hidden(self) -> list[SegmentEntry]:
        """Segments of deleted datasets that are not in an expiry document yet."""
        return self._views.hidden

    def forget_hidden(self, expired: Iterable[SegmentEntry]) -> None:
        """Forget these hidden segments, which have expired."""
        self._views.forget_hidden(expired)

    def refresh(self) -> Compacted:
        """Read new documents; returns the outputs that may be read with them. Blocks."""
        compacted = self.compactions.refresh()
        self.book.refresh()
        self._compacted = compacted
        return compacted

    def apply(self) -> None:
        """Stop serving segments that the documents expire, and read outputs instead of inputs."""
        book, view, compacted = self.book, self._views.now, self._compacted
        if view is None:
            return
        self.applied = book.number
        if view.expired_objects != book.expired_objects or view.compacted.newest < compacted.newest:
            newest = max(view.compacted, compacted, key=lambda one: one.newest)
            self._views.serve(
                replace(
                    view,
                    expired_objects=book.expired_objects,
                    cutoffs=book.cutoffs,
                    compacted=newest,
                )
            )

    def compact(self, compacted: Compacted) -> None:
        """Read the outputs of a document that this process has published after all others."""
        view = self._views.now
        if view is not None and view.compacted.newest < compacted.newest:
            self._views.serve(replace(view, compacted=compacted))
