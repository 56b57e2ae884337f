"""Reads the body of a request for a result: which query, and how it is to be answered."""

from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from common import limits
from query.api.results.forms import form_in_body
from query.api.stored_queries import StoredQueries
from query.faults import SpecError
from query.http.environment import EnvironmentDatasets
from query.http.requests import DatasetRequest
from query.plan.parts.spans import SpanDataset
from query.plan.planner import QueryRequest, build_request, needs_definitions
from query.plan.read.axis import QUERY_AXES
from query.plan.read.checks import object_of, whole_of
from query.plan.read.spec import read_spec
from query.results.relations.question import named_relations


class Asked(NamedTuple):
    """A query to run.

    id: of the stored specification; empty if it came with the request.
    spec: the specification as it was sent.
    """

    id: str
    spec: dict[str, Any]

    @property
    def json(self) -> bytes:
        """The member `query` of its result."""
        return msgspec.json.encode({"id": self.id, **self.spec} if self.id else self.spec)


async def read_asked(begun: DatasetRequest, stored: StoredQueries) -> Asked:
    """The query that the body names or holds. Raises SpecError, NotFound."""
    query_id, inline = begun.body.get("query_id"), begun.body.get("query")
    if inline is not None and query_id is None:
        return Asked("", object_of(inline, "query"))
    if not isinstance(query_id, str) or inline is not None:
        raise SpecError("query_id", "missing", "give query_id, or the query itself as `query`")
    found = await stored.find(begun.key, begun.dataset, query_id)
    return Asked(found.id, msgspec.json.decode(found.spec_json))


async def read_request(
    begun: DatasetRequest, asked: Asked, known: EnvironmentDatasets
) -> QueryRequest:
    """The query with its times resolved. Raises SpecError, and as `EnvironmentDatasets.asked`."""
    body = begun.body
    limit = whole_of(body, "limit", 1, limits.QUERY_LIMIT_NO_SERIES_MAX)
    spec, around = read_spec(asked.spec, QUERY_AXES), tuple[SpanDataset, ...]()
    datasets = around
    if named_relations(spec):
        around = (await known.every(begun.key)).datasets
    if around or needs_definitions(spec, begun.dataset):
        datasets = await known.asked(begun.key, begun.dataset)
    return build_request(
        spec,
        begun.dataset,
        begun.now_ns,
        disable_series=_flag(body, "disable_series", False),
        with_total=not _flag(body, "disable_total_by_aggregate", True),
        with_other=not _flag(body, "disable_other_by_aggregate", True),
        limit=limit,
        datasets=datasets,
        around=around,
        series_form=form_in_body(body),
        env=begun.key.environment.id,
        key=begun.key.id,
    )


def _flag(body: dict[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise SpecError(name, "incorrect_type", "must be true or false")
    return value


def wait_in_body(body: dict[str, Any]) -> float:
    """How long the caller waits for the answer, in s. Raises SpecError."""
    value = body.get("wait_s", 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError("wait_s", "incorrect_type", "must be a number of seconds")
    return float(min(max(value, 0), limits.QUERY_WAIT_S_MAX))


def wait_in_url(request: web.Request) -> float:
    """As `wait_in_body`, of `?wait_s=`."""
    text = request.query.get("wait_s", "0")
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value:
        raise SpecError("wait_s", "incorrect_type", "must be a number of seconds")
    return min(max(value, 0.0), float(limits.QUERY_WAIT_S_MAX))
