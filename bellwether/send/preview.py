"""How events would be stored: fields, types and times, without sending anything."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bellwether.send.prepare.flatten import members
from bellwether.send.prepare.prepare import Ready
from common.scan.json_tokens import BadValue, TokenKind, number_value, string_value

PREVIEW_EVENTS = 1_000
_TYPES = {
    TokenKind.STRING: "string",
    TokenKind.TRUE: "boolean",
    TokenKind.FALSE: "boolean",
    TokenKind.OBJECT_START: "json",
    TokenKind.ARRAY_START: "json",
    TokenKind.NULL: "absent",
    TokenKind.NOT_FINITE: "refused",
}
_EXAMPLE_CHARS = 60


@dataclass(slots=True)
class FieldPreview:
    """One field: how many events have it, as which types, and a first value."""

    name: str
    events: int = 0
    types: Counter[str] = field(default_factory=Counter)
    example: str = ""


@dataclass(slots=True)
class Preview:
    """The first events of a file as they would be stored."""

    events: list[Ready] = field(default_factory=list)
    refused: list[Ready] = field(default_factory=list)
    fields: dict[str, FieldPreview] = field(default_factory=dict)
    time_from: Counter[str] = field(default_factory=Counter)


def preview(items: Iterable[Ready]) -> Preview:
    """Collect the first events."""
    found = Preview()
    for number, item in enumerate(items):
        if number >= PREVIEW_EVENTS:
            break
        if item.error is not None:
            found.refused.append(item)
            continue
        found.events.append(item)
        found.time_from[item.time_from] += 1
        # of a name that comes twice the last value counts, as in the store
        for name, (kind, text) in {n: (k, t) for n, k, t in members(item.data, 0)}.items():
            shape = _type(kind, text)
            if shape == "absent":
                continue
            seen = found.fields.setdefault(name, FieldPreview(name))
            seen.events += 1
            seen.types[shape] += 1
            seen.example = seen.example or _example(kind, text)
    return found


def _type(kind: TokenKind, text: bytes) -> str:
    if kind is not TokenKind.NUMBER:
        return _TYPES[kind]
    try:
        return "integer" if isinstance(number_value(text, 0, len(text)), int) else "float"
    except BadValue:
        return "refused"


def _example(kind: TokenKind, text: bytes) -> str:
    shown = string_value(text, 0, len(text)) if kind is TokenKind.STRING else text.decode()
    line = " ".join(shown.split())
    return line if len(line) <= _EXAMPLE_CHARS else f"{line[: _EXAMPLE_CHARS - 1]}…"
