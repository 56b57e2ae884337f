"""Which fields a dataset has, and which values a field has."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any
from urllib.parse import quote

from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of, table
from assistant.api import Api, Calling
from assistant.arguments import DatasetName, LastSeconds
from common import limits

_EXAMPLES = 5
_VALUE_CHARS = 60


class FieldFound(BaseModel):
    """A field."""

    name: str
    types: list[str] = Field(description="Types that its values have.")
    share: float | None = Field(description="Of the events of the range, those that have it.")
    meaning: str
    examples: list[Cell]


class Fields(Answer):
    """Fields of a dataset by name."""

    dataset: str
    events: int | None = Field(description="Events of the range; null: they were not counted.")
    fields: list[FieldFound]
    next: str | None = Field(description="Give it as `after_field` for the page that follows.")

    def lines(self) -> Iterable[str]:
        if not self.fields:
            yield "no fields"
        for one in self.fields:
            share = "" if one.share is None else f", in {one.share:.1%} of events"
            about = f", {one.meaning}" if one.meaning else ""
            shown = ", ".join(str(value) for value in one.examples)
            yield f"- {one.name} ({'/'.join(one.types)}{share}{about}): {shown}"


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
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 100,
        after_field: Annotated[str | None, Field(description="`next` of the page before.")] = None,
        last_seconds: LastSeconds = None,
    ) -> Annotated[CallToolResult, Fields]:
        """The fields of a dataset by name: types, share of events, examples of values."""
        body: dict[str, Any] = {
            "dataset": dataset, "match": match, "limit": limit, "samples": _EXAMPLES,
        }  # fmt: skip
        if after_field:
            body["cursor"] = after_field
        if last_seconds:
            body["time_range"] = last_seconds
        answer = await self._api.post(calling, "/bw/1/fields", body)
        fitted = fit([[str(one["name"]), *_examples(one)] for one in answer["fields"]])
        shown = answer["fields"][: fitted.shown]
        following = answer["next"] if fitted.shown == len(answer["fields"]) else shown[-1]["name"]
        notes = notes_of(answer)
        if not shown and match and not after_field:
            notes += await self._near(calling, dataset, match)
        return Fields(
            coverage=coverage_of(answer),
            notes=notes,
            more=f"there are more: list_fields with after_field={following!r}" if following else "",
            dataset=dataset,
            events=answer.get("events"),
            fields=[
                FieldFound(
                    name=one["name"],
                    types=one["types"],
                    share=one.get("share"),
                    meaning=_meaning(one),
                    examples=_examples(one),
                )
                for one in shown
            ],
            next=following,
        ).reply()

    async def list_values(
        self,
        calling: Calling,
        dataset: DatasetName,
        field: Annotated[str, Field(min_length=1, description="A field's name.")],
        prefix: Annotated[str, Field(description="Only values that begin with it.")] = "",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 50,
        last_seconds: LastSeconds = None,
    ) -> Annotated[CallToolResult, Values]:
        """The values of a field, the most frequent first, each with its number of events."""
        spec: dict[str, Any] = {
            "calculations": [{"op": "COUNT"}],
            "breakdowns": [field],
            "filters": [{"column": field, "op": "exists"}],
            "orders": [{"op": "COUNT", "order": "descending"}],
            "limit": limit,
        }
        if prefix:
            spec["filters"] = [{"column": field, "op": "starts-with", "value": prefix}]
        if last_seconds:
            spec["time_range"] = last_seconds
        path = f"/1/query_results/{quote(dataset, safe='')}"
        body = {"query": spec, "wait_s": limits.AGENT_WAIT_S, "disable_series": True}
        answer = await self._api.post(calling, path, body)
        counts = [one["data"] for one in (answer.get("data") or {}).get("results", [])]
        fitted = fit([[one.get(field), one["COUNT"]] for one in counts])
        full = fitted.shown < len(counts) or len(counts) >= limit
        return Values(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more="there may be more: give a `prefix`, or a larger `limit`" if full else "",
            dataset=dataset,
            field=field,
            values=fitted.rows,
        ).reply()

    async def _near(self, calling: Calling, dataset: str, name: str) -> list[str]:
        """Notes with names that are near to one that no field has."""
        body = {"dataset": dataset, "name": name, "details": False}
        answer = await self._api.post(calling, "/bw/1/fields", body)
        return notes_of(answer)


def _examples(field: dict[str, Any]) -> list[Cell]:
    return [cell(value, _VALUE_CHARS) for value in field.get("samples") or ()]


def _meaning(field: dict[str, Any]) -> str:
    """What people and senders say about a field."""
    metric = field.get("metric") or {}
    said = [field.get("description"), metric.get("description"), metric.get("unit")]
    return "; ".join(str(cell(one)) for one in said if one)
