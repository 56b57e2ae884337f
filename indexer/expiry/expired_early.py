"""What an answer lacks because it expired before its time (I7, I13). Pure."""

from collections.abc import Iterable, Mapping

from query.share.view import ViewRequest
from snapshot.documents.manifest import GoneEntry
from snapshot.retention.retention import Expired, Retention


def expired_early(
    documents: Iterable[Retention],
    dataset: str,
    wanted: ViewRequest,
    gone: Mapping[str, GoneEntry],
    now_ns: int,
) -> int | None:
    """Events of the dataset that these documents gave up too early, and that may be in the range.

    gone: datasets that were deleted, and up to where. None: a document of an older program is
    among them, which does not tell.
    """
    rows = 0
    for document in documents:
        if not document.writer:
            return None
        rows += sum(
            one.rows
            for one in document.expired
            if one.dataset == dataset
            and one.due_ns > now_ns
            and one.time_max_ns >= wanted.start_ns
            and one.time_min_ns < wanted.end_ns
            and not _is_gone(one, gone.get(dataset))
        )
    return rows


def _is_gone(one: Expired, gone: GoneEntry | None) -> bool:
    if gone is None:
        return False
    return (one.epoch_number, one.end_offset) <= (gone.epoch_number, gone.offset)
