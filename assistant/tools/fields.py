"""Which fields a dataset has, and which values a field has."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of, table
from assistant.api import Api, Calling
from assistant.arguments import DatasetName, OnlyLastSeconds
from common import limits

_EXAMPLES = 5
_VALUE_CHARS = 60


class FieldFound(BaseModel):
    """A field."""

    name: str
    types: list[str] = Field(description="Types that its values have.")
    share: float | None = Field(description="Of events, those that have it.")
    distinct: int | None = Field(description="About how many different values; null: not known.")
    least: Cell = Field(description="Of numbers; of texts how the first begins.")
    greatest: Cell
    meaning: str
    expression: str = Field(description="Of a field that is calculated.")
    examples: list[Cell] = Field(description="Frequent values.")


class Fields(Answer):
    """Fields of a dataset by name."""

    dataset: str
    events: int | None = Field(description="Of which shares are told; null: they were not counted.")
    fields: list[FieldFound]
    next: str | None = Field(description="Give it as `after_field` for the page that follows.")

    def lines(self) -> Iterable[str]:
        if not self.fields:
            yield "no fields"
        for one in self.fields:
            facts = ["calculated" if one.expression else "/".join(one.types)]
            facts += [] if one.share is None else [f"in {one.share:.1%} of events"]
            facts += [] if one.distinct is None else [f"about {one.distinct} values"]
            facts += [] if one.least is None else [f"{one.least} to {one.greatest}"]
            facts += [part for part in (one.meaning, one.expression) if part]
            shown = ", ".join(str(value) for value in one.examples)
            yield f"- {one.name} ({'; '.join(facts)})" + (f": {shown}" if shown else "")


class Values(Answer):
    """Values of a field, the most frequent first."""

    dataset: str
    field: str
    values: list[list[Cell]] = Field(description="Each with the number of its events.")

    def lines(self) -> Iterable[str]:
        return table((self.field, "events"), self.values, "no values")


class FieldTools:
    """Tools about fields."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return self.list_fields, self.list_values

    async def list_fields(
        self,
        calling: Calling,
        dataset: DatasetName,
        match: Annotated[
            str, Field(description="A part of the name, or its shape with * and ?.")
        ] = "",
        search: Annotated[
            str, Field(description="Words, each in the name, the description or a value.")
        ] = "",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 100,
        after_field: Annotated[str | None, Field(description="`next` of the page before.")] = None,
        last_seconds: OnlyLastSeconds = None,
    ) -> Annotated[CallToolResult, Fields]:
        """The fields of a dataset by name: types, share of events, range, frequent values."""
        if last_seconds and search:
            raise ToolError("`search` looks into all stored events: leave `last_seconds` out")
        body: dict[str, Any] = {"match": match, "limit": limit, "samples": _EXAMPLES}
        body |= {"cursor": after_field} if after_field else {}
        if last_seconds:
            body |= {"dataset": dataset, "time_range": last_seconds}
            answer = await self._api.post(calling, "/bw/1/fields", body)
        else:
            body |= {"search": search} if search else {}
            given = {name: str(value) for name, value in body.items()}
            answer = await self._api.get(calling, f"/bw/1/fields/{quote(dataset, safe='')}", given)
        found = [_field(one) for one in answer["fields"]]
        fitted = fit([one.name, one.meaning, one.expression, *one.examples] for one in found)
        shown = found[: fitted.shown]
        following = answer["next"] if fitted.shown == len(found) else shown[-1].name
        notes = notes_of(answer)
        if not shown and match and not after_field:
            notes += await self._near(calling, dataset, match)
        return Fields(
            coverage=coverage_of(answer),
            notes=notes,
            more=f"there are more: list_fields with after_field={following!r}" if following else "",
            dataset=dataset,
            events=answer.get("events", answer.get("stored")),
            fields=shown,
            next=following,
        ).reply()

    async def list_values(
        self,
        calling: Calling,
        dataset: DatasetName,
        field: Annotated[str, Field(min_length=1, description="A field's name.")],
        prefix: Annotated[str, Field(description="Only values that begin with it.")] = "",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 50,
        last_seconds: OnlyLastSeconds = None,
    ) -> Annotated[CallToolResult, Values]:
        """The values of a field, the most frequent first, each with its number of events."""
        if last_seconds:
            answer, counts = await self._counted(
                calling, dataset, field, prefix, limit, last_seconds
            )
            full = len(counts) >= limit
        else:
            path = f"/bw/1/fields/{quote(dataset, safe='')}/values/{quote(field, safe='')}"
            given = {"prefix": prefix, "limit": str(min(limit, limits.FIELD_VALUES_MAX))}
            answer = await self._api.get(calling, path, given)
            counts = [[one["value"], one["stored"]] for one in answer["values"]]
            full = bool(answer["more"])
        fitted = fit(counts)
        more = (
            "there may be more: give a `prefix`, or `last_seconds`, which counts the events"
            if full or fitted.shown < len(counts) else ""
        )  # fmt: skip
        return Values(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=more,
            dataset=dataset,
            field=field,
            values=fitted.rows,
        ).reply()

    async def _counted(
        self, calling: Calling, dataset: str, field: str, prefix: str, limit: int, last_s: int
    ) -> tuple[dict[str, Any], list[list[Any]]]:
        """The values in a time range, by a query: exact, but events are read."""
        exists = {"column": field, "op": "exists"}
        begins = {"column": field, "op": "starts-with", "value": prefix}
        spec = {
            "calculations": [{"op": "COUNT"}],
            "breakdowns": [field],
            "filters": [begins if prefix else exists],
            "orders": [{"op": "COUNT", "order": "descending"}],
            "limit": limit,
            "time_range": last_s,
        }
        path = f"/1/query_results/{quote(dataset, safe='')}"
        body = {"query": spec, "wait_s": limits.AGENT_WAIT_S, "disable_series": True}
        answer: dict[str, Any] = await self._api.post(calling, path, body)
        if not answer["complete"]:
            raise ToolError("counting takes long: give a shorter range, or no `last_seconds`")
        found = (one["data"] for one in answer["data"]["results"])
        return answer, [[one.get(field), one["COUNT"]] for one in found]

    async def _near(self, calling: Calling, dataset: str, name: str) -> list[str]:
        """Notes with names that are near to one that no field has."""
        body = {"dataset": dataset, "name": name, "details": False}
        answer = await self._api.post(calling, "/bw/1/fields", body)
        return notes_of(answer)


def _field(one: dict[str, Any]) -> FieldFound:
    """Of either route."""
    frequent = [value["value"] for value in one.get("values") or ()] or one.get("samples") or ()
    return FieldFound(
        name=one["name"],
        types=one["types"],
        share=one.get("share"),
        distinct=one.get("distinct"),
        least=cell(one.get("least"), _VALUE_CHARS),
        greatest=cell(one.get("greatest"), _VALUE_CHARS),
        meaning=_meaning(one),
        expression=str(cell(one.get("expression") or "")),
        examples=[cell(value, _VALUE_CHARS) for value in frequent],
    )


def _meaning(field: dict[str, Any]) -> str:
    """What people and senders say about a field."""
    metric = field.get("metric") or {}
    said = [field.get("description"), metric.get("description"), metric.get("unit")]
    return "; ".join(str(cell(one)) for one in said if one)
