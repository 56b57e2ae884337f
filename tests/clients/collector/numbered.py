"""Uniquely numbered spans, log records and data points, sent to a Collector until it has them."""

import asyncio
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import aiohttp
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from common import limits
from tests.waiting import eventually

ITEMS: Final = 2 * limits.OTLP_NAMED_ITEMS_MIN  # of a request
DATASETS: Final = {"traces": "sent-traces", "logs": "sent-logs", "metrics": "unknown_metrics"}
_PAUSE_S: Final = 0.02  # between two requests, so that they meet whatever is done to the servers
_ANSWER_S: Final = 30.0
_PROTOBUF: Final = {"Content-Type": "application/x-protobuf"}


class Numbered:
    """Sends items of a signal, numbered from 1 on. sent: how many the Collector has taken."""

    def __init__(self, signal: str, url: str) -> None:
        self.signal = signal
        self.sent = 0
        self._url = f"{url}/v1/{signal}"

    async def send(self, until: Callable[[], bool]) -> None:
        """Send requests until this is true; each is repeated until it is taken."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
        async with aiohttp.ClientSession(timeout=timeout, headers=_PROTOBUF) as session:
            while not until():
                body = request_of(self.signal, range(self.sent + 1, self.sent + ITEMS + 1))
                await eventually(partial(self._is_taken, session, body))
                self.sent += ITEMS
                await asyncio.sleep(_PAUSE_S)

    async def _is_taken(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            async with session.post(self._url, data=body) as answer:
                await answer.read()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


def request_of(signal: str, numbers: range, value: float = 1.0) -> bytes:
    """An export request with an item for each number. value: of data points."""
    chance = random.Random(f"{signal} {numbers}")
    now_ns = time.time_ns()
    request: Any  # protobuf ships no type information
    match signal:
        case "traces":
            request = ExportTraceServiceRequest()
            spans = _scope(request.resource_spans.add(), signal).scope_spans.add().spans
            for number in numbers:
                span = spans.add(
                    trace_id=chance.randbytes(16), span_id=chance.randbytes(8), name="step",
                    start_time_unix_nano=now_ns, end_time_unix_nano=now_ns + 1_000,
                )  # fmt: skip
                _number(span, number)
        case "logs":
            request = ExportLogsServiceRequest()
            records = _scope(request.resource_logs.add(), signal).scope_logs.add().log_records
            for number in numbers:
                record = records.add(time_unix_nano=now_ns, severity_number=9)
                record.body.string_value = f"record {number}"
                _number(record, number)
        case _:
            request = ExportMetricsServiceRequest()
            metrics = _scope(request.resource_metrics.add(), signal).scope_metrics.add().metrics
            points = metrics.add(name="sold").gauge.data_points
            for number in numbers:
                _number(points.add(time_unix_nano=now_ns, as_double=value), number)
    content: bytes = request.SerializeToString()
    return content


def _scope(resource: Any, signal: str) -> Any:
    attribute = resource.resource.attributes.add(key="service.name")
    attribute.value.string_value = DATASETS[signal]
    return resource


def _number(item: Any, number: int) -> None:
    item.attributes.add(key="seq").value.int_value = number
