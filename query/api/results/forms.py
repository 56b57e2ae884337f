"""The form in which a result's series are read: as they are kept, or converted on the way out.

An answer is kept in the form that it was asked for. Whoever reads it in another one, as a colleague
who opens a link, waits for a thread that converts it; these are few, and fair between callers.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.process.fair.requester import Requester
from query.api.results.memory import StoredResult
from query.faults import SpecError
from query.results.merge.turns import MergeTurns
from query.results.series_forms.columns import COLUMNS, FORMS, ROWS
from query.results.series_forms.convert import converted
from query.results.totals.series import SERIES, TOTAL_SERIES

MEMBER: Final = "series_form"
_Members = dict[str, msgspec.Raw]


def form_in_body(body: Mapping[str, Any]) -> str:
    """How the caller wants series. Raises SpecError."""
    return _checked(body.get(MEMBER, ROWS))


def form_in_url(request: web.Request) -> str:
    """As `form_in_body`, of `?series_form=`."""
    return _checked(request.query.get(MEMBER, ROWS))


def _checked(value: object) -> str:
    if not isinstance(value, str) or value not in FORMS:
        raise SpecError(MEMBER, "invalid", f"must be one of {', '.join(FORMS)}")
    return value


class ResultForms:
    """Bodies of results in the form that is wanted. Use it from one event loop."""

    def __init__(self) -> None:
        self._turns = MergeTurns(limits.RESULTS_WAITING_MAX)

    async def body(self, result: StoredResult, form: str, requester: Requester) -> bytes | None:
        """The result's body; None while its query runs. Raises TooManyRequests, Unavailable."""
        body = result.body
        if body is None or result.series_form == form:
            return body
        return await self._turns.merge(requester, partial(in_form, result.query, body, form))


def in_form(query: bytes, body: bytes, form: str) -> bytes:
    """query, body: of a result, its series in the other form. All but the series stays as it is."""
    breakdowns: list[str] = msgspec.json.decode(query).get("breakdowns") or []
    members = msgspec.json.decode(body, type=_Members)
    members["data"] = _data(members["data"], breakdowns, form)
    if "compare" in members:
        beside = msgspec.json.decode(members["compare"], type=_Members)
        beside["data"] = _data(beside["data"], breakdowns, form)
        members["compare"] = _raw(beside)
    return msgspec.json.encode(members)


def _data(data: msgspec.Raw, breakdowns: list[str], form: str) -> msgspec.Raw:
    members = msgspec.json.decode(data, type=_Members)
    for name, of in ((SERIES, breakdowns), (TOTAL_SERIES, [])):
        if name in members:
            members[name] = msgspec.Raw(converted(bytes(members[name]), of, form))
    return _raw(members)


def _raw(members: _Members) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(members))


def rows_of(result: StoredResult) -> bytes:
    """The body of a finished result, its series as rows."""
    assert result.body is not None
    if result.series_form == COLUMNS:
        return in_form(result.query, result.body, ROWS)
    return result.body
