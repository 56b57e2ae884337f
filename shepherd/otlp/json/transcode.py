"""The entrance: an OTLP/JSON request as the protobuf bytes of the same request."""

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.parse import parse
from shepherd.otlp.json.reference import Walk, write_message
from shepherd.otlp.json.schema import REQUESTS


def to_protobuf(signal: Signal, text: bytes, work: Work) -> bytes:
    """The request as protobuf. It holds the GIL: call it in a thread of the decode pool.

    Raises MalformedBody for a text that is no JSON object, or in which a list of spans, log records
    or data points is none; TooMuchWork, WorkStopped.
    """
    try:
        return write_message(REQUESTS[signal], parse(text, work), Walk(work))
    except RecursionError:
        raise MalformedBody("its JSON is nested too deeply") from None
