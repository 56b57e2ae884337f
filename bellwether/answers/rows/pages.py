"""Pages of events from `POST /bw/1/rows`, one after the other; memory holds one page.

Events stay the bytes that came, so that no digit is lost: a field's value is its JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bellwether.client import ClientError

if TYPE_CHECKING:
    from bellwether.client.caller import Caller

PAGE_ROWS: Final = 5_000  # of one request where many are wanted; the server ends pages at 8 MiB
PATH: Final = "/bw/1/rows"


class Event(msgspec.Struct, frozen=True):
    """time: RFC 3339. data: the JSON text of each field's value, in the order of their names.

    matches: fields that hold a text that was searched for.
    """

    time: str
    samplerate: int
    data: dict[str, msgspec.Raw]
    matches: tuple[str, ...] = ()


class Page(msgspec.Struct, frozen=True):
    """An answer. newest: time of the dataset's newest event, where no event matched."""

    rows: list[msgspec.Raw]
    start: str
    end: str
    next: str | None
    coverage: dict[str, Any]
    notes: list[str]
    newest: str | None = None


def pages(caller: Caller, question: dict[str, Any], most: int | None) -> Iterator[Page]:
    """The answer's pages, with at most so many events together. Raises ClientError."""
    left, cursor = most, None
    while left is None or left > 0:
        limit = PAGE_ROWS if left is None else min(left, PAGE_ROWS)
        body = {**question, "limit": limit} | ({} if cursor is None else {"cursor": cursor})
        page = read_page(caller, body)
        yield page
        cursor = page.next
        if cursor is None:
            return
        if left is not None:
            left -= len(page.rows)


def read_page(caller: Caller, body: dict[str, Any]) -> Page:
    """One page. Raises ClientError."""
    try:
        return msgspec.json.decode(caller.raw("POST", PATH, body), type=Page)
    except msgspec.DecodeError as error:
        raise ClientError(f"{PATH} gave an answer that is no page of events: {error}") from error


def event_of(row: msgspec.Raw) -> Event:
    """The event of a row. Raises ClientError."""
    try:
        return msgspec.json.decode(row, type=Event)
    except msgspec.DecodeError as error:
        raise ClientError(f"{PATH} gave an event that cannot be read: {error}") from error
