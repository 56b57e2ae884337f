"""Running a query, as a text or as a specification, and reading on in its result."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult
from pydantic import Field

from assistant.answers import Answer, Cell, cell, coverage_of, fit, notes_of, table
from assistant.api import Api, Calling
from assistant.arguments import DatasetName, read_text
from common import limits

_POLL_S = 30.0
_BINS_SHOWN = 20  # of a heatmap, neighbours put together: a cell of some 400 characters
RowsMax = Annotated[int, Field(ge=1, le=limits.AGENT_ROWS_MAX, description="Rows to return.")]


class QueryAnswer(Answer):
    """Groups with their values, or their steps in time."""

    dataset: str
    result_id: str = Field(description="For get_result, which reads on in the same answer.")
    start: int = Field(description="Of the range, unix seconds.")
    end: int
    step_s: int = Field(description="Length of a step in time.")
    columns: list[str]
    rows: list[list[Cell]] = Field(description="Values in the order of the columns.")
    offset: int = Field(description="Number of the first row in the whole answer.")
    rows_in_all: int
    total: dict[str, Cell] | None = Field(description="Over all groups, also those not shown.")

    def lines(self) -> Iterable[str]:
        yield from table(self.columns, self.rows, "no rows: no event matches")
        if self.total is not None:
            yield f"all groups together: {', '.join(f'{k} = {v}' for k, v in self.total.items())}"
        first = f"from row {self.offset + 1}, " if self.offset else ""
        yield f"{len(self.rows)} of {self.rows_in_all} rows, {first}result {self.result_id}"


class QueryTools:
    """Tools that calculate."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return self.run_query, self.get_result

    async def run_query(
        self,
        calling: Calling,
        dataset: DatasetName,
        query: Annotated[str, Field(max_length=100_000, description="The question as text.")] = "",
        specification: Annotated[
            dict[str, Any] | None,
            Field(description="Instead of `query`: Honeycomb's query specification."),
        ] = None,
        series: Annotated[bool, Field(description="Steps in time instead of totals.")] = False,
        rows: RowsMax = limits.AGENT_ROWS_DEFAULT,
    ) -> Annotated[CallToolResult, QueryAnswer]:
        """Calculate over the events of a dataset, by groups, as totals or in steps of time.

        As text: COUNT, P99(duration_ms) WHERE status >= 500 AND name = 'GET /a' GROUP BY service
        HAVING COUNT > 10 ORDER BY COUNT DESC LIMIT 20 LAST 2h EVERY 5m. Calculations: COUNT, SUM,
        AVG, MIN, MAX, COUNT_DISTINCT, P001 to P999, HEATMAP, CONCURRENCY, RATE_SUM, RATE_AVG,
        RATE_MAX. Conditions: = != > >= < <= IN CONTAINS STARTS-WITH EXISTS, joined by AND or OR;
        SEARCH "a word" looks into every text field. Ranges: LAST 1h, or SINCE 2026-01-31 UNTIL
        2026-02-01. COMPARE 1d puts earlier values beside the present ones. PER trace.trace_id
        calculates over whole traces: COUNT, P95(extent_ms) PER trace.trace_id GROUP BY datacenter.
        A field's name with blanks stands in backticks.
        """
        spec = _specification(dataset, query, specification)
        body: dict[str, Any] = {
            "query": spec,
            "wait_s": limits.AGENT_WAIT_S,
            "disable_series": not series,
            "disable_total_by_aggregate": False,
        }
        path = _path(dataset)
        deadline_s = asyncio.get_running_loop().time() + limits.AGENT_QUERY_S_MAX
        answer = await self._api.post(calling, path, body)
        while not answer["complete"]:
            if asyncio.get_running_loop().time() > deadline_s:
                raise ToolError(
                    f"the query still runs: get_result with result_id {answer['id']} fetches its "
                    "answer later, or ask about a shorter time range"
                )
            given = {"wait_s": str(_POLL_S)}
            answer = await self._api.get(calling, f"{path}/{answer['id']}", given)
        return _page(dataset, answer, series=series, offset=0, most=rows).reply()

    async def get_result(
        self,
        calling: Calling,
        dataset: DatasetName,
        result_id: Annotated[str, Field(min_length=1, max_length=200)],
        offset: Annotated[int, Field(ge=0, description="Rows to leave out before.")] = 0,
        series: Annotated[bool, Field(description="Steps in time instead of totals.")] = False,
        rows: RowsMax = limits.AGENT_ROWS_DEFAULT,
    ) -> Annotated[CallToolResult, QueryAnswer]:
        """Read on in the result of run_query, without running it again."""
        path = f"{_path(dataset)}/{quote(result_id, safe='')}"
        answer = await self._api.get(calling, path, {"wait_s": str(_POLL_S)})
        if not answer["complete"]:
            raise ToolError("the query still runs: ask again")
        return _page(dataset, answer, series=series, offset=offset, most=rows).reply()


