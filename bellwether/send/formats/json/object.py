"""One event from one JSON object's text.

The text is kept as it stands (docs/events.md says what becomes of it), so that long integers,
duplicate names and every digit reach the store. An object whose only members are `data` (an
object), `time` and `samplerate` is read as the API's own envelope.
"""

import orjson

from bellwether.send.event import Members, Parsed
from bellwether.send.prepare.flatten import Member, members
from common.scan.json_tokens import (
    BadValue,
    JsonSyntaxError,
    TokenKind,
    number_value,
    string_value,
)
from common.scan.rates import read_rate

_ENVELOPE = {"data", "time", "samplerate"}


def values_of(text: bytes) -> Members | None:
    """The values of what is surely one object of valid JSON and no envelope: the fast way. None
    means to look again, exactly: orjson is stricter than the store.
    """
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if type(values) is not dict or ("data" in values and values.keys() <= _ENVELOPE):
        return None
    return values


def read_object(text: bytes, line: int, end: int) -> Parsed:
    """The event of an object, or why there is none."""
    values = values_of(text)
    if values is not None:
        return Parsed(line, end, text, None, None, None, text, values)
    try:
        parts = members(text, 0)
    except (JsonSyntaxError, BadValue) as error:
        return Parsed(line, end, error=f"not a JSON object: {error}", source=text)
    if not _is_envelope(parts):
        return Parsed(line, end, text, source=text)
    found = {name: (kind, value) for name, kind, value in parts}
    try:
        time = _scalar(found.get("time"))
        rate = _rate(found.get("samplerate"))
    except BadValue as error:
        return Parsed(line, end, error=str(error), source=text)
    return Parsed(line, end, found["data"][1], time, rate, source=text)


def _is_envelope(parts: list[Member]) -> bool:
    names = [name for name, _, _ in parts]
    data = [kind for name, kind, _ in parts if name == "data"]
    return data == [TokenKind.OBJECT_START] and set(names) <= _ENVELOPE


def _scalar(member: tuple[TokenKind, bytes] | None) -> str | None:
    """A text, or a number as it is written: a double would lose nanoseconds."""
    if member is None or member[0] is TokenKind.NULL:
        return None
    kind, text = member
    if kind is TokenKind.STRING:
        return string_value(text, 0, len(text))
    if kind is TokenKind.NUMBER:
        number_value(text, 0, len(text))  # raises for one that is beyond every double
        return text.decode()
    raise BadValue("time must be a text or a number")


def _rate(member: tuple[TokenKind, bytes] | None) -> int | None:
    """The sample rate, read as the API reads it: no rate costs an event."""
    if member is None or member[0] is TokenKind.NULL:
        return None
    kind, text = member
    written = string_value(text, 0, len(text)) if kind is TokenKind.STRING else text.decode()
    rate, _ = read_rate(written)
    return None if rate == 1 else rate
