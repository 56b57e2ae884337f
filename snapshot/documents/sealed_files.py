"""The interface by which publishing reaches the sealed files of a cut on this disk."""

from pathlib import Path
from typing import Protocol

from snapshot.documents.locations import SegmentLocation


class SealedFiles(Protocol):
    """The files of a sealed cut; its segments may be ranges of one file, the pack."""

    def object_path(self, location: SegmentLocation) -> Path:
        """The file that is put as the object that holds the segment."""

    def local(self, location: SegmentLocation) -> Path | None:
        """A file of the segment's own bytes; None if they are damaged or gone. Blocks."""
