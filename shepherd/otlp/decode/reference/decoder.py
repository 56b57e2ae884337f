"""The readable decoder of every signal."""

from collections.abc import Callable, Mapping
from typing import Final

from common import limits
from common.errors import NotFound
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.logs import decode_logs
from shepherd.otlp.decode.reference.metrics import decode_metrics
from shepherd.otlp.decode.reference.traces import decode_traces

_DECODE: Final[Mapping[Signal, Callable[[OtlpBody, int, Work], DecodedRequest]]] = {
    Signal.TRACES: decode_traces,
    Signal.LOGS: decode_logs,
    Signal.METRICS: decode_metrics,
}


class SignalNotTaken(NotFound):
    """This version does not take what the request holds."""

    def __init__(self, signal: Signal) -> None:
        super().__init__(f"OTLP {signal} are not taken by this version")


class ReferenceDecoder:
    """Implements `Decoder`."""

    name = "reference"

    def __init__(self, string_max: int = limits.STRING_BYTES_MAX) -> None:
        """string_max: bytes of a string; longer strings are cut."""
        self._string_max = string_max

    def decode(self, body: OtlpBody, work: Work) -> DecodedRequest:
        """As `Decoder.decode`. Raises SignalNotTaken too."""
        decode = _DECODE.get(body.signal)
        if decode is None:
            raise SignalNotTaken(body.signal)
        return decode(body, self._string_max, work)
