"""Where a segment's bytes lie in the store: an object of their own, or a range of a pack (I4).

A pack holds the small segments of one cut, one after another. A segment is named by the SHA-256 of
its own bytes in either case.
"""

from pathlib import Path
from typing import NamedTuple

from common.objects import ObjectStore


def segment_key(object_hash: str) -> str:
    """Key of a segment's object: named by its content, so never overwritten."""
    return f"segments/{object_hash[:2]}/{object_hash}.parquet"


def summary_key(object_hash: str) -> str:
    """Key of the summary of a segment (`snapshot.summaries`)."""
    return f"summaries/{object_hash[:2]}/{object_hash}"


def delete_segment(objects: ObjectStore, object_hash: str) -> None:
    """Delete a segment's object, and its summary if it has one. Raises ObjectsUnavailable."""
    objects.delete(segment_key(object_hash))
    objects.delete(summary_key(object_hash))


def pack_key(pack: str) -> str:
    """Key of a pack: named by the SHA-256 of its bytes."""
    return f"packs/{pack[:2]}/{pack}.pack"


class SegmentLocation(NamedTuple):
    """The place of one segment.

    object_hash: SHA-256 of the segment's bytes, hex: its name wherever it lies.
    pack: hash of the pack that holds it; "": it is an object of its own.
    pack_offset: first byte of its range in the pack, which is `size_bytes` long.
    """

    object_hash: str
    size_bytes: int
    pack: str = ""
    pack_offset: int = 0

    @property
    def object_name(self) -> str:
        """Hash of the object that holds it: the pack's, or its own."""
        return self.pack or self.object_hash

    @property
    def key(self) -> str:
        """Key of the object that holds it."""
        return pack_key(self.pack) if self.pack else segment_key(self.object_hash)

    def __str__(self) -> str:
        if not self.pack:
            return self.key
        end = self.pack_offset + self.size_bytes
        return f"{self.object_hash} (bytes {self.pack_offset} to {end} of {self.key})"

    def fetch(self, objects: ObjectStore, target: Path) -> int:
        """Write the segment to `target`; returns its size. The caller checks its hash.

        Raises ObjectMissing, DamagedObject (the pack ends before it), ObjectsUnavailable.
        """
        if not self.pack:
            return objects.fetch(self.key, target)
        objects.fetch_range(self.key, self.pack_offset, self.size_bytes, target)
        return self.size_bytes

    def fetch_object(self, objects: ObjectStore, target: Path) -> int:
        """Write the whole object that holds it to `target`; returns its size.

        Raises ObjectMissing, DamagedObject, ObjectsUnavailable.
        """
        return objects.fetch(self.key, target)

    def has_room(self, objects: ObjectStore) -> bool:
        """Whether its object is there and has a size that agrees. Raises ObjectsUnavailable."""
        info = objects.head(self.key)
        if info is None:
            return False
        if self.pack:
            return info.size_bytes >= self.pack_offset + self.size_bytes
        return info.size_bytes == self.size_bytes
