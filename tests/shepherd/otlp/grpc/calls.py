"""Calls of a real gRPC client, and what they send."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from common.log import Log
from common.process.telemetry import Telemetry
from common.process.web import INTERNAL_TOKEN_HEADER
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, TOKEN, Shepherd, shepherd
from tests.waiting import PATIENCE_S

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
PROFILES = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
WITH_KEY = (("x-honeycomb-team", KEY),)
MS = 1_000_000
START_NS = 1_764_000_000_000_000_000


def spans(
    numbers: Sequence[int], service: str = "web", **attributes: str
) -> ExportTraceServiceRequest:
    """A request of spans with the attribute `n`, one for each number."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_spans.add()
    for number in numbers:
        span = scope.spans.add(
            trace_id=number.to_bytes(16), span_id=number.to_bytes(8), name="work",
            start_time_unix_nano=START_NS, end_time_unix_nano=START_NS + MS,
        )  # fmt: skip
        span.attributes.add(key="n").value.int_value = number
        for name, text in attributes.items():
            span.attributes.add(key=name).value.string_value = text
    return request


def logs(numbers: Sequence[int], service: str = "web") -> ExportLogsServiceRequest:
    """A request of log records with the attribute `n`, one for each number."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    scope = resource.scope_logs.add()
    for number in numbers:
        record = scope.log_records.add(time_unix_nano=START_NS)
        record.body.string_value = "text"
        record.attributes.add(key="n").value.int_value = number
    return request


class Client:
    """A running shepherd, and a channel to its gRPC port."""

    def __init__(self, server: Shepherd, address: str, channel: grpc.aio.Channel) -> None:
        self.server = server
        self.address = address
        self.channel = channel

    def call(
        self,
        message: bytes,
        method: str = TRACES,
        metadata: Sequence[tuple[str, str]] = WITH_KEY,
        timeout_s: float = PATIENCE_S,
        compression: grpc.Compression | None = None,
    ) -> grpc.aio.UnaryUnaryCall:
        """Send a message as bytes; await the call for the answer's bytes."""
        method_call = self.channel.unary_unary(method)
        return method_call(message, metadata=metadata, timeout=timeout_s, compression=compression)

    async def refused(self, message: bytes, **more: Any) -> grpc.aio.AioRpcError:
        """The error of a call that must fail."""
        try:
            answer = await self.call(message, **more)
        except grpc.aio.AioRpcError as error:
            return error
        raise AssertionError(f"not refused: {answer!r}")

    async def numbers(self, dataset: str = "web") -> list[object]:
        """The attribute `n` of a dataset's events in the log, each record once."""
        events = await self.server.events(dataset)
        first = {event.record.batch: event.record for event in reversed(events)}
        return [
            event.data["n"]  # type: ignore[index]
            for event in events
            if first[event.record.batch] is event.record
        ]


async def grpc_address(server: Shepherd) -> str:
    """Where the shepherd listens for gRPC."""
    headers = {INTERNAL_TOKEN_HEADER: TOKEN}
    async with server.http.get(f"{server.internal}/internal/placement", headers=headers) as reply:
        return str((await reply.json())["otlp_grpc"])


@contextlib.asynccontextmanager
async def client(
    folder: Path,
    config: ShepherdConfig | None = None,
    telemetry: Telemetry | None = None,
    log: Log | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    options: Sequence[tuple[str, Any]] = (),
) -> AsyncIterator[Client]:
    """A real shepherd with the listener, and a client of it."""
    config = replace(config or ShepherdConfig(port=0), otlp_grpc_port=0)
    async with shepherd(folder, config, telemetry, log) as server:
        address = await grpc_address(server)
        if credentials is None:
            channel = grpc.aio.insecure_channel(address, options)
        else:
            channel = grpc.aio.secure_channel(address, credentials, options)
        async with channel:
            yield Client(server, address, channel)
