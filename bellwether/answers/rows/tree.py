"""One event as a tree: dotted names grouped, nested JSON unfolded, long texts cut and said so."""

import json
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from bellwether.answers.rows.cells import cut
from bellwether.answers.rows.pages import Event
from bellwether.output import printable

_LINES_MAX: Final = 60  # of one text: a stack trace
_CHARS_MAX: Final = 4_000  # of one text
_FLAT: Final = 200  # characters of an array that has no parts of its own
_INLINE: Final = 60  # a JSON array or object that is no longer stays on one line


class _Digits(str):
    """A number as it is written."""

    __slots__ = ()


class _Node:
    """A part of a name: perhaps a value, perhaps parts below."""

    __slots__ = ("parts", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.parts: dict[str, _Node] = {}


def tree_lines(event: Event) -> Iterator[str]:
    """The lines of the tree."""
    stands = f"  (stands for {event.samplerate:,} events)" if event.samplerate != 1 else ""
    yield f"{event.time}{stands}"
    if event.matches:
        yield f"found in {', '.join(map(printable, event.matches))}"
    root = _Node()
    for name, value in event.data.items():
        node = root
        for part in name.split("."):
            node = node.parts.setdefault(part, _Node())
        node.value = (value,)
    yield from _branches(_collapsed(root), "")
    if not event.data:
        yield "└─ (no fields)"


def _collapsed(node: _Node) -> list[tuple[str, Any, list[Any]]]:
    """Items of (name, value in a tuple or None, items below); a chain of names is one."""
    items = []
    for name, part in node.parts.items():
        while part.value is None and len(part.parts) == 1:
            [(below, part)] = part.parts.items()
            name = f"{name}.{below}"
        items.append((name, part.value, _collapsed(part)))
    return items


def _branches(items: list[tuple[str, Any, list[Any]]], indent: str) -> Iterator[str]:
    names = max((len(printable(name)) for name, value, _ in items if value), default=0)
    for at, (name, value, below) in enumerate(items):
        last = at + 1 == len(items)
        head = f"{indent}{'└─' if last else '├─'} "
        inner = indent + ("   " if last else "│  ")
        shown = printable(name)
        if value is None:
            yield head + shown
        else:
            decoded = json.loads(
                bytes(value[0]), parse_int=_Digits, parse_float=_Digits, parse_constant=_Digits
            )
            yield from _value(head, shown.ljust(min(names, 32)), decoded, inner)
        yield from _branches(below, inner)


def _value(head: str, name: str, value: Any, inner: str) -> Iterator[str]:
    """A value beside its name, or below it if it has parts or lines."""
    if isinstance(value, dict | list):
        text = _compact(value)
        if len(text) <= _INLINE:
            yield f"{head}{name}  {printable(text)}"
            return
        if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
            yield f"{head}{name}  {cut(printable(text[:_FLAT]), _FLAT - 1)}  ({len(value):,} items)"
            return
        yield head + name.rstrip()
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        named = [(f"{k}" if isinstance(value, dict) else f"[{k}]", v) for k, v in pairs]
        for at, (part, below) in enumerate(named):
            last = at + 1 == len(named)
            begin = f"{inner}{'└─' if last else '├─'} "
            yield from _value(begin, printable(part), below, inner + ("   " if last else "│  "))
        return
    if isinstance(value, str) and not isinstance(value, _Digits):
        yield from _text(head, name, value, inner)
        return
    yield f"{head}{name}  {_compact(value)}"


def _text(head: str, name: str, text: str, inner: str) -> Iterator[str]:
    lines = text[:_CHARS_MAX].splitlines() or [""]
    whole = len(text) <= _CHARS_MAX and len(lines) <= _LINES_MAX
    if len(lines) == 1:
        shown = printable(lines[0]) or '""'
        yield f"{head}{name}  {shown}"
    else:
        yield head + name.rstrip()
        for one in lines[:_LINES_MAX]:
            yield f"{inner}  {printable(one)}"
    if not whole:
        yield f"{inner}  … {len(text):,} characters in all: --json shows them"


def _compact(value: Any) -> str:
    """JSON on one line, with the digits that are stored."""
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, dict):
        inside = (f"{_compact(name)}:{_compact(one)}" for name, one in value.items())
        return "{" + ", ".join(inside) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_compact, value)) + "]"
    return msgspec.json.encode(value).decode()
