"""Ids of traces and spans in the one form in which they are stored, so that a trace is one trace.

The form is the one of OTLP's spans: lower-case hex, of the full width, and of a 128-bit trace id
that begins with 64 zero bits the other 64. Zipkin's clients also write capitals and fewer digits.
"""

import re
from typing import Final

_HEX: Final = re.compile(r"[0-9a-fA-F]{1,32}")
_DIGITS: Final = 16  # of 64 bits
_ZEROS: Final = "0" * _DIGITS


def trace_id(text: str) -> str:
    """16 or 32 digits; a text that is no such id is left as it is."""
    if _HEX.fullmatch(text) is None:
        return text
    width = _DIGITS if len(text) <= _DIGITS else 2 * _DIGITS
    return text.lower().rjust(width, "0").removeprefix(_ZEROS) or _ZEROS


def span_id(text: str) -> str:
    """16 digits; a text that is no such id is left as it is."""
    if _HEX.fullmatch(text) is None:
        return text
    text = text.lower().rjust(_DIGITS, "0")
    return text[-_DIGITS:] if not text[:-_DIGITS].strip("0") else text


def parent_id(text: str) -> str:
    """As `span_id`; empty for zero, which some clients write where there is no parent."""
    return span_id(text) if text.strip("0") else ""
