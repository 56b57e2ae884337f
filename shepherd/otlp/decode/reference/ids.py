"""Ids of traces and spans as texts: lower-case hex."""

from typing import Final

_TRACE_BYTES: Final = 16
_SHORT_BYTES: Final = 8


def trace_id_text(raw: memoryview) -> str:
    """A trace's id. One of 16 bytes whose first 8 are zero is one of 8 bytes that was padded."""
    if len(raw) == _TRACE_BYTES and not any(raw[:_SHORT_BYTES]):
        raw = raw[_SHORT_BYTES:]
    return raw.hex()


def parent_id_text(raw: memoryview) -> str:
    """A parent span's id; empty if there is none, which some clients write as zeros."""
    return raw.hex() if any(raw) else ""
