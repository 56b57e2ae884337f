"""The protocol of splitters, which turn the events of a vendor's batch body into lines."""

from typing import Protocol

from common.scan.work_budget import Work
from shepherd.honeycomb.media import Media
from shepherd.ingest.decoded_events import Decoded


class Splitter(Protocol):
    """An implementation of splitting. Any thread may use it."""

    @property
    def name(self) -> str:
        """The implementation's name in the status."""

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Decoded:
        """The events of a batch body. Raises MalformedBody for the whole of it, TooMuchWork, and
        WorkStopped when `work` is stopped meanwhile.
        """

    def split_quickly(
        self, body: bytes, media: Media, depth: int, arrival_ns: int
    ) -> Decoded | None:
        """The same, if it blocks an event loop for at most some milliseconds for any content; else
        None.
        """