def _specification(dataset: str, query: str, given: dict[str, Any] | None) -> dict[str, Any]:
    if (given is None) == (not query.strip()):
        raise ToolError("give either `query`, such as 'COUNT GROUP BY service', or `specification`")
    if given is not None:
        return given
    found = read_text(query)
    if found.dataset not in (None, dataset):
        raise ToolError(f"FROM names {found.dataset!r} and `dataset` {dataset!r}: leave one out")
    if found.spec.get("rows"):
        raise ToolError("SELECT * shows events: list_rows does that")
    return dict(found.spec)


def _path(dataset: str) -> str:
    return f"/1/query_results/{quote(dataset, safe='')}"


def _page(
    dataset: str, answer: dict[str, Any], *, series: bool, offset: int, most: int
) -> QueryAnswer:
    data = answer["data"]
    found = data.get("series" if series else "results") or []
    columns = _columns(answer["query"], found, series=series)
    names = columns[1:] if series else columns
    earlier = _earlier(answer, found, names) if not series else {}
    before = [name for name in names if name in earlier]
    rows = (
        [*([one["time"]] if series else []), *(_value(one["data"].get(name)) for name in names),
         *(_value(earlier[name][at]) for name in before)]
        for at, one in enumerate(found[offset : offset + most], offset)
    )  # fmt: skip
    fitted = fit(rows)
    columns = [*columns, *(f"{name} before" for name in before)]
    total = data.get("total_by_aggregate")
    following = offset + fitted.shown
    more = f"rows from {following} on: get_result with result_id={answer['id']!r}, "
    more += f"offset={following}" + (", series=true" if series else "")
    cut = "some values are cut: list_rows shows them with fewer fields" if fitted.cut else ""
    return QueryAnswer(
        coverage=coverage_of(answer),
        notes=notes_of(answer, cut),
        more=more if following < len(found) else "",
        dataset=dataset,
        result_id=answer["id"],
        start=answer["range"]["start_time"],
        end=answer["range"]["end_time"],
        step_s=answer["range"]["granularity"],
        columns=columns,
        rows=fitted.rows,
        offset=offset,
        rows_in_all=len(found),
        total=total and {name: cell(_value(value)) for name, value in total.items()},
    )


def _value(value: Any) -> Any:
    """Bins of a heatmap as one short text each; anything else as it is."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return value
    each = -(-len(value) // _BINS_SHOWN)
    some = (value[at : at + each] for at in range(0, len(value), each))
    return ", ".join(
        f"{_bound(bins[0]['low'])}..{_bound(bins[-1]['high'])}: {sum(b['count'] for b in bins)}"
        for bins in some
    )


def _bound(number: float | None) -> str:
    return "beyond" if number is None else f"{number:.3g}"


def _earlier(
    answer: dict[str, Any], found: list[dict[str, Any]], names: list[str]
) -> dict[str, list[Any]]:
    """By what was calculated, its value for each group in the range that is compared with."""
    if "compare" not in answer:
        return {}
    groups = answer["query"].get("breakdowns") or []
    listed = answer["compare"]["data"].get("results") or []
    by_group = {
        msgspec.json.encode([one["data"].get(name) for name in groups]): one["data"]
        for one in listed
    }
    present = [msgspec.json.encode([one["data"].get(name) for name in groups]) for one in found]
    return {
        name: [by_group.get(group, {}).get(name) for group in present]
        for name in names if name not in groups
    }  # fmt: skip


def _columns(spec: dict[str, Any], found: list[dict[str, Any]], *, series: bool) -> list[str]:
    """Names of the columns: groups first, then what was calculated."""
    names = dict.fromkeys(spec.get("breakdowns") or [])
    for one in found:  # a group may lack a value that another has
        names |= dict.fromkeys(one["data"])
    return [*(["time"] if series else []), *names]
