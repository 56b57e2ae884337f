"""What people and agents asked before."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Literal

import msgspec
from mcp.types import CallToolResult
from pydantic import Field

from assistant.answers import Answer, Cell, coverage_of, fit, notes_of, table
from assistant.api import Api, Calling
from common import limits
from query.text.written import written

_COLUMNS = {
    "newest": (
        "time", "kind", "dataset", "asked", "duration_ms", "rows_read", "bytes_read", "status",
        "error", "complete", "key_name", "client",
    ),
    "slow": (
        "kind", "dataset", "asked", "slowest_ms", "usual_ms", "queued_ms", "times", "rows_read",
        "bytes_read",
    ),
    "keys": (
        "key_name", "key_id", "times", "time_ms", "usual_ms", "slowest_ms", "rows_read",
        "bytes_read",
    ),
}  # fmt: skip


class History(Answer):
    """Questions with what they took."""

    columns: list[str]
    rows: list[list[Cell]]
    next: str | None = Field(description="Give it as `cursor` for the page that follows.")

    def lines(self) -> Iterable[str]:
        return table(self.columns, self.rows, "no questions in that time")


class HistoryTools:
    """Tools about questions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return (self.list_queries,)

    async def list_queries(
        self,
        calling: Calling,
        view: Annotated[
            Literal["newest", "slow", "keys"],
            Field(description="Every one; the slowest, each once; or sums by key."),
        ] = "newest",
        dataset: Annotated[str | None, Field(description="Only questions to it.")] = None,
        key: Annotated[str | None, Field(description="Only with the key of this name.")] = None,
        failed: Annotated[bool, Field(description="Only those without an answer.")] = False,
        last_seconds: Annotated[int, Field(ge=1, le=10 * 366 * 86_400)] = 86_400,
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 20,
        cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None,
    ) -> Annotated[CallToolResult, History]:
        """What was asked in this environment, by whom, how long it took and what it read."""
        given = {"view": view, "last_s": str(last_seconds), "limit": str(limit)}
        given |= {"failed": "true"} if failed else {}
        named = {"dataset": dataset, "key": key, "cursor": cursor}
        given |= {name: value for name, value in named.items() if value}
        answer = await self._api.get(calling, "/bw/1/queries", given)
        columns, found = list(_COLUMNS[view]), answer["queries"]
        fitted = fit([_shown(one, name) for name in columns] for one in found)
        following = answer["next"]
        if view == "newest" and fitted.shown < len(found):
            shorter = given | {"limit": str(fitted.shown)}
            following = (await self._api.get(calling, "/bw/1/queries", shorter))["next"]
        more = f"there are older ones: list_queries with cursor={following!r}" if following else ""
        if view != "newest" and (fitted.shown < len(found) or len(found) >= limit):
            more = "there may be more: narrow with dataset or key, or raise `limit`"
        return History(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=more,
            columns=columns,
            rows=fitted.rows,
            next=following,
        ).reply()


def _shown(question: dict[str, Any], column: str) -> object:
    """A value; a query as text where there is one."""
    value = question.get(column)
    if column != "asked" or question.get("kind") != "query" or not isinstance(value, str):
        return value
    try:
        return written(msgspec.json.decode(value)) or value
    except (msgspec.DecodeError, AttributeError):  # its end is not kept
        return value
