"""The readable transcoder: parses the text, then walks over it. The compiled one's oracle."""

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.parse import check_size, parse
from shepherd.otlp.json.reference import Walk, write_message
from shepherd.otlp.json.schema import REQUESTS


class ReferenceTranscoder:
    """See `Transcoder`. It holds the GIL."""

    name = "reference"

    def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
        """As `Transcoder.to_protobuf`."""
        return to_protobuf(signal, text, work)


def to_protobuf(signal: Signal, text: bytes, work: Work) -> bytes:
    """As `Transcoder.to_protobuf`."""
    check_size(text)
    try:
        return write_message(REQUESTS[signal], parse(text, work), Walk(work))
    except RecursionError:
        raise MalformedBody("its JSON is nested too deeply") from None
