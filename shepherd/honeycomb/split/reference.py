"""The reference splitter: the scanners of `common.scan`, an object per event. The oracle."""

from common import limits
from common.scan import fast_json, fast_msgpack
from common.scan.work_budget import TooMuchWork, Work
from shepherd.honeycomb.media import Media
from shepherd.ingest.decoded_events import Decoded, decoded


class ReferenceSplitter:
    """See `Splitter`."""

    name = "reference"

    def __init__(self, string_max: int = limits.STRING_BYTES_MAX) -> None:
        self._string_max = string_max

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Decoded:
        """As `Splitter.split`."""
        scan = fast_msgpack if media is Media.MSGPACK else fast_json
        return decoded(scan.split_batch(body, depth, arrival_ns, work, self._string_max))

    def split_quickly(
        self, body: bytes, media: Media, depth: int, arrival_ns: int
    ) -> Decoded | None:
        """As `Splitter.split_quickly`."""
        if len(body) > limits.OFF_LOOP_BODY_BYTES:
            return None
        try:
            return self.split(body, media, depth, arrival_ns, Work(limits.ON_LOOP_WORK_UNITS_MAX))
        except TooMuchWork:
            return None
