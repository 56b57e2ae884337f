"""Events missing from an answer because they expired before their time (I7, I13). Pure."""

from collections.abc import Iterable, Mapping

from query.share.view.view import ViewRequest
from snapshot.documents.manifest import DatasetTombstone
from snapshot.retention.document import Expired, Retention


def expired_early(
    documents: Iterable[Retention],
    dataset: str,
    wanted: ViewRequest,
    tombstones: Mapping[str, DatasetTombstone],
    now_ns: int,
) -> int | None:
    """Number of the dataset's events that these documents expired too early and that may be in the
    range. None: not known, because a document of an older version lacks it.

    tombstones: tombstones of deleted datasets.
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
            and not _is_deleted(one, tombstones.get(dataset))
        )
    return rows


def _is_deleted(one: Expired, tombstone: DatasetTombstone | None) -> bool:
    if tombstone is None:
        return False
    return (one.epoch_number, one.end_offset) <= (tombstone.epoch_number, tombstone.offset)
