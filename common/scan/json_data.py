"""One event's data, read token by token: its first fault, and whether values have to be mended.

Part of the reference scanner (`common.scan.json_events`), which decides the outcome.
"""

from collections.abc import Iterator
from typing import Final

from common import limits
from common.scan import json_tokens as jt
from common.scan.events import EventFault, Rule, names_too_long, too_large, too_many_fields
from common.scan.json_tokens import Token, TokenKind
from common.scan.work_budget import STEP_UNITS, Work

Span = tuple[int, int]
_OPENS: Final = frozenset({TokenKind.OBJECT_START, TokenKind.ARRAY_START})
_CLOSES: Final = frozenset({TokenKind.OBJECT_END, TokenKind.ARRAY_END})
_DEEP_KEYS_NAMED: Final = 20  # names of a fault's path that are shown at most
TOO_LONG: Final = f"the name is longer than {limits.STRING_BYTES_MAX} bytes; shorten it"
TOO_DEEP: Final = f"is nested deeper than {limits.NESTING_DEPTH_MAX} levels; send it as a string"
NOT_UTF8: Final = "is not valid UTF-8"


def data_not_an_object() -> EventFault:
    """The event's member `data` is not an object."""
    return EventFault(Rule.DATA_NOT_AN_OBJECT, "data", "is not an object")


def data_empty() -> EventFault:
    """The event's data is empty."""
    return EventFault(Rule.DATA_EMPTY, "data", "has no fields")


def skip(stream: Iterator[Token], first: Token) -> int:
    """Read the value that `first` begins; returns its end."""
    token, level = first, 0
    while True:
        if token.kind in _OPENS:
            level += 1
        elif token.kind in _CLOSES:
            level -= 1
        if level == 0:
            return token.end
        token = next(stream)


class DataScan:
    """Reads one event's data to its end and keeps the first fault found in it.

    mends: it has values that cannot be stored, for which the event is not refused: see `mending`.
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
            return skip(stream, first)
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
        """Count a field. fresh: the first inside its object: it replaces the object as a field."""
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
        if token.end - token.start - 2 <= limits.STRING_BYTES_MAX and self._ascii(token):
            return False
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
