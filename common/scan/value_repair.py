"""Mends events: replaces values that cannot be stored, so that the event can be.

NaN, Infinity and numbers beyond all doubles become null: a field is absent, a list keeps its
length. A string beyond the limit is cut at a character, and the event names the field in its field
`meta.truncated_fields`. Both are reported as `Mended`, which the shepherd counts. Events are mended
before they are in the log, so all readers of the log see the same event.

Works on the text of an object that is JSON by the rules of `common.scan.json_tokens` and has no
other fault, so every decoder of clients' events can use it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

from common import limits
from common.scan import json_tokens as jt
from common.scan.events import Mended, Rule, too_large
from common.scan.work_budget import STEP_UNITS, Work

MARKER: Final = "meta.truncated_fields"
_MARKER_END: Final = "truncated_fields"
_SEPARATOR: Final = ","
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# A run of members that need no check: names and texts without escapes, numbers without an exponent.
# Nearly all of an ordinary event is one such run.
_PLAIN_MEMBERS = (
    rb'(?:"(?!(?:meta\.)?truncated_fields")[^"\\]*+"[ \t\r\n]*+:[ \t\r\n]*+'
    rb'(?:"[^"\\]{0,999}+"|-?[0-9.]{1,300}+|true|false|null)'
    rb"[ \t\r\n]*+,[ \t\r\n]*+)++"
)
_PART = re.compile(
    rb"%b|(%b)|([{\[])|([}\]])|(,)|(-?Infinity|NaN)|(-?[0-9][0-9.eE+-]*+)"
    % (_PLAIN_MEMBERS, _STRING),
    re.DOTALL,
)
_TEXT, _OPENS, _CLOSES, _COMMA, _NOT_FINITE = range(1, 6)
_EACH_STRING = re.compile(_STRING, re.DOTALL)
_PLAIN_NUMBER_BYTES: Final = 308  # without an exponent, this many digits are within every double
_EVENT_UNITS: Final = 4
_PARTS_PER_UNIT: Final = 2
_BYTES_PER_UNIT: Final = 1_024
_BYTES_PASSED_PER_UNIT: Final = 16_384
_STRINGS_PER_UNIT: Final = 16
_QUOTES: Final = 2
_OBJECT: Final = ord("{")


class _Long(NamedTuple):
    """A string that may have to be cut, and its position in the text as mended so far."""

    begin: int
    end: int
    field: str
    value: bytes  # as UTF-8


def mend(text: bytes, depth: int, string_max: int, work: Work) -> tuple[bytes, tuple[Mended, ...]]:
    """The object's text as it can be stored, and what was changed, each field once.

    depth: to which objects are unpacked, since a field is named as it is stored.
    string_max: bytes of a string, at least STRING_BYTES_MAX. An event that would be too large with
    strings of that length has them cut shorter. Raises EventFault if it is too large even so;
    TooMuchWork.
    """
    walk = _Walk(text, depth, work)
    walk.run()
    rest = len(walk.mended) - walk.long_bytes
    if rest <= limits.EVENT_BYTES_MAX:
        for most in _limits(rest, len(walk.long), string_max):
            mended, changed = _cut(walk, most)
            if len(mended) <= limits.EVENT_BYTES_MAX:
                return mended, changed
    raise too_large()


def has_long_string(text: bytes, work: Work) -> bool:
    """Whether a string in it, or a name, is written with more bytes than a string may have."""
    work.spend(len(text) // _BYTES_PASSED_PER_UNIT + text.count(b'"') // _STRINGS_PER_UNIT)
    longest = limits.STRING_BYTES_MAX + _QUOTES
    return any(found.end() - found.start() > longest for found in _EACH_STRING.finditer(text))


def _limits(rest: int, strings: int, string_max: int) -> Iterator[int]:
    """Lengths to which strings are cut, the best first; others are for events too large for it."""
    yield string_max
    least = limits.STRING_BYTES_MAX
    if strings and string_max > least:
        room = limits.EVENT_BYTES_MAX - rest - 2 * len(MARKER) - limits.TRUNCATED_NAMES_BYTES_MAX
        for eighths in (8, 6, 4, 2):  # escapes make the JSON longer than the text
            if least < (share := room // strings * eighths // 8) < string_max:
                yield share
        yield least


def _cut(walk: "_Walk", most: int) -> tuple[bytes, tuple[Mended, ...]]:
    """The text with its strings cut to `most` bytes, and all fields that were changed."""
    changed = dict.fromkeys(walk.changed)
    fields: dict[str, None] = {}
    pieces: list[bytes] = []
    at = 0
    text = bytes(walk.mended)
    for long in walk.long:
        if len(long.value) > most:
            cut = orjson.dumps(long.value[:most].decode(errors="ignore"))
            pieces += (text[at : long.begin], cut)
            at = long.end
            fields[long.field] = None
            changed[changed_field(Rule.STRING_TOO_LONG, long.field)] = None
    if fields:
        marker = orjson.dumps({MARKER: _named(walk.marker, fields)})
        pieces += (text[at:-1], b",", marker[1:])
    else:
        pieces.append(text[at:])
    return b"".join(pieces), tuple(changed)


def changed_field(rule: Rule, field: str) -> Mended:
    """The report of a changed field."""
    return Mended(rule, field[: limits.FIELD_SHOWN_CHARS_MAX])


def _named(before: str, fields: dict[str, None]) -> str:
    """The marker's value: fields cut here, after those that the event names as cut before."""
    names = dict.fromkeys([*filter(None, before.split(_SEPARATOR)), *fields])
    text = _SEPARATOR.join(names)
    if len(text.encode()) <= limits.TRUNCATED_NAMES_BYTES_MAX:
        return text
    begin = text.encode()[: limits.TRUNCATED_NAMES_BYTES_MAX].decode(errors="ignore")
    return begin.rpartition(_SEPARATOR)[0] + _SEPARATOR + "…"


