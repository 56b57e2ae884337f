"""The reference scanner of JSON bodies: exact and linear; a fault affects only its event (I9).

A fast path for well-formed bodies is in `common.scan.fast_json`; it delegates a body that it cannot
prove valid to this scanner.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from common import limits
from common.model.times.api import BadTime, time_or_arrival
from common.scan import json_tokens as jt
from common.scan import value_repair
from common.scan.events import (
    Accepted,
    Data,
    EventFault,
    MalformedBody,
    Refused,
    Rule,
    too_many_events,
)
from common.scan.json_data import DataScan, Span, skip
from common.scan.json_tokens import Token, TokenKind
from common.scan.rates import NO_RATE, UNREADABLE, Rate, read_rate
from common.scan.work_budget import Work

_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")


def not_an_array() -> MalformedBody:
    """The body is JSON of another kind."""
    return MalformedBody("a batch is a JSON array of events")


def text_after(at: int) -> MalformedBody:
    """The JSON value ended before this byte, and something follows."""
    return MalformedBody(f"text after the end of the JSON value, at byte {at}")


def not_an_object() -> Refused:
    """The event is no object."""
    return Refused(Rule.NOT_AN_OBJECT, 'event is not an object like {"data":{...}}')


def name_not_utf8() -> EventFault:
    """The name of a member of the event is not UTF-8."""
    return EventFault(Rule.NOT_UTF8, "", "a name in the event is not valid UTF-8")


def data_missing() -> EventFault:
    """The event has no member `data`."""
    return EventFault(Rule.DATA_MISSING, "data", "is missing")


def split_batch(
    body: bytes,
    depth: int,
    arrival_ns: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> list[Accepted | Refused]:
    """The outcomes of a batch body, in order. `depth`: how deep the dataset unpacks objects;
    `string_max`: bytes after which a string is cut.

    Raises MalformedBody for a body that is not a JSON array, or broken in its structure, and
    TooMuchWork.
    """
    work = work or Work()
    stream = _tokens(body, 0, work)
    try:
        first = next(stream)
        if first.kind is not TokenKind.ARRAY_START:
            raise not_an_array()
        outcomes: list[Accepted | Refused] = []
        token = next(stream)
        while token.kind is not TokenKind.ARRAY_END:
            if len(outcomes) >= limits.BATCH_EVENTS_MAX:
                raise too_many_events()
            reading = Reading(body, depth, arrival_ns, work, string_max)
            outcomes.append(_element(reading, stream, token)[0])
            token = next(stream)
        _ends_at(body, token.end)
    except jt.JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error
    return outcomes


def read_element(reading: "Reading", at: int) -> tuple[Accepted | Refused, int]:
    """The outcome of the one element of a batch that begins at or after `at`, and its end.

    Raises JsonSyntaxError: then the body is malformed, as `split_batch` says; and TooMuchWork.
    """
    stream = _tokens(reading.body, at, reading.work, opened=1)
    return _element(reading, stream, next(stream))


def check_event(
    body: bytes,
    depth: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> Data:
    """A body that is one event's data, on one line.

    Raises EventFault, MalformedBody, TooMuchWork.
    """
    work = work or Work()
    stream = _tokens(body, 0, work)
    try:
        first = next(stream)
        scan = DataScan(body, depth, work)
        end = scan.run(stream, first)
        _ends_at(body, end)
    except jt.JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error
    if scan.fault is not None:
        raise scan.fault
    return data_of(body[first.start : end], scan.mends, depth, work, string_max)


def check_data(
    raw: bytes,
    depth: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> Data:
    """The `data` member of an event whose syntax was checked (empty: it is missing). As above."""
    if not raw:
        raise data_missing()
    return check_event(raw, depth, work, string_max)


def data_of(text: bytes, mends: bool, depth: int, work: Work, string_max: int) -> Data:
    """The text of data without a fault, on one line. mends: something in it cannot be stored.

    Raises EventFault if it is too large when that is mended; TooMuchWork.
    """
    if not mends:
        return Data(text.translate(_ONE_LINE))
    mended, changed = value_repair.mend(text, depth, string_max, work)
    return Data(mended.translate(_ONE_LINE), changed)


def sample_rate(raw: bytes) -> Rate:
    """The sample rate of a JSON value."""
    if raw == b"null":
        return NO_RATE
    try:
        return read_rate(jt.string_value(raw, 0, len(raw)) if raw[:1] == b'"' else raw.decode())
    except (jt.BadValue, UnicodeDecodeError):
        return UNREADABLE


def event_time(raw: bytes, arrival_ns: int) -> int:
    """Unix ns of a JSON value: a number, a string in any time form, or null. Raises EventFault."""
    try:
        if raw == b"null":
            return arrival_ns
        text = jt.string_value(raw, 0, len(raw)) if raw[:1] == b'"' else raw.decode()
        return time_or_arrival(text, arrival_ns)
    except (BadTime, jt.BadValue, UnicodeDecodeError) as error:
        raise EventFault(Rule.TIME, "time", str(error)) from error


def header_time(text: str, arrival_ns: int) -> int:
    """Unix ns of a header's value; empty means the arrival time. Raises EventFault."""
    try:
        return time_or_arrival(text, arrival_ns)
    except BadTime as error:
        raise EventFault(Rule.TIME, "time", str(error)) from error


def _tokens(body: bytes, at: int, work: Work, opened: int = 0) -> Iterator[Token]:
    return jt.tokens(body, at, depth_max=limits.BODY_NESTING_MAX, opened=opened, work=work)


def _ends_at(body: bytes, end: int) -> None:
    if jt.skip_space(body, end) != len(body):
        raise text_after(end)


class Reading(NamedTuple):
    """The arguments of reading elements of a batch: see `split_batch`."""

    body: bytes
    depth: int
    arrival_ns: int
    work: Work
    string_max: int


def _element(
    reading: Reading, stream: Iterator[Token], first: Token
) -> tuple[Accepted | Refused, int]:
    """The outcome of one element of the array, and its end. Faults do not stop the reading."""
    body, depth, arrival_ns, work, string_max = reading
    if first.kind is not TokenKind.OBJECT_START:
        end = skip(stream, first)
        return not_an_object(), end
    ends_at = first.end
    fault: EventFault | None = None
    data: Span | None = None
    data_fault: EventFault | None = None
    mends = False
    time_raw = rate_raw = b"null"
    for token in stream:
        if token.kind is TokenKind.OBJECT_END:
            ends_at = token.end
            break
        name = _key(body, token)
        value = next(stream)
        if name == "data":
            scan = DataScan(body, depth, work)
            data = value.start, scan.run(stream, value)
            data_fault, mends = scan.fault, scan.mends
            continue
        end = skip(stream, value)
        if name == "time":
            time_raw = body[value.start : end]
        elif name == "samplerate":
            rate_raw = body[value.start : end]
        elif name is None:
            fault = fault or name_not_utf8()
    try:
        if fault or data_fault:
            raise fault or data_fault or AssertionError
        if data is None:
            raise data_missing()
        text, changed = data_of(body[slice(*data)], mends, depth, work, string_max)
        rate, rated = sample_rate(rate_raw)
        accepted = Accepted(event_time(time_raw, arrival_ns), rate, text, changed + rated)
    except EventFault as error:
        return error.refused(), ends_at
    return accepted, ends_at


def _key(body: bytes, token: Token) -> str | None:
    """A name of the envelope; None if it is not UTF-8."""
    try:
        return jt.string_value(body, token.start, token.end)
    except jt.BadValue:
        return None
