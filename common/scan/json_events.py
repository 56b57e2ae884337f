"""The reference scanner: JSON bodies to events, exact, linear, one event's fault its own (I9).

A fast path for well-formed bodies is in `common.scan.fast_json`; what it cannot prove comes here.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from common import limits
from common.scan import json_tokens as jt
from common.scan import mending
from common.scan.events import (
    Accepted,
    Data,
    EventFault,
    MalformedBody,
    Refused,
    Rule,
    names_too_long,
    too_large,
    too_many_events,
    too_many_fields,
)
from common.scan.json_tokens import Token, TokenKind
from common.scan.rates import NO_RATE, UNREADABLE, Rate, read_rate
from common.scan.work import STEP_UNITS, Work
from common.times.api import BadTime, time_or_arrival

Span = tuple[int, int]
_OPENS: Final = frozenset({TokenKind.OBJECT_START, TokenKind.ARRAY_START})
_CLOSES: Final = frozenset({TokenKind.OBJECT_END, TokenKind.ARRAY_END})
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
_DEEP_KEYS_NAMED: Final = 20  # names of a fault's path that are shown at most
TOO_LONG: Final = f"the name is longer than {limits.STRING_BYTES_MAX} bytes; shorten it"
TOO_DEEP: Final = f"is nested deeper than {limits.NESTING_DEPTH_MAX} levels; send it as a string"
NOT_UTF8: Final = "is not valid UTF-8"


def not_an_array() -> MalformedBody:
    """The body is JSON of another kind."""
    return MalformedBody("a batch is a JSON array of events")


def text_behind(at: int) -> MalformedBody:
    """The JSON value ended before this byte, and something follows."""
    return MalformedBody(f"text after the end of the JSON value, at byte {at}")


def not_an_object() -> Refused:
    """The event is no object."""
    return Refused(Rule.NOT_AN_OBJECT, 'event is not an object like {"data":{...}}')


def name_not_utf8() -> EventFault:
    """A name beside `data` is no text."""
    return EventFault(Rule.NOT_UTF8, "", "a name in the event is not valid UTF-8")


def data_missing() -> EventFault:
    """The event has no member `data`."""
    return EventFault(Rule.DATA_MISSING, "data", "is missing")


def data_not_an_object() -> EventFault:
    """Its member `data` is something else."""
    return EventFault(Rule.DATA_NOT_AN_OBJECT, "data", "is not an object")


def data_empty() -> EventFault:
    """There is nothing in it."""
    return EventFault(Rule.DATA_EMPTY, "data", "has no fields")


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
        scan = _DataScan(body, depth, work)
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
    mended, changed = mending.mend(text, depth, string_max, work)
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
        raise text_behind(end)


class Reading(NamedTuple):
    """What elements of a batch are read from, and how: see `split_batch`."""

    body: bytes
    depth: int
    arrival_ns: int
    work: Work
    string_max: int


def _element(
    reading: Reading, stream: Iterator[Token], first: Token
) -> tuple[Accepted | Refused, int]:
    """One element of the array, read to its end whatever is wrong with it, and that end."""
    body, depth, arrival_ns, work, string_max = reading
    if first.kind is not TokenKind.OBJECT_START:
        end = _skip(stream, first)
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
            scan = _DataScan(body, depth, work)
            data = value.start, scan.run(stream, value)
            data_fault, mends = scan.fault, scan.mends
            continue
        end = _skip(stream, value)
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


def _skip(stream: Iterator[Token], first: Token) -> int:
    """Read the value that `first` begins to its end; returns where that is."""
    token, level = first, 0
    while True:
        if token.kind in _OPENS:
            level += 1
        elif token.kind in _CLOSES:
            level -= 1
        if level == 0:
            return token.end
        token = next(stream)


class _DataScan:
    """Reads one event's data to its end and keeps the first fault found in it.

    mends: there is something in it that cannot be stored and costs no event: see `mending`.
    """

    def __init__(self, body: bytes, depth: int, work: Work) -> None:
        self._body = body
        self._work = work
        self._depth = depth
        self._fields = 0
        self._name_bytes = 0  # of fields inside unpacked objects, their full names
        self._prefixes = [0]  # bytes of names and dots before a field, per unpacked object open
        self._path: list[Span] = []  # the key in force at each level that has one
        self.fault: EventFault | None = None
        self.mends = False
        self._long = False  # some string may be cut

    def run(self, stream: Iterator[Token], first: Token) -> int:
        """Read the value that begins with `first`; returns its end."""
        if first.kind is not TokenKind.OBJECT_START:
            self.fault = data_not_an_object()
            return _skip(stream, first)
        level = 1  # open containers, data itself included
        arrays = 0  # open arrays: members inside them are no fields
        fresh = True  # just after an opening bracket
        opened = bytearray([0])  # per level: 1 if an array
        path = self._path
        path.append((0, 0))
        steps = 0  # a token of data costs twice what it costs to pass over one
        for token in stream:
            kind = token.kind
            steps += 1
            if steps == STEP_UNITS:
                self._work.spend(steps)
                steps = 0
            if kind is TokenKind.KEY:
                path[-1] = (token.start, token.end)
                if not arrays and level <= self._depth + 1:
                    self._count(token, level, fresh)
                if token.end - token.start - 2 > limits.STRING_BYTES_MAX or not self._ascii(token):
                    if self._is_long(token):
                        self._note(Rule.KEY_TOO_LONG, TOO_LONG)
                fresh = False
            elif kind in _OPENS:
                level += 1
                opened.append(kind is TokenKind.ARRAY_START)
                arrays += opened[-1]
                if not opened[-1] and not arrays and level <= self._depth + 1:
                    self._prefixes.append(self._prefixes[-1] + self._size(*path[-1]) + 1)
                path.append((0, 0))
                fresh = True
                if level == limits.NESTING_DEPTH_MAX + 1:
                    self._note(Rule.TOO_DEEP, TOO_DEEP)
            elif kind in _CLOSES:
                fresh = False
                if level == len(self._prefixes) and not arrays:
                    self._prefixes.pop()
                level -= 1
                arrays -= opened.pop()
                path.pop()
                if level == 0:
                    self._work.spend(steps)
                    self._finish(token.end - first.start)
                    return token.end
            else:
                fresh = False
                self._check_scalar(token)
        raise AssertionError("the tokenizer ends a value with its closing bracket")

    def _count(self, key: Token, level: int, fresh: bool) -> None:
        """Count a field. fresh: the first inside its object takes that object's place."""
        if level == 1:
            self._fields += 1
            return
        prefix = self._prefixes[-1]
        self._name_bytes += prefix + self._size(key.start, key.end)
        if not fresh:
            self._fields += 1
        elif level > 2:
            self._name_bytes -= prefix - 1

    def _size(self, start: int, end: int) -> int:
        """Bytes of a name. One that is not UTF-8 is a fault already."""
        raw = self._body[start + 1 : end - 1]
        if b"\\" not in raw:
            return len(raw)
        try:
            return len(jt.string_value(self._body, start, end).encode())
        except jt.BadValue:
            return len(raw)

    def _ascii(self, token: Token) -> bool:
        return self._body[token.start : token.end].isascii()

    def _check_scalar(self, token: Token) -> None:
        if token.kind is TokenKind.STRING:
            if token.end - token.start - 2 > limits.STRING_BYTES_MAX or not self._ascii(token):
                if self._is_long(token):
                    self.mends = self._long = True
        elif token.kind is TokenKind.NUMBER:
            try:
                jt.number_value(self._body, token.start, token.end)
            except jt.BadValue:
                self.mends = True
        elif token.kind is TokenKind.NOT_FINITE:
            self.mends = True

    def _is_long(self, token: Token) -> bool:
        """Whether a string has too many bytes. Notes a fault if it is no text."""
        try:
            size = len(jt.string_value(self._body, token.start, token.end).encode())
        except jt.BadValue:
            self._note(Rule.NOT_UTF8, NOT_UTF8)
            return False
        return size > limits.STRING_BYTES_MAX

    def _finish(self, size: int) -> None:
        if size > limits.EVENT_BYTES_MAX and not self._long:
            self.fault = too_large()
        elif self._fields > limits.EVENT_FIELDS_MAX:
            self.fault = self.fault or too_many_fields()
        elif self._name_bytes > limits.UNPACKED_NAME_BYTES_MAX:
            self.fault = self.fault or names_too_long()
        elif self._fields == 0:
            self.fault = self.fault or data_empty()

    def _note(self, rule: Rule, why: str) -> None:
        """Keep the first fault, with the path of the field it is in."""
        if self.fault is not None:
            return
        names = ["data"]
        for start, end in self._path[:_DEEP_KEYS_NAMED]:
            raw = self._body[start + 1 : min(end - 1, start + 101)]
            if end:
                names.append(raw.decode(errors="replace"))
        self.fault = EventFault(rule, ".".join(names), why)
