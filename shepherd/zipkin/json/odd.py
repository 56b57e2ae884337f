"""Reads a span that a strict JSON parser refuses: NaN, numbers beyond doubles, lone surrogates.

What the events API mends in an event is mended here, before the span's members are looked at.
"""

import json
from typing import Final

from common import limits
from common.scan import json_events
from common.scan import json_tokens as jt
from common.scan.events import Mended
from common.scan.work_budget import Work

_UNPACKED: Final = 1  # names that are told: `tags.a`


def read_closely(raw: bytes, work: Work) -> tuple[object, tuple[Mended, ...]]:
    """The value, and what of it could not be read; None for a value that is no object.

    Raises EventFault for a span that cannot be read, MalformedBody for what is no JSON.
    """
    if raw[:1] != b"{":
        return None, ()
    string_max = limits.LONG_STRING_BYTES_MAX  # the span's events are cut where they have to be
    text, mended = json_events.check_event(raw, _UNPACKED, work, string_max)
    return _with_whole_characters(json.loads(text, parse_int=_integer)), mended


def _integer(text: str) -> int | float:
    return jt.number_value(text.encode(), 0, len(text))


def _with_whole_characters(value: object) -> object:
    """The value, surrogates without their partners replaced. Its nesting is bounded already."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_with_whole_characters(one) for one in value]
    if isinstance(value, dict):
        return {
            _with_whole_characters(name): _with_whole_characters(one) for name, one in value.items()
        }
    return value
