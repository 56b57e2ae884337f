"""In which fields some events differ from the others."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of
from assistant.api import Api, Calling
from assistant.arguments import Conditions, DatasetName, read_conditions
from common import limits

_VALUES = 3  # of a field, that are told
_VALUE_CHARS = 80


class Telling(BaseModel):
    """A value or a part of the numbers, and how often it is on both sides."""

    value: Cell
    inside: float = Field(description="Share of the events inside, 0 to 1.")
    outside: float


class FieldDiffers(BaseModel):
    """A field whose values differ."""

    name: str
    score: float = Field(description="How much it differs, 0 to 1, beyond what is chance.")
    confidence: float = Field(description="That it differs at all.")
    missing_inside: float = Field(description="Share of events without it.")
    missing_outside: float
    median_inside: float | None = Field(description="Of numbers.")
    median_outside: float | None
    values: list[Telling] = Field(description="Those whose shares differ most.")


class Differences(Answer):
    """Fields in which the selected events differ, the most telling first."""

    dataset: str
    inside: int = Field(description="Events of the selection, with their sample rates.")
    outside: int
    fields: list[FieldDiffers]
    same: list[str] = Field(description="Fields of the selection, or that follow from it.")
    differing: int = Field(description="Fields that differ, also those not listed.")

    def lines(self) -> Iterable[str]:
        yield f"{self.inside} events inside, {self.outside} outside"
        if not self.fields:
            yield "no field differs beyond chance"
        for one in self.fields:
            parts = [
                f"{value.value}: {value.inside:.1%} inside, {value.outside:.1%} outside"
                for value in one.values
            ]
            if one.median_inside is not None or one.median_outside is not None:
                parts.append(f"median {one.median_inside} inside, {one.median_outside} outside")
            if one.missing_inside != one.missing_outside:
                parts.append(
                    f"missing in {one.missing_inside:.1%} inside, {one.missing_outside:.1%} outside"
                )
            yield f"- {one.name} (score {one.score:.2f}): {'; '.join(parts)}"
        if self.same:
            yield f"of the selection itself: {', '.join(self.same)}"


class DifferenceTools:
    """Tools that compare events."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return (self.find_differences,)

    async def find_differences(
        self,
        calling: Calling,
        dataset: DatasetName,
        selection: Annotated[
            str,
            Field(
                min_length=1,
                max_length=20_000,
                description="Conditions of the events to explain: duration_ms > 500 AND error = "
                "true. They are compared with the others of the range.",
            ),
        ],
        conditions: Conditions = "",
        match: Annotated[str, Field(description="Only fields of this name or shape (* ?).")] = "",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 20,
    ) -> Annotated[CallToolResult, Differences]:
        """What slow, failed or otherwise selected events have in common that others have not.

        Every field is looked at. `conditions` choose the events of both sides, and the range.
        """
        chosen = read_conditions(_with_where(selection))
        if not chosen.get("filters") or chosen.keys() & {"time_range", "limit"}:
            raise ToolError("`selection` has conditions alone; a time range stands in `conditions`")
        query = read_conditions(conditions)
        query.pop("limit", None)
        body = {"dataset": dataset, "query": query, "selection": chosen, "limit": limit}
        if match:
            body["match"] = match
        answer = await self._api.post(calling, "/bw/1/differences", body)
        found = [_field(one) for one in answer["fields"][: answer["differing"]]]
        fitted = fit([one.name, *(value.value for value in one.values)] for one in found)
        left = max(0, answer["differing"] - fitted.shown)
        return Differences(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=f"{left} more fields differ less: raise `limit`, or give `match`" if left else "",
            dataset=dataset,
            inside=answer["inside"]["events"],
            outside=answer["outside"]["events"],
            fields=found[: fitted.shown],
            same=[one["name"] if isinstance(one, dict) else str(one) for one in answer["same"]][
                : limits.AGENT_LISTED_MAX
            ],
            differing=answer["differing"],
        ).reply()


def _with_where(text: str) -> str:
    return text if text.lstrip().upper().startswith("WHERE") else f"WHERE {text}"


def _field(one: dict[str, Any]) -> FieldDiffers:
    told = [
        Telling(
            value=cell(value["value"], _VALUE_CHARS),
            inside=value["inside"]["share"],
            outside=value["outside"]["share"],
        )
        for value in one.get("values", ())
    ]
    told += [
        Telling(
            value=f"{part['from']:g} to {part['to']:g}",
            inside=part["inside"]["share"],
            outside=part["outside"]["share"],
        )
        for part in one.get("histogram", ())
    ]
    told.sort(key=lambda value: -abs(value.inside - value.outside))
    return FieldDiffers(
        name=one["name"],
        score=one["score"],
        confidence=one["confidence"],
        missing_inside=one["missing"]["inside"]["share"],
        missing_outside=one["missing"]["outside"]["share"],
        median_inside=(one.get("inside") or {}).get("median"),
        median_outside=(one.get("outside") or {}).get("median"),
        values=told[:_VALUES],
    )
