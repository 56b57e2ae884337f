"""The same fields as `read_event` returns, for the events that orjson represents exactly.

A shortcut, never an authority: whatever orjson refuses or could lose goes to `read_event`. It
keeps one member per key, so an event that could hold two objects under one key, whose fields
would be united by unpacking, is read exactly; so is every value that must stay source text.
Equality of both ways is a property test.
"""

import orjson

from common import limits
from common.scan.json_tokens import INT64_MAX, INT64_MIN
from indexer.shred.event import Fields, read_event

_FLAT = frozenset((str, int, float, bool, type(None)))


def read_event_fast(data: bytes, depth: int) -> Fields:
    """What `read_event(data, depth)` returns or raises."""
    try:
        members = orjson.loads(data)
    except orjson.JSONDecodeError:
        return read_event(data, depth)
    if type(members) is not dict:
        return read_event(data, depth)
    kinds = set(map(type, members.values()))
    if not kinds <= _FLAT or not _has_every_member(data, depth, members):
        return read_event(data, depth)
    if type(None) in kinds:
        members = {name: value for name, value in members.items() if value is not None}
    if int in kinds:
        for name, value in members.items():
            if type(value) is int and not INT64_MIN <= value <= INT64_MAX:
                members[name] = float(value)
    return members


def _has_every_member(data: bytes, depth: int, members: Fields) -> bool:
    """Whether no container that matters hides behind a later member of the same key.

    At depth 0 the later member wins, and only nesting too deep to be stored would matter. Else:
    one brace is the event's own; with more, they stand in strings if the quotes are just those of
    the keys and strings that are there.
    """
    braces = data.count(b"{")
    if braces + data.count(b"[") <= (limits.NESTING_DEPTH_MAX if depth == 0 else 1):
        return True
    strings = sum(type(value) is str for value in members.values())
    return data.count(b'"') == 2 * (len(members) + strings)
