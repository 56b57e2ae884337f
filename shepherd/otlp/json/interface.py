"""What a transcoder does. The readable and the compiled one are equal, byte for byte."""

from typing import Protocol

from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal


class Transcoder(Protocol):
    """Makes protobuf of OTLP/JSON. Any number of threads may use it."""

    @property
    def name(self) -> str:
        """For status: "reference" or "kernel"."""

    def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
        """The request as protobuf.

        Raises MalformedBody for a text that is no JSON object, or in which a list of spans, log
        records or data points is none; TooMuchWork, WorkStopped.
        """
