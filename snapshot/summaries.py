"""Summaries of segments in the object store: derived objects, made again when missing (I4).

The key of a summary is that of its segment's object but for the prefix. No document names it: it is
there with its segment, and deleted with it (`snapshot.documents.locations.delete_segment`).
"""

from pathlib import Path
from typing import NamedTuple

from common.errors import ObjectMissing
from common.objects import ObjectStore
from segment.parquet.encoders import Encoders
from segment.summary.compute import summarize_file
from segment.summary.summary import NoSummary, SegmentSummary, is_newer_format
from snapshot.documents.locations import summary_key


class Stored(NamedTuple):
    """What the store has for a segment.

    summary: the summary; None: there is none that can be used.
    replaceable: whether what is there may be replaced: it is damaged, or of an older format.
    """

    summary: SegmentSummary | None
    replaceable: bool = False


def load_summary(objects: ObjectStore, object_hash: str) -> Stored:
    """The summary that the store has. Blocks. Raises ObjectsUnavailable."""
    try:
        data = objects.get(summary_key(object_hash))
    except ObjectMissing:
        return Stored(None)
    try:
        return Stored(SegmentSummary.decode(data, object_hash))
    except NoSummary:
        return Stored(None, replaceable=not is_newer_format(data))


def make_summary(
    objects: ObjectStore, object_hash: str, file: Path, encoders: Encoders, *, replaceable: bool
) -> SegmentSummary:
    """Make the summary of a segment on this disk, and put it. Blocks.

    replaceable: as in `Stored`. Raises DamagedObject (the segment), ObjectsUnavailable.
    """
    data = summarize_file(file, object_hash, encoders)
    if replaceable:
        objects.replace(summary_key(object_hash), data)
    else:
        objects.put_if_absent(summary_key(object_hash), data)
    return SegmentSummary.decode(data, object_hash)
