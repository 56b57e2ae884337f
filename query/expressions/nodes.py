"""The nodes of an expression. Operators are calls of the functions that they stand for.

start, end: of the words in the text, half open; of a call the name or the operator.
depth: of a node without nodes in it 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

Value = int | float | bool | str | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A value. None: null."""

    value: Value
    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the event, stored or calculated."""

    name: str
    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """A function of arguments."""

    function: str
    args: tuple["Node", ...]
    start: int
    end: int
    depth: int


Node = Literal | Column | Call


def columns_of(node: Node) -> Iterator[Column]:
    """Every field that the expression names, in the order of its text, repeated ones too."""
    if isinstance(node, Column):
        yield node
    elif isinstance(node, Call):
        for one in node.args:
            yield from columns_of(one)
