"""What types the fields of a workload have: for peers that are told their columns beforehand.

Read from every line and not timed, so that a peer never loses a field or a value for lack of a
sample. A field whose values disagree is text, as is a list; an object has members of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

_INT64_MAX = 2**63 - 1


class Kind(StrEnum):
    """What the values of a field have in common."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    OBJECT = "object"
    MIXED = "mixed"  # also lists and empty objects: kept as JSON text


@dataclass(slots=True)
class Shape:
    """A field. kind: None while only null was seen. times: in so many lines it has a value."""

    kind: Kind | None = None
    times: int = 0
    members: dict[str, "Shape"] = field(default_factory=dict)

    def add(self, value: object) -> None:
        """Take a value into account."""
        if value is None:
            return
        self.times += 1
        self.kind = _common(self.kind, _kind_of(value))
        if isinstance(value, dict):
            for key, below in value.items():
                self.members.setdefault(key, Shape()).add(below)


def shape_of(lines: Iterable[bytes]) -> Shape:
    """The shape of all lines together: an object."""
    whole = Shape(Kind.OBJECT)
    for line in lines:
        whole.add(orjson.loads(line))
    return whole


def _kind_of(value: object) -> Kind:
    match value:
        case bool():
            return Kind.BOOL
        case int():
            return Kind.INT if -_INT64_MAX <= value <= _INT64_MAX else Kind.FLOAT
        case float():
            return Kind.FLOAT
        case str():
            return Kind.TEXT
        case dict():
            return Kind.OBJECT if value else Kind.MIXED
    return Kind.MIXED


def _common(one: Kind | None, other: Kind) -> Kind:
    if one is None or one is other:
        return other
    return Kind.FLOAT if {one, other} == {Kind.INT, Kind.FLOAT} else Kind.MIXED
