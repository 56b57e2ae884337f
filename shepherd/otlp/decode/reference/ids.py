"""Ids of traces and spans as texts: lower-case hex, of any length that can be stored."""

from typing import Final

from common import limits

_TRACE_BYTES: Final = 16
_SHORT_BYTES: Final = 8


def trace_id_text(raw: memoryview) -> str:
    """A trace's id. One of 16 bytes whose first 8 are zero is one of 8 bytes that was padded."""
    if len(raw) == _TRACE_BYTES and not any(raw[:_SHORT_BYTES]):
        raw = raw[_SHORT_BYTES:]
    return id_text(raw)


def id_text(raw: memoryview) -> str:
    """A span's id. One that is far too long is cut as every text."""
    return raw[: limits.LONG_STRING_BYTES_MAX].hex()


def parent_id_text(raw: memoryview) -> str:
    """A parent span's id; empty if there is none, which some clients write as zeros."""
    return id_text(raw) if any(raw) else ""
