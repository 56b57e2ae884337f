"""What every tool answers: typed values and the same as a text, within what a context window takes.

Integers beyond 2^53 are strings, as JSON's readers would round them; what is no number is null.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, Field

from common import limits

Cell = str | int | float | bool | None
_EXACT_MAX: Final = 2**53  # the largest integer that every reader of JSON keeps exactly
_CUT: Final = "…"


class Coverage(BaseModel):
    """Which stored events an answer includes."""

    model_config = ConfigDict(extra="forbid")

    complete: bool = Field(description="Whether every partition is included.")
    statement: str = Field(description="The same in words, with what is missing.")


class Answer(BaseModel, ABC):
    """What every answer has."""

    model_config = ConfigDict(extra="forbid")

    coverage: Coverage
    notes: list[str] = Field(default=[], description="What a reader could not guess.")
    more: str = Field(default="", description="How to get the rest; empty: this is all.")

    @abstractmethod
    def lines(self) -> Iterable[str]:
        """The answer as text, without notes and coverage."""

    def reply(self) -> CallToolResult:
        """The answer as the protocol has it."""
        lines = [*self.lines()]
        lines += [self.more] if self.more else []
        lines += [f"note: {note}" for note in self.notes]
        lines.append(f"coverage: {self.coverage.statement}")
        return CallToolResult(
            content=[TextContent(type="text", text="\n".join(lines))],
            structured_content=self.model_dump(mode="json"),
        )


class Fitted(NamedTuple):
    """Rows that fit. shown: how many. cut: whether a value was shortened."""

    rows: list[list[Cell]]
    shown: int
    cut: bool


def fit(rows: Iterable[Sequence[object]], chars: int = limits.AGENT_ANSWER_CHARS_MAX) -> Fitted:
    """The first rows whose values take no more characters than that; at least one."""
    fitted: list[list[Cell]] = []
    was_cut = False
    for row in rows:
        cells = [cell(value) for value in row]
        was_cut |= any(isinstance(one, str) and one.endswith(_CUT) for one in cells)
        chars -= sum(len(one) + 3 if isinstance(one, str) else 8 for one in cells)
        if fitted and chars < 0:
            break
        fitted.append(cells)
    return Fitted(fitted, len(fitted), was_cut)


def cell(value: object, most: int = limits.AGENT_CELL_CHARS_MAX) -> Cell:
    """A value as every client reads it; what is longer than `most` characters ends with a mark."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_EXACT_MAX <= value <= _EXACT_MAX else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= most else text[: most - 1] + _CUT


def coverage_of(answer: Mapping[str, Any]) -> Coverage:
    """The coverage that an answer of the API states."""
    found = answer.get("coverage")
    if not isinstance(found, dict):
        return Coverage(complete=True, statement="no events are read for this")
    partitions = found.get("partitions") or []
    lacking = [one for one in partitions if not one.get("complete", True)]
    if found.get("complete"):
        return Coverage(complete=True, statement=f"complete, all {len(partitions)} partitions")
    named = ", ".join(
        f"{one.get('partition')} ({one.get('reason') or 'in part'})" for one in lacking[:10]
    )
    more = f" and {len(lacking) - 10} more" if len(lacking) > 10 else ""
    return Coverage(
        complete=False,
        statement=f"INCOMPLETE: events are missing; partitions {named or 'unknown'}{more}. "
        "Say so when you use this answer, or ask again.",
    )


def notes_of(answer: Mapping[str, Any], *more: str) -> list[str]:
    """The notes of an answer of the API, and others."""
    found = [*(str(note) for note in answer.get("notes") or ()), *filter(None, more)]
    return found[: limits.AGENT_NOTES_MAX]


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], none: str) -> Iterable[str]:
    """Lines with values apart by ` | `; `none` if there are no rows."""
    if not rows:
        yield none
        return
    yield " | ".join(columns)
    for row in rows:
        yield " | ".join(map(_shown, row))


def _shown(value: Cell) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\n", "\\n").replace("|", "\\|")
