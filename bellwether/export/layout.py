"""Which columns a file has: a plain name for each field, safe where two of them would meet.

Programs that read tables fold case (`Status` and `status` are one column to DuckDB), and a column
of a typed file has one type. So a field keeps its own name where it can; of those that would meet,
the first one by name keeps it and others get a number; of a field with values of several types, the
most frequent type keeps the name and the others say theirs.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

EXACT_WHOLE_MAX: Final = 2**53  # beyond it a double is not every whole number
TIME, RATE = "time", "samplerate"
_UNNAMED: Final = "unnamed"  # the field whose name is empty


class Kind(StrEnum):
    """What a value is; in order: of types as frequent as others the first keeps the name."""

    WHOLE = "integer"
    REAL = "float"
    FLAG = "boolean"
    TEXT = "string"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file. kinds: of the field's values that it holds; kind: of the column."""

    name: str
    field: str
    kind: Kind
    kinds: frozenset[Kind]

    @property
    def is_renamed(self) -> bool:
        """Whether its name is not the field's."""
        return self.name != self.field


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file. time, rate: names of the two that every event has."""

    time: str
    rate: str
    columns: tuple[Column, ...]

    @property
    def renamed(self) -> list[Column]:
        """The columns that are not called like their fields."""
        return [column for column in self.columns if column.is_renamed]


class FieldsSeen:
    """The fields of some events: how many values of each kind."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[Kind]] = {}
        self._not_exact: set[str] = set()  # with a whole number that no double is

    def add(self, data: Mapping[str, msgspec.Raw]) -> None:
        """One event."""
        for field, value in data.items():
            kind = kind_of(value)
            if kind is None:
                continue
            self._counts.setdefault(field, Counter())[kind] += 1
            if kind is Kind.WHOLE and abs(int(bytes(value))) > EXACT_WHOLE_MAX:
                self._not_exact.add(field)

    def layout(self, *, typed: bool) -> Layout:
        """The columns, by name. typed: whether a column has one type; else it holds any value."""
        taken = _Names(self._counts)
        time, rate = taken.own(TIME), taken.own(RATE)
        kinds = {
            field: self._kinds(field) if typed else [frozenset(self._counts[field])]
            for field in sorted(self._counts)
        }
        plain = {field: taken.give(field) for field in kinds}  # before those that say a type
        columns: list[Column] = []
        for field, parts in kinds.items():
            for at, some in enumerate(parts):
                kind = _together(some)
                name = taken.give(f"{field or _UNNAMED}.{kind}") if at else plain[field]
                columns.append(Column(name, field, kind, some))
        return Layout(time, rate, tuple(columns))

    def _kinds(self, field: str) -> list[frozenset[Kind]]:
        """The kinds that have a column together; the most frequent first."""
        counts = self._counts[field]
        numbers = {Kind.WHOLE, Kind.REAL}
        parts = [{kind} for kind in counts]
        if numbers <= counts.keys() and field not in self._not_exact:
            parts = [part for part in parts if not part & numbers] + [numbers]
        order = list(Kind)

        def rank(part: set[Kind]) -> tuple[int, int]:
            return -sum(counts[kind] for kind in part), min(map(order.index, part))

        return [frozenset(part) for part in sorted(parts, key=rank)]


def kind_of(value: msgspec.Raw) -> Kind | None:
    """What a JSON value is; None for null."""
    text = bytes(value)
    first = text[:1]
    if first == b'"':
        return Kind.TEXT
    if first in (b"t", b"f"):
        return Kind.FLAG
    if first in (b"{", b"["):
        return Kind.JSON
    if first == b"n":
        return None
    return Kind.REAL if any(mark in text for mark in b".eE") else Kind.WHOLE


def _together(kinds: Iterable[Kind]) -> Kind:
    """The kind of a column that holds these."""
    some = set(kinds)
    if len(some) == 1:
        return some.pop()
    return Kind.REAL if some == {Kind.WHOLE, Kind.REAL} else Kind.TEXT


class _Names:
    """Names that differ whatever their case, and also once Unicode's case is folded."""

    def __init__(self, fields: Iterable[str]) -> None:
        self._fields = {field.casefold() for field in fields}
        self._given: set[str] = set()

    def own(self, name: str) -> str:
        """The name of a column of ours, which gives way to fields that are called like it."""
        while name in self._fields:
            name = f"event.{name}"
        return self.give(name)

    def give(self, wanted: str) -> str:
        """The name, or the first free one with a number behind it."""
        wanted = wanted or _UNNAMED
        name, number = wanted, 1
        while name.casefold() in self._given:
            number += 1
            name = f"{wanted}_{number}"
        self._given.add(name.casefold())
        return name
