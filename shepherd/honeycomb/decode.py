"""Decodes bodies of requests into events. Pure: runs on the loop or in a thread."""

import re
from typing import Final

import msgspec

from common import limits
from common.scan import fast_json, fast_msgpack, json_events
from common.scan.events import Accepted, EventFault, Refused
from common.scan.rates import read_rate
from common.scan.work_budget import TooMuchWork, Work
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.interface import Splitter
from shepherd.http.body import EmptyBody, decompress
from shepherd.ingest.decoded_events import Decoded
from shepherd.ingest.signatures import has_stacks, signed, with_signatures

_NULL: Final = re.compile(rb"[ \t\r\n]*+null[ \t\r\n]*+")
_NIL: Final = b"\xc0"


class Wire(msgspec.Struct, frozen=True):
    """An encoded body, with its media type, encoding and arrival time."""

    body: bytes
    encoding: str
    media: Media
    arrival_ns: int  # unix ns

    def __repr__(self) -> str:
        return f"Wire({self.media}, encoding={self.encoding!r}, body=<{len(self.body)} bytes>)"


def decode_batch(splitter: Splitter, wire: Wire, depth: int, work: Work | None = None) -> Decoded:
    """A batch's events. Raises BadRequest or UnsupportedMedia for the whole body."""
    work = work or Work()
    plain = decompress(wire.body, wire.encoding, limits.BATCH_BODY_BYTES_MAX, work)
    _refuse_null(plain, wire.media)
    events = splitter.split(plain, wire.media, depth, wire.arrival_ns, work)
    return with_signatures(_refuse_no_events(events), work)


def decode_batch_quickly(splitter: Splitter, wire: Wire, depth: int) -> Decoded | None:
    """The same, if it blocks the event loop for at most some milliseconds; else None."""
    if wire.encoding:
        return None
    plain = decompress(wire.body, wire.encoding, limits.BATCH_BODY_BYTES_MAX)
    _refuse_null(plain, wire.media)
    events = splitter.split_quickly(plain, wire.media, depth, wire.arrival_ns)
    if events is None or has_stacks(events.lines.text):
        return None
    return _refuse_no_events(events)


def _refuse_null(plain: bytes, media: Media) -> None:
    """Raise EmptyBody for a body that is null: it counts as empty."""
    is_null = plain == _NIL if media is Media.MSGPACK else _NULL.fullmatch(plain)
    if is_null:
        raise EmptyBody


def _refuse_no_events(events: Decoded) -> Decoded:
    """Raise EmptyBody for a batch without events: Vector sends one to check its key."""
    if not events.events:
        raise EmptyBody
    return events


class EventHeaders(msgspec.Struct, frozen=True):
    """Time and rate of a single event as its headers have them, empty if absent."""

    time: str = ""
    rate: str = ""


def decode_event(
    wire: Wire,
    depth: int,
    headers: EventHeaders,
    string_max: int = limits.STRING_BYTES_MAX,
    work: Work | None = None,
) -> Accepted | Refused:
    """The outcome of a single event. Raises as `decode_batch`."""
    work = work or Work()
    plain = decompress(wire.body, wire.encoding, limits.EVENT_BODY_BYTES_MAX, work)
    _refuse_null(plain, wire.media)
    scan = fast_msgpack if wire.media is Media.MSGPACK else fast_json
    try:
        data, mended = scan.check_event(plain, depth, work, string_max)
        rate, rated = read_rate(headers.rate)
        time_ns = json_events.header_time(headers.time, wire.arrival_ns)
        return Accepted(time_ns, rate, signed(data, work), mended + rated)
    except EventFault as fault:
        return fault.refused()


def decode_event_quickly(
    wire: Wire, depth: int, headers: EventHeaders, string_max: int = limits.STRING_BYTES_MAX
) -> Accepted | Refused | None:
    """The same, if it blocks the event loop for at most some milliseconds; else None."""
    if wire.encoding or len(wire.body) > limits.OFF_LOOP_BODY_BYTES:
        return None
    try:
        work = Work(limits.ON_LOOP_WORK_UNITS_MAX)
        return decode_event(wire, depth, headers, string_max, work)
    except TooMuchWork:
        return None
