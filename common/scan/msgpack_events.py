"""msgpack bodies to events: each value rewritten as the JSON that stands for it (I9).

bin: a string if it is UTF-8, else base64. Timestamps: RFC 3339. float32: widened exactly. Integer
keys: decimal text. Repeated keys are kept; NaN and Infinity refuse their event, as in JSON.
"""

import base64
import math
from collections.abc import Callable
from typing import Any

import msgpack
import orjson

from common import limits
from common.scan import fast_json, json_events
from common.scan.events import Accepted, EventFault, MalformedBody, Refused, Rule
from common.scan.msgpack_spans import array_spans
from common.scan.times import BadTime, format_rfc3339, parse_time, timestamp_ns

_EXTENSION = object()  # in the place of any extension but a timestamp: nothing can stand for it


class _Map(list[tuple[Any, Any]]):
    """A msgpack map as its pairs, so that repeated keys are seen and arrays told apart."""


def split_msgpack_batch(body: bytes, depth: int, arrival_ns: int) -> list[Accepted | Refused]:
    """The outcomes of a batch body, in order. Raises MalformedBody for the whole body."""
    try:
        events = unpack(body)
    except TooDeepToUnpack:
        return _split_deep(body, depth, arrival_ns)
    if not isinstance(events, list) or isinstance(events, _Map):
        raise MalformedBody("a batch is an array of events")
    if len(events) > limits.BATCH_EVENTS_MAX:
        raise MalformedBody(f"more than {limits.BATCH_EVENTS_MAX} events")
    return [_event(event, depth, arrival_ns) for event in events]


def check_msgpack_event(body: bytes, depth: int) -> bytes:
    """A body that is one event's data, as JSON. Raises EventFault, MalformedBody."""
    try:
        return _data(unpack(body), depth)
    except TooDeepToUnpack as error:
        raise _deep(["data"]) from error


class TooDeepToUnpack(Exception):
    """Nested deeper than the unpacker's own stack."""


def _split_deep(body: bytes, depth: int, arrival_ns: int) -> list[Accepted | Refused]:
    """A batch of which some event is nested too deep for the unpacker: one by one."""
    try:
        spans = array_spans(body)
    except ValueError as error:
        raise MalformedBody("not msgpack") from error
    if len(spans) > limits.BATCH_EVENTS_MAX:
        raise MalformedBody(f"more than {limits.BATCH_EVENTS_MAX} events")
    outcomes: list[Accepted | Refused] = []
    for begin, end in spans:
        try:
            outcomes.append(_event(unpack(body[begin:end]), depth, arrival_ns))
        except TooDeepToUnpack:
            outcomes.append(_deep(["data"]).refused())
    return outcomes


def _deep(path: list[str]) -> EventFault:
    why = f"is nested deeper than {limits.NESTING_DEPTH_MAX} levels"
    return _fault(Rule.TOO_DEEP, path, why)


def unpack(body: bytes, hook: Callable[[list[tuple[Any, Any]]], object] = _Map) -> Any:
    """The body's value, each map as `hook` makes it of its pairs.

    Raises MalformedBody, TooDeepToUnpack.
    """
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


def _event(event: Any, depth: int, arrival_ns: int) -> Accepted | Refused:
    if not isinstance(event, _Map):
        return Refused(Rule.NOT_AN_OBJECT, 'event is not an object like {"data":{...}}')
    members = {_text(name): value for name, value in event if isinstance(name, str | bytes)}
    try:
        if "data" not in members:
            raise EventFault(Rule.DATA_MISSING, "data", "is missing")
        data = _data(members["data"], depth)
        rate = members.get("samplerate")
        return Accepted(
            event_time(members.get("time"), arrival_ns),
            1 if rate is None else json_events.sample_rate(number_text(rate)),
            data,
        )
    except EventFault as fault:
        return fault.refused()


def _text(name: str | bytes) -> str:
    return name if isinstance(name, str) else name.decode(errors="replace")


def number_text(value: Any) -> bytes:
    """A number as JSON writes it; empty for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value).encode() if is_number else b""


def event_time(value: Any, arrival_ns: int) -> int:
    """Unix ns of a timestamp, number, string or nil. A float stands for its shortest decimal text.

    Raises EventFault.
    """
    try:
        if value is None:
            return arrival_ns
        if isinstance(value, msgpack.Timestamp):
            return timestamp_ns(value.seconds, value.nanoseconds)
        if isinstance(value, str):
            return parse_time(value)
        return parse_time(number_text(value).decode())
    except BadTime as error:
        raise EventFault(Rule.TIME, "time", str(error)) from error


def _data(value: Any, depth: int) -> bytes:
    if not isinstance(value, _Map):
        raise EventFault(Rule.DATA_NOT_AN_OBJECT, "data", "is not an object")
    pieces: list[bytes] = []
    _write(value, ["data"], pieces)
    return fast_json.check_event(b"".join(pieces), depth)


def _write(value: Any, path: list[str], pieces: list[bytes]) -> None:
    """Append the value's JSON. Recursion is bounded by the nesting limit."""
    if len(path) > limits.NESTING_DEPTH_MAX and isinstance(value, list):
        raise _fault(
            Rule.TOO_DEEP, path, f"is nested deeper than {limits.NESTING_DEPTH_MAX} levels"
        )
    if isinstance(value, _Map):
        separator = b"{"
        for name, member in value or ():
            key = _key(name, path)
            pieces += (separator, _string(key, path), b":")
            path.append(key)
            _write(member, path, pieces)
            path.pop()
            separator = b","
        pieces.append(b"}" if value else b"{}")
    elif isinstance(value, list):
        separator = b"["
        path.append("")
        for item in value:
            pieces.append(separator)
            _write(item, path, pieces)
            separator = b","
        path.pop()
        pieces.append(b"]" if value else b"[]")
    else:
        pieces.append(_scalar(value, path))


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
        if not math.isfinite(value):
            raise _fault(Rule.NOT_FINITE, path, "NaN and Infinity cannot be stored; send a string")
        return repr(value).encode()
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, bytes):
        return _string(_bin_text(value), path)
    if isinstance(value, msgpack.Timestamp):
        try:
            return _string(format_rfc3339(timestamp_ns(value.seconds, value.nanoseconds)), path)
        except BadTime as error:
            raise _fault(Rule.UNSUPPORTED_VALUE, path, str(error)) from error
    raise _fault(Rule.UNSUPPORTED_VALUE, path, "is a msgpack extension that is not supported")


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
