"""Adds `exception.signature` to events that have a stack, for every ingest protocol (ADR 0060).

It is part of the record, so both indexers of a pair have the same (I3), and a later rule does not
change what is stored: its version is in the text.
"""

from typing import Final

import numpy as np
import orjson

from common import limits
from common.scan.work_budget import Work
from common.signature.signature import signature
from shepherd.ingest.decoded_events import Decoded, Lines
from shepherd.ingest.search import make_search

STACK: Final = "exception.stacktrace"
TYPE: Final = "exception.type"
SIGNATURE: Final = "exception.signature"
_MARK: Final = f'"{STACK}"'.encode()
_holds_mark: Final = make_search(_MARK)
_CHARS_PER_UNIT: Final = 16  # of a stack: 8 MB/s measured, and a unit is two microseconds


def has_stacks(text: bytes) -> bool:
    """Whether lines of records, or the data of an event, may have a stack."""
    return _holds_mark(text)


def with_signatures(events: Decoded, work: Work) -> Decoded:
    """The events, those with a stack and without a signature with one. Spends work by the stacks'
    characters. An event that has as many fields or bytes as it may have gets none.
    """
    lines = events.lines
    if not has_stacks(lines.text):
        return events
    known: dict[tuple[str, str], str] = {}  # a crash is mostly reported more than once
    pieces: list[bytes] = []
    line_bytes, data_bytes = lines.line_bytes.copy(), lines.data_bytes.copy()
    ends = np.cumsum(lines.line_bytes)
    begin = 0
    for number, end in enumerate(ends.tolist()):
        line = lines.text[begin:end]
        begin = end
        if _MARK in line:
            data = line[len(line) - 2 - int(data_bytes[number]) : -2]
            added = _added(data, known, work)
            line = line[:-3] + added + line[-3:]
            line_bytes[number] += len(added)
            data_bytes[number] += len(added)
        pieces.append(line)
    found = Lines(b"".join(pieces), line_bytes, data_bytes)
    return Decoded(events.events, found, events.refused, events.mended)


def signed(data: bytes, work: Work) -> bytes:
    """The data of one event, as in `with_signatures`."""
    if not has_stacks(data):
        return data
    return data[:-1] + _added(data, {}, work) + data[-1:]


def _added(data: bytes, known: dict[tuple[str, str], str], work: Work) -> bytes:
    """What comes before the data's last brace; empty if it gets no signature."""
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:  # what a record may hold and this parser refuses: deep nesting
        return b""
    stack, kind = fields.get(STACK), fields.get(TYPE)
    if not isinstance(stack, str) or SIGNATURE in fields:
        return b""
    if len(fields) >= limits.EVENT_FIELDS_MAX:
        return b""
    kind = kind if isinstance(kind, str) else ""
    text = known.get((stack, kind))
    if text is None:
        work.spend(1 + min(len(stack), limits.STACK_CHARS_MAX) // _CHARS_PER_UNIT)
        text = known[stack, kind] = signature(stack, kind)
    added = b',"%b":%b' % (SIGNATURE.encode(), orjson.dumps(text))
    if not text or len(data) + len(added) > limits.EVENT_BYTES_MAX:
        return b""
    return added
