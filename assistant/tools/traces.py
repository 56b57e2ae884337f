"""One trace, a search for traces, and what differs between two."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of, table
from assistant.api import Api, Calling
from assistant.arguments import Conditions, TraceId
from common import limits

_SPAN_LINES = 100  # of a page, unless asked for otherwise
_FIELDS_MAX = 20


class Line(BaseModel):
    """A line of a trace's tree: a span, or what happened in one."""

    kind: str
    depth: int
    span_id: str
    name: str
    service: str
    offset_ms: float | None = Field(description="After the start of the trace.")
    duration_ms: float | None = Field(description="null: it has not ended, or is a moment.")
    error: bool
    marks: dict[str, Cell] = Field(description="What else is known, and the fields asked for.")


class Trace(Answer):
    """A trace as a tree, depth first."""

    trace_id: str
    start: str | None
    duration_ms: float | None
    spans: int
    errors: int
    services: dict[str, int]
    tree: list[Line]
    next: str | None = Field(description="Give it as `cursor` for the page that follows.")

    def lines(self) -> Iterable[str]:
        if self.start is None:
            yield f"nothing of trace {self.trace_id} could be read"
            return
        yield (
            f"trace {self.trace_id} from {self.start}, {self.duration_ms} ms, {self.spans} spans, "
            f"{self.errors} errors"
        )
        for one in self.tree:
            took = "?" if one.duration_ms is None else f"{one.duration_ms:g} ms"
            marks = "".join(f" {name}={value}" for name, value in one.marks.items())
            failed = "! " if one.error else ""
            at = "?" if one.offset_ms is None else f"{one.offset_ms:g}"
            yield (
                f"{'  ' * one.depth}{failed}{one.service} {one.name} +{at} ms, {took}"
                f" [{one.span_id}]{marks}"
            )


class Traces(Answer):
    """Traces that were found."""

    columns: list[str]
    rows: list[list[Cell]]
    found: int = Field(description="Traces that meet the conditions.")

    def lines(self) -> Iterable[str]:
        yield from table(self.columns, self.rows, "no traces")
        yield f"{len(self.rows)} of {self.found} traces"


class Comparison(Answer):
    """What a trace has, lacks or does slower, the most telling first."""

    trace: dict[str, Cell]
    reference: dict[str, Cell]
    counts: dict[str, int] = Field(description="Differences of each kind, also those not shown.")
    differences: list[dict[str, Cell]]

    def lines(self) -> Iterable[str]:
        yield f"{_pairs(self.trace)} compared with {_pairs(self.reference)}"
        if not self.differences:
            yield "no differences"
        for one in self.differences:
            yield f"- {_pairs(one)}"