class _Walk:
    """Walks over an object's text and tracks the current field.

    mended: the text with its numbers mended.
    long: strings that may be cut.
    long_bytes: bytes of those as they are written.
    changed: fields whose numbers were mended.
    marker: the event's own value of the marker: fields that were cut before it came here.
    """

    def __init__(self, text: bytes, depth: int, work: Work) -> None:
        self._text = text
        self._depth = depth
        self._work = work
        self._path: list[str] = []  # the current name in each unpacked object that is open
        self._opaque = 0  # open containers that are not unpacked
        self.long_bytes = 0
        self._objects: list[bool] = []  # of the open containers, which are objects
        self._copied = 0  # up to where the text is in `mended`
        self.mended = bytearray()
        self.long: list[_Long] = []
        self.changed: dict[Mended, None] = {}
        self.marker = ""

    def run(self) -> None:
        """Walk to the end. Raises EventFault once the text is certainly too large, TooMuchWork."""
        text = self._text
        self._work.spend(_EVENT_UNITS + len(text) // _BYTES_PER_UNIT)
        objects = self._objects
        wants_name = False
        parts = 0
        for found in _PART.finditer(text):
            kind = found.lastindex
            parts += 1
            if kind is None:  # plain members
                continue
            if kind == _COMMA:
                wants_name = objects[-1]
            elif kind == _TEXT and wants_name:
                wants_name = False
                if not self._opaque:
                    self._path[-1] = jt.string_value(text, *found.span())
            elif kind == _OPENS:
                wants_name = text[found.start()] == _OBJECT
                objects.append(wants_name)
                self._open(unpacked=wants_name)
            elif kind == _CLOSES:
                objects.pop()
                self._close()
            elif kind == _TEXT:
                self._string(*found.span())
            else:
                self._number(*found.span(), finite=kind != _NOT_FINITE)
            if parts == STEP_UNITS * _PARTS_PER_UNIT:
                self._work.spend(STEP_UNITS)
                parts = 0
                if len(self.mended) - self.long_bytes > limits.EVENT_BYTES_MAX:
                    raise too_large()
        self._work.spend(parts // _PARTS_PER_UNIT)
        self._copy_to(len(text))

    def _open(self, *, unpacked: bool) -> None:
        if unpacked and not self._opaque and len(self._path) <= self._depth:
            self._path.append("")
        else:
            self._opaque += 1

    def _close(self) -> None:
        if self._opaque:
            self._opaque -= 1
        else:
            self._path.pop()

    def _string(self, begin: int, end: int) -> None:
        if end - begin - _QUOTES > limits.STRING_BYTES_MAX:
            value = self._value(begin, end)
            if len(value) > limits.STRING_BYTES_MAX:
                self._copy_to(begin)
                at = len(self.mended)
                self._copy_to(end)
                self.long.append(_Long(at, len(self.mended), self._field(), value))
                self.long_bytes += end - begin
        elif self._path[-1].endswith(_MARKER_END) and self._field() == MARKER:
            self._keep_marker(jt.string_value(self._text, begin, end))

    def _keep_marker(self, names: str) -> None:
        """A text as the marker's value, or in a list there; deeper it is another field."""
        if not self._opaque:
            self.marker = names
        elif self._opaque == 1 and not self._objects[-1]:
            self.marker = f"{self.marker}{_SEPARATOR}{names}"

    def _value(self, begin: int, end: int) -> bytes:
        """The string's text as UTF-8."""
        raw = self._text[begin:end]
        try:
            text = orjson.loads(raw)
        except orjson.JSONDecodeError:  # a surrogate without its partner
            self._work.spend(raw.count(b"\\") // _PARTS_PER_UNIT)
            text = jt.string_value(raw, 0, len(raw))
        return bytes(text.encode())

    def _number(self, begin: int, end: int, *, finite: bool) -> None:
        rule = Rule.NOT_FINITE
        if finite:
            if not _beyond_doubles(self._text[begin:end]):
                return
            rule = Rule.NUMBER_OUT_OF_RANGE
        self._copy_to(begin)
        self.mended += b"null"
        self._copied = end
        self.changed[changed_field(rule, self._field())] = None

    def _copy_to(self, end: int) -> None:
        self.mended += self._text[self._copied : end]
        self._copied = end

    def _field(self) -> str:
        return ".".join(self._path)


def _beyond_doubles(raw: bytes) -> bool:
    if len(raw) <= _PLAIN_NUMBER_BYTES and b"e" not in raw and b"E" not in raw:
        return False
    return float(raw) in (float("inf"), float("-inf"))
