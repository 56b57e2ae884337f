"""Pages of one trace from `GET /bw/1/traces/{trace_id}`; numbers keep the digits that came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

import msgspec

from bellwether.client import ClientError

if TYPE_CHECKING:
    from bellwether.client.caller import Caller

PAGE_LINES: Final = 10_000  # the server's most
PATH: Final = "/bw/1/traces/"


class Open(msgspec.Struct, frozen=True):
    """How an unfinished span is known."""

    how: str
    known_by: str
    since: str
    last: str
    why: str


class Linked(msgspec.Struct, frozen=True):
    """Where a link leads."""

    trace_id: str
    span_id: str


class Line(msgspec.Struct, frozen=True):
    """One line of the tree; members as docs/traces.md describes them."""

    kind: str
    depth: int
    span_id: str
    start: str
    offset_ms: float
    duration_ms: float | None
    name: str = ""
    service: str = ""
    error: bool = False
    self_ms: float | None = None
    message: str = ""
    marks: Sequence[str] = ()
    outside_parent_ms: float = 0.0
    open: Open | None = None
    link: Linked | None = None
    fields: dict[str, msgspec.Raw] = {}


class Page(msgspec.Struct, frozen=True):
    """An answer. lines: each still its JSON. duration_ms: None for a trace of which none came."""

    lines: list[msgspec.Raw]
    trace_id: str
    next: str | None
    coverage: dict[str, Any]
    notes: list[str]
    start: str = ""
    duration_ms: float = 0.0
    spans: int = 0
    events: int = 0
    errors: int = 0
    missing: int = 0
    roots: int = 0
    outside_parent: int = 0
    lines_in_all: int = 0
    silent_s: float = 0.0
    skew_ms: float = 0.0
    open: dict[str, int] = {}
    services: dict[str, int] = {}
    links: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True):
    """A page, and the JSON that it was read from."""

    page: Page
    raw: bytes


def pages(
    caller: Caller, trace_id: str, question: list[tuple[str, str]], most: int | None
) -> Iterator[Answer]:
    """The trace page by page, with at most so many lines together. Raises ClientError."""
    left, cursor = most, None
    while left is None or left > 0:
        limit = PAGE_LINES if left is None else min(left, PAGE_LINES)
        parameters = [*question, ("limit", str(limit))]
        if cursor is not None:
            parameters.append(("cursor", cursor))
        path = f"{PATH}{quote(trace_id, safe='')}?{urlencode(parameters)}"
        raw = caller.raw("GET", path)
        try:
            page = msgspec.json.decode(raw, type=Page)
        except msgspec.DecodeError as error:
            raise ClientError(f"{PATH} gave an answer that is no trace: {error}") from error
        yield Answer(page, raw)
        cursor = page.next
        if cursor is None or not page.lines:
            return
        if left is not None:
            left -= len(page.lines)


def read_line(raw: msgspec.Raw) -> Line:
    """One line. Raises ClientError."""
    try:
        return msgspec.json.decode(raw, type=Line)
    except msgspec.DecodeError as error:
        raise ClientError(f"{PATH} gave a line that cannot be read: {error}") from error


def united(answers: Sequence[Answer]) -> bytes:
    """One JSON document of several pages: the first one with the lines of all."""
    if len(answers) == 1:
        return answers[0].raw
    document = msgspec.json.decode(answers[0].raw, type=dict[str, msgspec.Raw])
    lines = b",".join(bytes(line) for answer in answers for line in answer.page.lines)
    document["lines"] = msgspec.Raw(b"[%b]" % lines)
    document["next"] = msgspec.Raw(msgspec.json.encode(answers[-1].page.next))
    return msgspec.json.encode(document)
