"""Ids of spans in several spellings, and the id of a trace as people have it at hand.

OTLP's ids are stored in lower case without leading zero bytes; the events API stores what clients
send: capitals, zeros in front, or ids that are no hexadecimal digits at all.
"""

from typing import Final

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_SHORT: Final = 16  # digits of an id of 64 bits
_LONG: Final = 32
_TRACEPARENT_PARTS: Final = 4  # version, trace, span, flags


def folded(text: str) -> str:
    """The id without differences of spelling: two spellings of one id give the same text."""
    if not text or len(text) > _LONG or not _HEX.issuperset(text):
        return text
    return text.lower().lstrip("0") or "0"


def trace_id_of(text: str) -> str:
    """The id of a trace as it was typed, or out of a `traceparent` header."""
    text = text.strip()
    parts = text.split("-")
    if len(parts) == _TRACEPARENT_PARTS and [len(p) for p in parts] == [2, _LONG, _SHORT, 2]:
        return parts[1]
    return text
