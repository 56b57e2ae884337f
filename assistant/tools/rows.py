"""The events themselves."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Literal

from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of
from assistant.api import Api, Calling
from assistant.arguments import Conditions, DatasetName, read_conditions
from common import limits

_CUT = "values that end with … are cut"


class Event(BaseModel):
    """An event."""

    time: str = Field(description="RFC 3339 in UTC, to the nanosecond.")
    samplerate: int
    data: dict[str, Cell]


class Events(Answer):
    """Events in the order of time."""

    dataset: str
    events: list[Event]
    next: str | None = Field(description="Give it as `cursor` for the page that follows.")
    newest: str | None = Field(description="Where none matched: time of the dataset's newest.")

    def lines(self) -> Iterable[str]:
        if not self.events:
            at = f"; the newest event of {self.dataset} is of {self.newest}" if self.newest else ""
            yield f"no rows: no event matches{at}"
        for one in self.events:
            rate = "" if one.samplerate == 1 else f" (stands for {one.samplerate})"
            values = ", ".join(f"{name}={value!r}" for name, value in one.data.items())
            yield f"{one.time}{rate} {values}"


class RowTools:
    """Tools that show events."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return (self.list_rows,)

    async def list_rows(
        self,
        calling: Calling,
        dataset: DatasetName,
        conditions: Conditions = "",
        fields: Annotated[
            list[str] | None, Field(description="Only these fields: many more events fit then.")
        ] = None,
        order: Literal["newest", "oldest"] = "newest",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_ROWS_MAX)] = 20,
        cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None,
    ) -> Annotated[CallToolResult, Events]:
        """Events of a dataset that meet conditions, the newest first, each with its fields."""
        body: dict[str, Any] = {"dataset": dataset, **read_conditions(conditions)}
        body |= {"limit": min(limit, body.get("limit", limit)), "order": order}
        if fields is not None:
            body["fields"] = fields
        if cursor:
            body["cursor"] = cursor
        answer = await self._api.post(calling, "/bw/1/rows", body)
        found = answer["rows"]
        fitted = fit([*one["data"], *one["data"].values()] for one in found)
        shown, more, following = found[: fitted.shown], "", answer["next"]
        if fitted.shown < len(found):
            # cursors stand between pages: the same page again, as short as it fits
            following = (
                await self._api.post(calling, "/bw/1/rows", body | {"limit": fitted.shown})
            )["next"]
        if following:
            more = f"there are more: list_rows with the same arguments and cursor={following!r}"
        return Events(
            coverage=coverage_of(answer),
            notes=notes_of(answer, _CUT if fitted.cut else ""),
            more=more,
            dataset=dataset,
            events=[
                Event(
                    time=one["time"],
                    samplerate=one["samplerate"],
                    data={name: cell(value) for name, value in one["data"].items()},
                )
                for one in shown
            ],
            next=following,
            newest=answer.get("newest"),
        ).reply()
