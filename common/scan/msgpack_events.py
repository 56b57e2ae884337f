"""msgpack bodies to events: each value rewritten as JSON (I9).

bin: a string if it is UTF-8, else base64. Timestamps: RFC 3339. float32: widened exactly. Integer
keys: decimal text. Repeated keys are kept; NaN and Infinity are written as Python writes them in
JSON, and mended as those are.
"""

import base64
import math
from collections.abc import Callable
from typing import Any, Final

import msgpack
import orjson

from common import limits
from common.model.times.api import BadTime, format_timestamp, time_or_arrival, timestamp_or_arrival
from common.scan import fast_json, json_data
from common.scan.events import (
    Accepted,
    Data,
    EventFault,
    MalformedBody,
    Refused,
    Rule,
    too_large,
    too_many_events,
)
from common.scan.msgpack_spans import array_head, array_spans, is_array
from common.scan.rates import NO_RATE, Rate, read_rate
from common.scan.work_budget import STEP_UNITS, Work

# Each array and map begins with one of these. Text that is not ASCII has them too: some are free.
_CONTAINER_HEADS: Final = bytes((*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF))
_CONTAINERS_FREE: Final = 1_500_000
_EVENT_UNITS: Final = 2
_VALUE_UNITS: Final = 3  # a value written as JSON takes as long as three tokens
_EXTENSION = object()  # the value of any extension but a timestamp: JSON has nothing for it


class _Map(list[tuple[Any, Any]]):
    """A msgpack map as its pairs, so that repeated keys stay, and it is not taken for an array."""


