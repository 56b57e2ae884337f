"""The same fields as `read_event` returns, for the events that C parsers represent exactly.

A shortcut only: an event that orjson refuses, or of which it could lose members, goes to
`read_event`. orjson keeps one member
per key, so an event in which unpacking could meet a key twice is read exactly. A property test
proves that both give equal fields.
"""

from typing import Any

import msgspec
import orjson

from common import limits
from common.scan.json_tokens import INT64_MAX, INT64_MIN, without_space
from indexer.shred.event import Fields, JsonText, NameBytes, NamesTooLong, read_event

_FLAT = frozenset((str, int, float, bool, type(None)))
_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_event_fast(data: bytes, depth: int) -> Fields:
    """Returns and raises as `read_event(data, depth)`."""
    try:
        members = orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_event(data, depth)
    if type(members) is not dict:
        return read_event(data, depth)
    kinds = set(map(type, members.values()))
    if not _has_every_member(data, depth, members, kinds):
        return read_event(data, depth)
    if not kinds <= _FLAT:
        fields: Fields = {}
        try:
            _unpack(data, members, "", depth, fields, NameBytes())
        except NamesTooLong:
            return read_event(data, 0)
        return fields
    if type(None) in kinds:
        members = {name: value for name, value in members.items() if value is not None}
    if int in kinds:
        for name, value in members.items():
            if type(value) is int and not INT64_MIN <= value <= INT64_MAX:
                members[name] = float(value)
    return members


def _has_every_member(data: bytes, depth: int, members: dict[str, Any], kinds: set[type]) -> bool:
    """Whether no member that matters was replaced by a later one of the same key.

    At depth 0 the later member wins, and only nesting too deep to be stored matters. Otherwise an
    event without any other bracket has no member to replace, and if it has exactly the quotes that
    the parsed keys and strings need, no member is missing.
    """
    braces = data.count(b"{")
    if depth == 0:
        return braces + data.count(b"[") <= limits.NESTING_DEPTH_MAX
    if braces == 1 and kinds <= _FLAT and data.count(b"[") == 0:
        return True
    return braces + data.count(b"[") <= limits.NESTING_DEPTH_MAX and data.count(
        b'"'
    ) == 2 * _strings_in(members)


def _strings_in(value: Any) -> int:
    """Number of keys and strings in a parsed value. The caller bounds the nesting."""
    if type(value) is str:
        return 1
    if type(value) is dict:
        return len(value) + sum(map(_strings_in, value.values()))
    return sum(map(_strings_in, value)) if type(value) is list else 0


def _unpack(
    source: bytes,
    members: dict[str, Any],
    prefix: str,
    depth: int,
    fields: Fields,
    name_bytes: NameBytes,
) -> None:
    """Add the members of the object `source`; containers are taken from their source text."""
    texts = _raw_members.decode(source)
    for key, value in members.items():
        name = prefix + key
        if type(value) is dict and value and depth > 0:
            _unpack(bytes(texts[key]), value, f"{name}.", depth - 1, fields, name_bytes)
            continue
        if prefix:
            name_bytes.add(name)
        if type(value) in (dict, list):
            text = bytes(texts[key])
            fields[name] = JsonText(without_space(text, 0, len(text)).decode())
        elif value is None:
            fields.pop(name, None)
        elif type(value) is int and not INT64_MIN <= value <= INT64_MAX:
            fields[name] = float(value)
        else:
            fields[name] = value
