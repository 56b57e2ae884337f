"""Summaries of segments in the object store: derived objects, made again when missing (I4).

The key of a summary is that of its segment's object but for the prefix. No document names it: it is
there with its segment, and deleted with it (`snapshot.documents.locations.delete_segment`).
"""

from pathlib import Path
from typing import Final, NamedTuple

from common import limits
from common.errors import ObjectMissing
from common.objects import ObjectStore
from segment.parquet.encoders import Encoders
from segment.summary.compute import summarize_file
from segment.summary.summary import NoSummary, SegmentSummary, is_newer_format
from snapshot.documents.locations import summary_key
from snapshot.documents.manifest import SegmentEntry

# Below, a segment is read from memory when it is asked again (query.share.sources.small_segments).
SUMMARY_ROWS_MIN: Final = 1_025


def may_have_summary(entry: SegmentEntry, rows_min: int = SUMMARY_ROWS_MIN) -> bool:
    """Whether a summary is made for that segment: not within a pack, and not for few rows, unless
    these are large: what their fields hold would be read of them for each list of fields.
    """
    large = entry.size_bytes > limits.FIELD_FACTS_SEGMENT_BYTES
    return (entry.rows >= rows_min or large) and not entry.pack


class Stored(NamedTuple):
    """What the store has for a segment.

    summary: the summary; None: there is none that can be used.
    replaceable: whether what is there may be replaced: it is damaged, of an older format, or of a
        program that knew nothing of texts.
    size_bytes: of what is there; why: it cannot be used.
    """

    summary: SegmentSummary | None
    replaceable: bool = False
    size_bytes: int = 0
    why: str = ""


def load_summary(objects: ObjectStore, object_hash: str) -> Stored:
    """The summary that the store has. Blocks. Raises ObjectsUnavailable."""
    try:
        data = objects.get(summary_key(object_hash))
    except ObjectMissing:
        return Stored(None)
    try:
        summary = SegmentSummary.decode(data, object_hash)
        is_older = summary.complete and not summary.is_of_texts
        return Stored(summary, replaceable=is_older, size_bytes=len(data))
    except NoSummary as error:
        return Stored(None, not is_newer_format(data), len(data), str(error))


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
