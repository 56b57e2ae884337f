"""What to print when no event was found: the range of the query, and where there are events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from bellwether.answers.rows.pages import Page, event_of, read_page
from bellwether.answers.rows.table import short_time
from bellwether.client import ClientError

if TYPE_CHECKING:
    from bellwether.client.caller import Caller

EVER: Final = {"start_time": -9_223_372_036, "end_time": 9_223_372_035}  # whole 64 bits of ns
_TIMES: Final = ("start_time", "end_time", "time_range")


def why_empty(caller: Caller, question: dict[str, Any], page: Page) -> Iterator[str]:
    """Lines for a person. If the search for older events that match fails, its line is left out."""
    dataset = question["dataset"]
    # an answer that lacks partitions does not know that there is none
    reached = "" if page.coverage.get("complete") else " in what could be asked"
    if page.newest is None:
        yield f"no events{reached}" if reached else f"no events: {dataset} has none yet"
        return
    ranged = any(question.get(name) is not None for name in _TIMES)
    where = f"from {short_time(page.start)} to {short_time(page.end)}"
    if not ranged:
        where = "in the last 2 h (the range, where none is named)"
    matching = " match" if question.get("filters") else ""
    text = f"no events{matching} {where}{reached}"
    if not _within(page.newest, page):
        text += f"; the newest of {dataset} is of {short_time(page.newest)}"
    if not question.get("filters"):
        yield f"{text}; try {_since(page.newest)}"
        return
    yield text
    try:
        found = read_page(caller, _ever(question))
    except ClientError:
        return
    if found.rows:
        newest = event_of(found.rows[0]).time
        yield f"the newest that matches is of {short_time(newest)}; try {_since(newest)}"
    elif found.coverage.get("complete"):
        yield f"no event of {dataset} matches, whatever its time"


def _ever(question: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in question.items() if name not in _TIMES}
    return kept | EVER | {"limit": 1, "fields": []}


def _within(time: str, page: Page) -> bool:
    """Whether a time is in the range of a page (texts of one form compare like times)."""
    return _comparable(page.start) <= _comparable(time) < _comparable(page.end)


def _comparable(time: str) -> str:
    whole, _, fraction = time.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"


def _since(time: str) -> str:
    return f"SINCE {time[:10]}"