def split_msgpack_batch(
    body: bytes,
    depth: int,
    arrival_ns: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> list[Accepted | Refused]:
    """The outcomes of a batch body, in order. Raises MalformedBody for the whole, TooMuchWork."""
    work = work or Work()
    refuse_at_head(body)
    try:
        events = unpack(body, work=work)
    except TooDeepToUnpack:
        return _split_deep(body, depth, arrival_ns, work, string_max)
    if not isinstance(events, list) or isinstance(events, _Map):
        raise MalformedBody("a batch is an array of events")
    if len(events) > limits.BATCH_EVENTS_MAX:
        raise too_many_events()
    return [_event(event, depth, arrival_ns, work, string_max) for event in events]


def refuse_at_head(body: bytes) -> None:
    """Checks the array's head before anything is unpacked. Raises MalformedBody if it announces
    more events than are allowed, or than there are bytes for.
    """
    if is_array(body):
        try:
            array_head(body)
        except ValueError as error:
            raise MalformedBody("not msgpack") from error


def check_msgpack_event(
    body: bytes,
    depth: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> Data:
    """A body that is one event's data, as JSON. Raises EventFault, MalformedBody, TooMuchWork."""
    work = work or Work()
    try:
        return _data(unpack(body, work=work), depth, work, string_max)
    except TooDeepToUnpack as error:
        raise _deep(["data"]) from error


class TooDeepToUnpack(Exception):
    """Nested deeper than the unpacker's own stack."""


def _split_deep(
    body: bytes, depth: int, arrival_ns: int, work: Work, string_max: int
) -> list[Accepted | Refused]:
    """A batch with an event that is nested too deep for the unpacker: each event by itself."""
    try:
        spans = array_spans(body, work)
    except ValueError as error:
        raise MalformedBody("not msgpack") from error
    outcomes: list[Accepted | Refused] = []
    for begin, end in spans:
        try:
            event = unpack(body[begin:end])
        except TooDeepToUnpack:
            outcomes.append(_deep(["data"]).refused())
        else:
            outcomes.append(_event(event, depth, arrival_ns, work, string_max))
    return outcomes


def _deep(path: list[str]) -> EventFault:
    return _fault(Rule.TOO_DEEP, path, json_data.TOO_DEEP)


def unpack(
    body: bytes,
    hook: Callable[[list[tuple[Any, Any]]], object] = _Map,
    work: Work | None = None,
) -> Any:
    """The body's value, each map as `hook` makes it of its pairs.

    Raises MalformedBody, TooDeepToUnpack, TooMuchWork.
    """
    if work is not None and len(body) > _CONTAINERS_FREE:
        # An array or map takes 60 bytes of memory and more, its head as little as one byte.
        containers = len(body) - len(body.translate(None, _CONTAINER_HEADS))
        work.spend(max(0, containers - _CONTAINERS_FREE))
    try:
        return msgpack.unpackb(
            body,
            timestamp=0,  # keeps nanoseconds
            object_pairs_hook=hook,
            strict_map_key=False,
            unicode_errors="surrogateescape",  # found again per event, when it is written as JSON
            ext_hook=lambda _code, _data: _EXTENSION,  # by default, types below -1 refuse the body
        )
    except msgpack.exceptions.StackError as error:
        raise TooDeepToUnpack from error
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise MalformedBody("not msgpack") from error


def _event(
    event: Any, depth: int, arrival_ns: int, work: Work, string_max: int
) -> Accepted | Refused:
    work.spend(_EVENT_UNITS)
    if not isinstance(event, _Map):
        return Refused(Rule.NOT_AN_OBJECT, 'event is not an object like {"data":{...}}')
    members = {_text(name): value for name, value in event if isinstance(name, str | bytes)}
    try:
        if "data" not in members:
            raise EventFault(Rule.DATA_MISSING, "data", "is missing")
        data, mended = _data(members["data"], depth, work, string_max)
        rate, rated = sample_rate(members.get("samplerate"))
        return Accepted(event_time(members.get("time"), arrival_ns), rate, data, mended + rated)
    except EventFault as fault:
        return fault.refused()


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")


def number_text(value: Any) -> bytes:
    """A number as JSON writes it; empty for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value).encode() if is_number else b""


def sample_rate(value: Any) -> Rate:
    """The sample rate of a number, a string or nil."""
    if value is None:
        return NO_RATE
    if isinstance(value, str):
        return read_rate(value)
    return read_rate(number_text(value).decode() or "?")


def event_time(value: Any, arrival_ns: int) -> int:
    """Unix ns of a timestamp, number, string or nil. A float is read as its shortest decimal text.

    Raises EventFault.
    """
    try:
        if value is None:
            return arrival_ns
        if isinstance(value, msgpack.Timestamp):
            return timestamp_or_arrival(value.seconds, value.nanoseconds, arrival_ns)
        if isinstance(value, str):
            return time_or_arrival(value, arrival_ns)
        return time_or_arrival(number_text(value).decode() or "?", arrival_ns)
    except BadTime as error:
        raise EventFault(Rule.TIME, "time", str(error)) from error


def _data(value: Any, depth: int, work: Work, string_max: int) -> Data:
    if not isinstance(value, _Map):
        raise EventFault(Rule.DATA_NOT_AN_OBJECT, "data", "is not an object")
    writer = _Writer(work)
    writer.write(value)
    return fast_json.check_event(writer.text(), depth, work, string_max)


class _Writer:
    """Writes a value as JSON, up to the largest size of an event: what follows is not read.

    A string counts only up to the limit to which it can be cut.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._values = 0  # not counted as work yet
        self._path = ["data"]
        self._pieces: list[bytes] = []
        self._room = limits.EVENT_BYTES_MAX

    def text(self) -> bytes:
        """The JSON that was written."""
        self._work.spend(_VALUE_UNITS * self._values)
        return b"".join(self._pieces)

    def write(self, value: Any) -> None:
        """Append the value's JSON. Recursion is bounded by the nesting limit. Raises EventFault."""
        path = self._path
        self._values += 1
        if self._values == STEP_UNITS:
            self._work.spend(_VALUE_UNITS * self._values)
            self._values = 0
        if len(path) > limits.NESTING_DEPTH_MAX and isinstance(value, list):
            raise _deep(path)
        if isinstance(value, _Map):
            separator = b"{"
            for name, member in value or ():
                key = _key(name, path)
                self._add(separator + _string(key, path) + b":")
                path.append(key)
                self.write(member)
                path.pop()
                separator = b","
            self._add(b"}" if value else b"{}")
        elif isinstance(value, list):
            separator = b"["
            path.append("")
            for item in value:
                self._add(separator)
                self.write(item)
                separator = b","
            path.pop()
            self._add(b"]" if value else b"[]")
        else:
            self._add(_scalar(value, path))

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._room -= min(len(piece), limits.STRING_BYTES_MAX)
        if self._room < 0:
            raise too_large()


def _key(name: Any, path: list[str]) -> str:
    if isinstance(name, str):
        return name
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if isinstance(name, bytes):
        return _bin_text(name)
    raise _fault(Rule.UNSUPPORTED_VALUE, path, "has a key that is no string and no integer")


def _scalar(value: Any, path: list[str]) -> bytes:
    if value is None:
        return b"null"
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, float):
        return repr(value).encode() if math.isfinite(value) else _not_finite(value)
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, bytes):
        return _string(_bin_text(value), path)
    if isinstance(value, msgpack.Timestamp):
        try:
            return _string(format_timestamp(value.seconds, value.nanoseconds), path)
        except BadTime as error:
            raise _fault(Rule.UNSUPPORTED_VALUE, path, str(error)) from error
    raise _fault(Rule.UNSUPPORTED_VALUE, path, "is a msgpack extension that is not supported")


def _not_finite(value: float) -> bytes:
    if math.isnan(value):
        return b"NaN"
    return b"Infinity" if value > 0 else b"-Infinity"


def _string(text: str, path: list[str]) -> bytes:
    try:
        return orjson.dumps(text)
    except TypeError as error:  # bytes that were not UTF-8 came as surrogates
        raise _fault(Rule.NOT_UTF8, path, "is not valid UTF-8") from error


def _bin_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _fault(rule: Rule, path: list[str], why: str) -> EventFault:
    name = ".".join(part for part in path[:20] if part)
    return EventFault(rule, name.encode(errors="replace").decode(), why)
