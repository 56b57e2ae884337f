"""OTLP over HTTP, against a real shepherd."""

import gzip
import zlib
from pathlib import Path

import pytest
import zstandard
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.shepherd.harness import shepherd
from tests.shepherd.otlp.messages import of_service, request, span

PROTOBUF = {"Content-Type": "application/x-protobuf"}
ENCODED = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("path", ["/v1/traces", "/v1/traces/"])
async def test_spans_are_stored_in_the_dataset_of_their_service(
    tmp_path: Path, encoding: str, path: str
) -> None:
    body = request(of_service(span(), span(), service="web"), of_service(span(), service="api"))
    async with shepherd(tmp_path) as server:
        status, answer, headers = await server.post(
            path, ENCODED[encoding](body), {**PROTOBUF, "Content-Encoding": encoding}
        )
        assert status == 200
        assert headers["Content-Type"] == "application/x-protobuf"
        assert ExportTraceServiceResponse.FromString(answer) == ExportTraceServiceResponse()
        assert headers["X-Bellwether-Receipt"].count(",") == 1
        assert len(await server.events("web")) == 2
        assert len(await server.events("api")) == 1


async def test_json_is_answered_as_json(tmp_path: Path) -> None:
    text = json_format.MessageToJson(
        ExportTraceServiceRequest.FromString(request(of_service(span())))
    )
    async with shepherd(tmp_path) as server:
        sent = await server.post("/v1/traces", text, {"Content-Type": "application/json"})
        assert sent[:2] == (200, {})
        assert len(await server.events("web")) == 1
