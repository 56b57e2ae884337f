"""The fast path for msgpack bodies of plain events, with exactly the reference's results.

It accepts only what it proves valid: a body in which an event's data holds anything but maps with
different string keys, arrays, strings, integers, ordinary floats (NaN as a field), booleans and nil
goes to `common.scan.msgpack_events` as a whole. Measured on wide events: half of its CPU. A
property test compares the two.
"""

import math
from typing import Any, Final

import orjson

from common import limits
from common.scan import fast_json, msgpack_events, value_repair
from common.scan.events import Accepted, Data, EventFault, MalformedBody, Mended, Refused, Rule
from common.scan.work_budget import Work

_SCALARS: Final = frozenset((str, int, bool, type(None)))
_SCALARS_AND_FLOAT: Final = _SCALARS | {float}
# Between these a float's shortest text has no exponent, and orjson writes it as `repr` does.
_FIXED_MIN: Final = 1e-4
_FIXED_MAX: Final = 1e16
_COLLIDING_MAX: Final = 64  # keys that may collide: at worst some microseconds


class _Unsure(Exception):
    """The reference has to decide."""


def split_batch(
    body: bytes,
    depth: int,
    arrival_ns: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> list[Accepted | Refused]:
    """As `msgpack_events.split_msgpack_batch`."""
    work = work or Work()
    msgpack_events.refuse_at_head(body)
    try:
        events = _unpack(body, work)
        if type(events) is not list or len(events) > limits.BATCH_EVENTS_MAX:
            raise _Unsure
        return [_event(event, depth, arrival_ns) for event in events]
    except _Unsure:
        return msgpack_events.split_msgpack_batch(body, depth, arrival_ns, work, string_max)


def check_event(
    body: bytes,
    depth: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> Data:
    """As `msgpack_events.check_msgpack_event`."""
    work = work or Work()
    try:
        return _data(_unpack(body, work), depth)
    except _Unsure:
        return msgpack_events.check_msgpack_event(body, depth, work, string_max)


def _unpack(body: bytes, work: Work) -> Any:
    try:
        return msgpack_events.unpack(body, _as_dict, work)
    except (MalformedBody, msgpack_events.TooDeepToUnpack, TypeError) as error:  # unhashable keys
        raise _Unsure from error


def _as_dict(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Many keys only if all are strings, whose hashes are secret: numbers can be chosen so that
    they collide, and each costs as much as all before it.
    """
    if len(pairs) > _COLLIDING_MAX and {type(name) for name, _ in pairs} != {str}:
        raise _Unsure
    found = dict(pairs)
    if len(found) != len(pairs):  # a repeated key: of the envelope, or of a field
        raise _Unsure
    return found


def _event(event: Any, depth: int, arrival_ns: int) -> Accepted | Refused:
    if type(event) is not dict or set(map(type, event)) != {str}:
        raise _Unsure
    data, mended = _data(event.get("data"), depth)
    rate, rated = msgpack_events.sample_rate(event.get("samplerate"))
    try:
        time_ns = msgpack_events.event_time(event.get("time"), arrival_ns)
        return Accepted(time_ns, rate, data, mended + rated)
    except EventFault:  # the reference decides which of several faults is reported
        raise _Unsure from None


def _data(value: Any, depth: int) -> Data:
    if type(value) is not dict or not value:
        raise _Unsure
    try:
        text = orjson.dumps(value)  # keys are strings, text is UTF-8, nesting is bounded
    except TypeError as error:
        raise _Unsure from error
    if not fast_json.counts_prove(text, depth):
        raise _Unsure
    if _is_plain(value):
        return Data(text)
    return Data(text, _dropped(value))


def _dropped(value: dict[str, Any]) -> tuple[Mended, ...]:
    """The fields of an otherwise plain event that are no finite number: orjson wrote null."""
    others = {}
    dropped = []
    for name, member in value.items():
        if type(member) is float and not math.isfinite(member):
            dropped.append(value_repair.changed_field(Rule.NOT_FINITE, name))
        else:
            others[name] = member
    if not _is_plain(others):
        raise _Unsure
    return tuple(dict.fromkeys(dropped))


def _is_plain(value: dict[str, Any]) -> bool:
    """Whether orjson wrote it as the reference does. Nesting is bounded by the caller."""
    values = value.values()
    kinds = set(map(type, values))
    if kinds <= _SCALARS:
        return True
    if kinds <= _SCALARS_AND_FLOAT:
        return all(_is_fixed(number) for number in values if type(number) is float)
    return all(map(_is_plain_value, values))


def _is_plain_value(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return _is_fixed(value)
    if kind is dict:
        return _is_plain(value)
    if kind is list:
        return all(map(_is_plain_value, value))
    return kind in _SCALARS


def _is_fixed(number: float) -> bool:
    return number == 0 or _FIXED_MIN <= abs(number) < _FIXED_MAX  # false for NaN
