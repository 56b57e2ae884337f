"""Every question becomes one wide event in the dataset `bellwether` of its own environment.

There only that environment's keys read it. It has the question, whose values may be confidential,
and never the key itself.
"""

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from common import limits
from common.clock import Clock
from common.errors import BellwetherError
from common.metadata import ApiKey
from common.process.fair.requester import Requester
from common.process.telemetry import Owner, Telemetry
from query.asking.question import QUERY, Question, begin_question
from query.asking.rate import PerMinute

EVENT: Final = "query"  # `name` of the events
HUNG_UP: Final = 499  # as nginx has it: the caller went away before there was an answer
_FAILED: Final = 500
_ALL_TIME_S: Final = 2**62 / 1e9  # half of what 64 bits of nanoseconds hold
_CUT: Final = "…"

# Routes that ask about events, and what their questions are called.
KINDS: Final = {
    ("POST", "/1/query_results/{dataset}"): QUERY,
    ("POST", "/bw/1/rows"): "rows",
    ("POST", "/bw/1/fields"): "fields",
    ("GET", "/bw/1/fields/{dataset}"): "fields",
    ("GET", "/bw/1/fields/{dataset}/values/{field}"): "values",
    ("POST", "/bw/1/differences"): "differences",
    ("POST", "/bw/1/flows"): "flows",
    ("POST", "/bw/1/traces"): "traces",
    ("POST", "/bw/1/traces/compare"): "compare",
    ("POST", "/bw/1/traces/examples"): "examples",
    ("GET", "/bw/1/traces/{trace_id}"): "trace",
    ("GET", "/bw/1/tail/{dataset}"): "tail",
    ("POST", "/bw/1/tail/{dataset}"): "tail",
    **{
        ("GET", f"{prefix}/api/v2/{path}"): "zipkin"
        for prefix in ("", "/zipkin")
        for path in (
            "services", "spans", "remoteServices", "traces", "trace/{trace_id}", "traceMany",
            "dependencies",
        )
    },
}  # fmt: skip


class QuestionEvents:
    """Makes the events. Use it from one event loop."""

    def __init__(self, telemetry: Telemetry, clock: Clock, per_minute: int = 0) -> None:
        """per_minute: questions that a key may ask; 0: any number."""
        self._telemetry = telemetry
        self._clock = clock
        self._rate = PerMinute(per_minute, clock)

    def middleware(self) -> Middleware:
        """Begins a question for each request that asks, and tells how it ended."""

        @web.middleware
        async def asked(request: web.Request, handler: Handler) -> web.StreamResponse:
            resource = request.match_info.route.resource
            path = "" if resource is None else resource.canonical
            kind = KINDS.get((request.method, path))
            if kind is None:
                return await handler(request)
            question = Question(kind, self._clock.monotonic_ns(), admit=self._admit)
            question.client = request.headers.get("User-Agent", "")
            question.dataset = request.match_info.get("dataset", "")
            question.asked = _in_address(request)
            begin_question(question)
            status, error = HUNG_UP, ""
            try:
                response = await handler(request)
                status = response.status
                return response
            except BellwetherError as refusal:
                status, error = refusal.status, getattr(refusal, "detail", "") or str(refusal)
                raise
            except ConnectionError:
                raise
            except Exception as failure:
                status, error = _FAILED, type(failure).__name__
                raise
            finally:
                if not question.in_background:
                    self.tell(question, status, error)

        return asked

    def _admit(self, key: ApiKey) -> None:
        self._rate.check(Requester(key.environment.id, key.id), "This key's setting")

    def tell(self, question: Question, status: int, error: str = "") -> None:
        """The question has ended. status: as HTTP has it. error: why, if it has no answer."""
        key = question.key
        if key is None:  # nobody that is known
            return
        fields = sorted(question.fields)[: limits.QUESTION_FIELDS_MAX]
        self._telemetry.emit_for(
            Owner.of(key.team, key.environment),
            EVENT,
            kind=question.kind,
            status=status,
            error=_cut(error, limits.QUESTION_ERROR_CHARS_MAX) or None,
            duration_ms=(self._clock.monotonic_ns() - question.started_ns) / 1e6,
            queued_ms=question.queued_ns / 1e6,
            dataset=_cut(question.dataset, limits.QUESTION_ERROR_CHARS_MAX),
            key_id=key.id,
            key_name=key.name,
            client=_cut(question.client, limits.QUESTION_ERROR_CHARS_MAX),
            asked=_cut(question.asked, limits.QUESTION_CHARS_MAX),
            asked_chars=len(question.asked),
            fields=_cut(", ".join(fields), limits.QUESTION_CHARS_MAX),
            fields_named=len(question.fields),
            range_s=_range_s(question),
            rows_read=question.rows,
            bytes_read=question.size_bytes,
            state_bytes=question.state_bytes,
            complete=question.complete,
            reused=question.reused,
            **question.more,
        )


def _in_address(request: web.Request) -> str:
    """What the address asks: an id or a field's name, else its parameters."""
    named = request.match_info
    return named.get("trace_id") or named.get("field") or request.rel_url.query_string


def _range_s(question: Question) -> float | None:
    """The length of the range; None: none, or all time."""
    if question.start_ns is None or question.end_ns is None:
        return None
    length_s = (question.end_ns - question.start_ns) / 1e9
    return length_s if length_s < _ALL_TIME_S else None


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + _CUT
