"""What "the same" means: lines byte for byte, sizes, items, refusals in their places, errors."""

from typing import Any

from common.errors import BadRequest
from common.scan.work_budget import Work
from shepherd.otlp.decode.compiled.decoder import KernelDecoder
from shepherd.otlp.decode.interface import Decoder, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.trial import told
from tests.shepherd.otlp.messages import ARRIVAL_NS

_REFERENCE = ReferenceDecoder()


def outcome(decoder: Decoder, message: bytes, signal: Signal, **more: Any) -> object:
    try:
        return told(decoder.decode(OtlpBody(signal, message, ARRIVAL_NS, **more), Work()))
    except BadRequest as error:
        return str(error)


def assert_same(
    decoder: KernelDecoder, message: bytes, signal: Signal = Signal.TRACES, **more: Any
) -> object:
    """Fail unless it gives what the reference gives."""
    wanted = outcome(_REFERENCE, message, signal, **more)
    assert outcome(decoder, message, signal, **more) == wanted
    assert decoder.intact()
    return wanted
