"""Gathers spans of all partitions over several datasets of an environment (ADR 0055).

Everything about traces is made of what `gather` returns. Shares are sent to indexers and reconciled
like those of a query: each batch counts once, and the coverage says what is missing (I2, I7).
"""

from functools import partial

import pyarrow as pa

from common import limits
from common.errors import Unprocessable
from common.metadata import ApiKey
from query.http.access import requester_of
from query.http.environment import EnvironmentDatasets, NamedDatasets, NoDatasetYet
from query.plan.parts.spans import SpanQuery
from query.plan.plan import Plan
from query.results.answer import PlanResult
from query.results.notes.coverage import CoverageRequirement
from query.results.runner import QueryRunner
from query.traces.merge import merged, united
from query.traces.trace_ids import stored_forms
from query.traces.wanted import SpansWanted, SpanTable

_ANY_COVERAGE = CoverageRequirement()


class SpanExchange:
    """Gathers spans. One instance of each query role."""

    def __init__(self, runner: QueryRunner, datasets: EnvironmentDatasets) -> None:
        self._runner = runner
        self._datasets = datasets

    async def gather(
        self, wanted: SpansWanted, key: ApiKey, required: CoverageRequirement = _ANY_COVERAGE
    ) -> SpanTable:
        """The spans, or traces.

        Raises Unprocessable for more than `limits.SPANS_MAX` rows or `limits.SPANS_BYTES_MAX`
        bytes, or too many ids; DatasetNotFound; as `QueryRunner.run_plan` and
        `EnvironmentDatasets.named` do.
        """
        named = await self._datasets.named(key, wanted.datasets)
        if not named.datasets:
            raise NoDatasetYet
        query = span_query(wanted, named)
        requester = requester_of(key)

        def make_plan(*, at_least: dict[int, int], wait_ms: int, log: str) -> Plan:
            return Plan(
                dataset="",
                start_ns=wanted.start_ns,
                end_ns=wanted.end_ns,
                needs=(),
                filters=wanted.filters,
                any_filter=wanted.any_filter,
                log=log,
                at_least=at_least,
                wait_ms=wait_ms,
                spans=query,
                env=requester.env,
                key=requester.key,
            )

        found: PlanResult[pa.Table] = await self._runner.run_plan(
            make_plan, partial(merge_spans, wanted, query, named), required, requester
        )
        return SpanTable(found.result, found.coverage, found.notes, found.types, wanted.fields)


def span_query(wanted: SpansWanted, named: NamedDatasets) -> SpanQuery:
    """What shares are asked. Raises Unprocessable for too many ids."""
    trace_ids: tuple[str, ...] | None = None
    if wanted.trace_ids is not None:
        if len(wanted.trace_ids) > limits.TRACE_IDS_MAX:
            raise Unprocessable(f"at most {limits.TRACE_IDS_MAX} traces are named by their ids")
        forms = (form for one in wanted.trace_ids for form in stored_forms(one))
        trace_ids = tuple(dict.fromkeys(forms))
    return SpanQuery(
        datasets=named.datasets,
        per=wanted.per,
        trace_ids=trace_ids,
        fields=wanted.fields,
        with_data=wanted.with_data,
        rows_max=limits.SPANS_MAX,
        bytes_max=limits.SPANS_BYTES_MAX,
    )


def merge_spans(
    wanted: SpansWanted, query: SpanQuery, named: NamedDatasets, states: list[dict[str, pa.Table]]
) -> pa.Table:
    """The rows of all shares, in their order. Raises ShareTooHeavy."""
    rows = united([state["main"] for state in states], query)
    return merged(rows, wanted.per, named.names, wanted.limit)
