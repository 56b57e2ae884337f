"""What has expired of one partition: the documents that say so, and what its view shows of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from indexer.state.current_view import CurrentView
from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.confirmations import ConfirmationBook
from snapshot.retention.retention import Retention, RetentionBook


class PartitionRetention:
    """Of one partition, for as long as this process holds it.

    book: its retention documents.
    confirmations: what operators have confirmed of expiry.
    expired_early: documents that expired something before its time, by what is known of it now.
    now_ns: the time that expiry goes by.
    stored_ns: newest time in the manifests that were there before this process; None: there were
    none.
    """

    def __init__(
        self,
        book: RetentionBook,
        confirmations: ConfirmationBook,
        views: CurrentView,
        now_ns: Callable[[], int],
    ) -> None:
        self.book = book
        self.confirmations = confirmations
        self.expired_early: tuple[Retention, ...] = ()
        self.stored_ns: int | None = None
        self._views = views
        self.now_ns = now_ns

    def check_early(self) -> None:
        """Find what expired too early, by what is known of the time now."""
        self.expired_early = tuple(self.book.early_documents(self.now_ns()))

    @property
    def hidden(self) -> list[SegmentEntry]:
        """Segments of deleted datasets that no document has expired yet."""
        return self._views.hidden

    def forget_hidden(self, expired: Iterable[SegmentEntry]) -> None:
        """These hidden segments have expired and need not be remembered."""
        self._views.forget_hidden(expired)

    def apply(self) -> None:
        """Serve no segment any more that the documents expire."""
        book, view = self.book, self._views.now
        if view is not None and view.expired_objects != book.expired_objects:
            self._views.serve(
                replace(view, expired_objects=book.expired_objects, cutoffs=book.cutoffs)
            )