class TraceTools:
    """Tools about traces."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return self.get_trace, self.search_traces, self.compare_traces

    async def get_trace(
        self,
        calling: Calling,
        trace_id: TraceId,
        fields: Annotated[
            list[str], Field(max_length=_FIELDS_MAX, description="Show these of each span too.")
        ] = [],  # noqa: B006 - it is never changed
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_ROWS_MAX)] = _SPAN_LINES,
        cursor: Annotated[str | None, Field(description="`next` of the page before.")] = None,
    ) -> Annotated[CallToolResult, Trace]:
        """One trace as a tree of its spans, from all datasets and all time."""
        given = [("field", name) for name in fields]
        given += [("cursor", cursor)] if cursor else []
        path = f"/bw/1/traces/{quote(trace_id.strip(), safe='')}?"
        answer = await self._api.get(calling, path + urlencode([*given, ("limit", str(limit))]))
        fitted = fit([*one, *one.values()] for one in answer["lines"])
        shown, following = answer["lines"][: fitted.shown], answer["next"]
        if fitted.shown < len(answer["lines"]):
            # cursors stand between pages: the same page again, as short as it fits
            shorter = urlencode([*given, ("limit", str(fitted.shown))])
            following = (await self._api.get(calling, path + shorter))["next"]
        more = f"there are more lines: get_trace with the same arguments and cursor={following!r}"
        return Trace(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=more if following else "",
            trace_id=answer["trace_id"],
            start=answer.get("start"),
            duration_ms=answer.get("duration_ms"),
            spans=answer.get("spans", 0),  # absent where nobody could be asked
            errors=answer.get("errors", 0),
            services=dict([*(answer.get("services") or {}).items()][:50]),
            tree=[_line(one) for one in shown],
            next=following,
        ).reply()

    async def search_traces(
        self,
        calling: Calling,
        conditions: Conditions = "",
        datasets: Annotated[
            list[str] | None, Field(description="All of the environment unless given.")
        ] = None,
        order: Literal["newest", "slowest", "spans"] = "newest",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 20,
    ) -> Annotated[CallToolResult, Traces]:
        """Traces by what holds of their spans.

        `root.`, `parent.`, `child.`, `any.` and `none.` before a field's name tell which span of
        the trace is meant: WHERE root.name = checkout AND any.error = true LAST 1d.
        """
        body: dict[str, Any] = {"limit": limit, "order": order}
        if conditions.strip():
            body["query"] = conditions
        if datasets:
            body["datasets"] = datasets
        answer = await self._api.post(calling, "/bw/1/traces", body)
        columns = ["trace_id", "start", "duration_ms", "spans", "errors", "root", "services"]
        fitted = fit(
            [
                *(one.get(name) for name in columns[:5]),
                " ".join(str((one.get("root") or {}).get(n) or "") for n in ("service", "name")),
                ", ".join(one.get("services") or []),
            ]
            for one in answer["traces"]
        )
        left = answer["found"] - fitted.shown
        return Traces(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=f"{left} more: narrow the conditions or range, or raise `limit`" if left else "",
            columns=columns,
            rows=fitted.rows,
            found=answer["found"],
        ).reply()

    async def compare_traces(
        self,
        calling: Calling,
        trace: TraceId,
        other: Annotated[str, Field(max_length=256, description="A good trace's id.")] = "",
        against: Annotated[
            str,
            Field(
                max_length=20_000,
                description="Instead of `other`: conditions; it is compared with the typical trace "
                "that meets them: WHERE none.error = true AND root.name = checkout LAST 1d",
            ),
        ] = "",
        limit: Annotated[int, Field(ge=1, le=limits.AGENT_LISTED_MAX)] = 20,
    ) -> Annotated[CallToolResult, Comparison]:
        """What a trace has, lacks or does slower than another, or than the typical good one."""
        if bool(other.strip()) == bool(against.strip()):
            raise ToolError("give either `other`, a trace's id, or `against`, conditions")
        body: dict[str, Any] = {"trace": trace, "limit": limit}
        body |= {"with": other} if other.strip() else {"against": against}
        answer = await self._api.post(calling, "/bw/1/traces/compare", body)
        found = answer["differences"]
        fitted = fit([*one, *one.values()] for one in found)
        counts = {str(name): int(value) for name, value in answer["counts"].items()}
        left = sum(counts.values()) - fitted.shown
        return Comparison(
            coverage=coverage_of(answer),
            notes=notes_of(answer),
            more=f"{left} more differences: raise `limit`" if left > 0 else "",
            trace=_cells(answer["trace"]),
            reference=_cells(answer["reference"]),
            counts=counts,
            differences=[_cells(one) for one in found[: fitted.shown]],
        ).reply()


_OWN = ("kind", "depth", "span_id", "name", "service", "offset_ms", "duration_ms", "error")
_OBVIOUS = ("start", "parent_id", "dataset", "spans_below", "self_ms")


def _line(found: dict[str, Any]) -> Line:
    others = {k: v for k, v in found.items() if k not in (*_OWN, *_OBVIOUS, "fields")}
    return Line(
        kind=found["kind"],
        depth=found["depth"],
        span_id=str(found.get("span_id") or ""),
        name=str(cell(found.get("name") or "")),
        service=str(cell(found.get("service") or "")),
        offset_ms=found.get("offset_ms"),
        duration_ms=found.get("duration_ms"),
        error=bool(found.get("error")),
        marks=_cells(others | (found.get("fields") or {})),
    )


def _cells(found: dict[str, Any]) -> dict[str, Cell]:
    return {name: cell(value) for name, value in found.items()}


def _pairs(found: dict[str, Cell]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items())
