"""Sealed files of a test, by the hash of the object that they are put as."""

from collections.abc import Mapping
from pathlib import Path

from snapshot.documents.locations import SegmentLocation


class SealedIn:
    """`SealedFiles` over these files; none is a pack."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def object_path(self, location: SegmentLocation) -> Path:
        return self._files[location.object_name]

    def local(self, location: SegmentLocation) -> Path | None:
        return self._files.get(location.object_hash)
