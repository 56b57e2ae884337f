"""The way of an export call: key, room, message, and then the way of every OTLP request (I1, I14).

It is independent of the library: a `Call` gives what a client has sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol

from common import limits
from common.errors import BadRequest, BellwetherError, Unavailable
from common.metadata import ApiKey
from common.process.auth import KeyCache
from common.process.fair.queue import FairLimits
from common.process.fair.slots import FairSlots
from common.process.http.body_reader import BodyTooSlow, Intake
from common.process.trace_context import begin_trace
from shepherd.http.request import (
    CONTENT_ENCODING,
    INTERNAL_ERROR,
    RECEIPT_HEADER,
    IngestRequest,
    IngestResponse,
    IngestRoute,
    request_counter,
)
from shepherd.ingest.accept import AcceptParts, Submission
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.grpc.message_encoding import content_encoding
from shepherd.otlp.grpc.statuses import Status, status_of
from shepherd.otlp.ingest import COUNTED_AS, LIMITS, OtlpIngest, OtlpRequest, read_sender
from shepherd.otlp.media import Media
from shepherd.otlp.repeatable import repeatable
from shepherd.otlp.responses import export_response

EXPORT: Final = "Export"
_SIGNALS: Final = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": Signal.METRICS,
}
_MEDIA: Final = Media.PROTOBUF
_FAULT: Final = BellwetherError(INTERNAL_ERROR)  # one of ours
_logger = logging.getLogger(__name__)


class NoMessage(BadRequest):
    """The call has no message. The library has ended a call whose message is too large."""

    def __init__(self) -> None:
        super().__init__(
            f"the call has no message, or one of more than {limits.OTLP_BODY_BYTES_MAX} bytes"
        )


class Call(Protocol):
    """What a client has sent."""

    def metadata(self) -> Mapping[str, str]:
        """Its metadata that is text, by lower-case names."""

    async def message(self) -> bytes | None:
        """Its message as it was sent; None without one. Waits until all of it has come."""


class Answer(NamedTuple):
    """The end of a call.

    trace_id: of the trace that the call continues or has begun.
    message: an Export*ServiceResponse, for a call that is not refused (`status` is None).
    receipt: what proves that its events are stored; empty if none are.
    """

    status: Status | None
    trace_id: str
    message: bytes = b""
    receipt: str = ""


class Exports:
    """Answers calls of the export methods. Use it from one event loop.

    methods: by the name of the service, the route of its method `Export`.
    """

    def __init__(
        self, accept: AcceptParts, keys: KeyCache, ingest: OtlpIngest, in_flight_bytes_max: int
    ) -> None:
        self._accept = accept
        self._keys = keys
        self._ingest = ingest
        # The library shows a message only when all of it is there, so its bytes cannot be counted
        # as they come: instead, few are received at once, and the others wait unread.
        self._receiving = FairSlots(
            FairLimits(
                running_max=max(
                    limits.GRPC_MESSAGES_MIN, in_flight_bytes_max // limits.GRPC_BYTES_PER_MESSAGE
                ),
                kept_free=limits.GRPC_MESSAGES_KEPT,
                key_kept_free=limits.GRPC_MESSAGES_KEY_KEPT,
                waiting_max=limits.GRPC_MESSAGES_WAITING_MAX,
                waiting_env_max=limits.GRPC_MESSAGES_WAITING_ENV_MAX,
            ),
            "messages",
        )
        self.methods = {
            service: IngestRoute(
                f"/{service}/{EXPORT}", LIMITS, self._handler(signal), has_name=False
            )
            for service, signal in _SIGNALS.items()
        }

    async def answer(self, route: IngestRoute, call: Call) -> Answer:
        """The end of a call. The role's outermost loop: every answer is counted."""
        request = _request(route, call)
        trace_id = begin_trace(request.headers)
        try:
            response = await route.take(request)
        except BellwetherError as error:
            told = repeatable(error)
            answer, status = Answer(status_of(told), trace_id), told.status
        except Exception:
            _logger.exception("a call failed")
            answer, status = Answer(status_of(_FAULT), trace_id), _FAULT.status
        else:
            receipt = response.headers.get(RECEIPT_HEADER, "")
            answer, status = Answer(None, trace_id, response.body, receipt), response.status
        request_counter(route.pattern, status).inc()
        return answer

    def _handler(self, signal: Signal) -> Callable[[IngestRequest], Awaitable[IngestResponse]]:
        async def take(request: IngestRequest) -> IngestResponse:
            sender = await read_sender(request.headers, self._keys, signal)
            with Submission(self._accept, sender.key, request, COUNTED_AS) as submission:
                submission.admit()
                body = await self._receive(submission, sender.key)
                taken = await self._ingest.take(
                    OtlpRequest(signal, _MEDIA, content_encoding(body), body, sender), submission
                )
                return export_response(
                    signal, _MEDIA, taken.receipt, taken.items_refused, taken.error
                )

        return take

    async def _receive(self, submission: Submission, key: ApiKey) -> bytes:
        """The message, in this environment's turn. Raises as `Submission.receive`, Unavailable."""
        waits = True
        try:
            async with asyncio.timeout(limits.GRPC_TURN_WAIT_S) as timer:
                async with self._receiving.hold(key.environment.id, key.id):
                    waits = False
                    now_s = asyncio.get_running_loop().time()
                    timer.reschedule(now_s + limits.BODY_READ_TIMEOUT_S)
                    return await submission.receive()
        except TimeoutError as error:
            if waits:
                raise Unavailable("too many messages are being received; try again") from error
            raise BodyTooSlow from error


def _request(route: IngestRoute, call: Call) -> IngestRequest:
    """The call as a request whose body is its message."""
    metadata = dict(call.metadata())
    metadata.pop(CONTENT_ENCODING, None)  # of HTTP: a message has an encoding of its own

    async def read(intake: Intake) -> bytes:
        message = await call.message()
        if message is None:
            raise NoMessage
        intake.add(len(message))
        return message

    return IngestRequest(route, "", metadata, None, read)
