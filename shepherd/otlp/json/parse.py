"""Parses the text of an OTLP/JSON request.

Of several members with the same name the last one counts, as in JavaScript, Python and Go. Beyond
JSON, what clients' libraries write is read: NaN and Infinity, surrogates without a partner, control
characters in strings, a byte order mark, and bytes that are no UTF-8.
"""

import json
from typing import Final

import orjson

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.json.scalars import Json

_BYTES_PER_UNIT: Final = 512
_LENIENT_BYTES_PER_UNIT: Final = 64
# The shortest attribute has 35 bytes and two objects: 20 MiB hold fewer than this. A parsed object
# takes some 200 bytes, whatever its text.
_CONTAINERS_MAX: Final = 1_250_000
_EXACT_CHARS: Final = 20  # a longer integer is beyond 64 bits: the nearest double does


def check_size(text: bytes) -> None:
    """Raises MalformedBody for a text that would take too much memory."""
    if len(text) > _CONTAINERS_MAX < text.count(b"{") + text.count(b"["):
        raise MalformedBody(f"more than {_CONTAINERS_MAX} objects and lists")


def parse(text: bytes, work: Work) -> dict[str, Json]:
    """The request's object. Raises MalformedBody, TooMuchWork."""
    value = parse_value(text, work)
    if not isinstance(value, dict):
        raise MalformedBody("it is not a JSON object")
    return value


def parse_value(text: bytes, work: Work) -> Json:
    """Any value. Raises MalformedBody, TooMuchWork."""
    work.spend(1 + len(text) // _BYTES_PER_UNIT)
    try:
        parsed: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        parsed = _parse_leniently(text, work)
    return parsed


def _parse_leniently(text: bytes, work: Work) -> Json:
    work.spend(1 + len(text) // _LENIENT_BYTES_PER_UNIT)
    try:
        readable = text.decode("utf-8-sig", errors="replace")
        parsed: Json = json.loads(readable, strict=False, parse_int=_integer)
        return parsed
    except json.JSONDecodeError as error:
        raise MalformedBody(f"it is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedBody("its JSON is nested too deeply") from None


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _EXACT_CHARS else float(digits)
