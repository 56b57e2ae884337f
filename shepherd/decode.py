"""From a request's bytes to the outcomes of its events. Pure: runs on the loop or in a thread."""

import msgspec

from common import limits
from common.scan import fast_json, fast_msgpack, json_events
from common.scan.events import Accepted, EventFault, Refused
from common.scan.work import TooMuchWork, Work
from shepherd.body import Media, decompress
from shepherd.split.interface import Split, Splitter


class Wire(msgspec.Struct, frozen=True):
    """A body as it came: encoding and media type from its headers, arrival time (unix ns)."""

    body: bytes
    encoding: str
    media: Media
    arrival_ns: int

    def __repr__(self) -> str:
        return f"Wire({self.media}, encoding={self.encoding!r}, body=<{len(self.body)} bytes>)"


def decode_batch(splitter: Splitter, wire: Wire, depth: int, work: Work | None = None) -> Split:
    """A batch's events. Raises BadRequest or UnsupportedMedia for the whole body."""
    work = work or Work()
    plain = decompress(wire.body, wire.encoding, limits.BATCH_BODY_BYTES_MAX, work)
    return splitter.split(plain, wire.media, depth, wire.arrival_ns, work)


def decode_batch_quickly(splitter: Splitter, wire: Wire, depth: int) -> Split | None:
    """The same, if it keeps the event loop for no longer than some milliseconds; else None."""
    if wire.encoding:
        return None
    plain = decompress(wire.body, wire.encoding, limits.BATCH_BODY_BYTES_MAX)
    return splitter.split_quickly(plain, wire.media, depth, wire.arrival_ns)


def decode_event(
    wire: Wire, depth: int, time: str, rate: str, work: Work | None = None
) -> Accepted | Refused:
    """A single event's outcome; `time` and `rate` are header values, empty if absent. As above."""
    work = work or Work()
    plain = decompress(wire.body, wire.encoding, limits.EVENT_BODY_BYTES_MAX, work)
    scan = fast_msgpack if wire.media is Media.MSGPACK else fast_json
    try:
        data = scan.check_event(plain, depth, work)
        return Accepted(
            json_events.header_time(time, wire.arrival_ns),
            json_events.header_rate(rate),
            data,
        )
    except EventFault as fault:
        return fault.refused()


def decode_event_quickly(wire: Wire, depth: int, time: str, rate: str) -> Accepted | Refused | None:
    """The same, if it keeps the event loop for no longer than some milliseconds; else None."""
    if wire.encoding or len(wire.body) > limits.OFF_LOOP_BODY_BYTES:
        return None
    try:
        return decode_event(wire, depth, time, rate, Work(limits.ON_LOOP_WORK_UNITS_MAX))
    except TooMuchWork:
        return None
