"""OTLP over gRPC with a real client: the three methods, verdicts, compression, TLS."""

from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from common import limits
from common.metadata import Access
from common.model.position import parse_receipt
from shepherd.config import ShepherdConfig
from tests.shepherd.http.test_tls import write_certificate
from tests.shepherd.otlp.grpc.calls import LOGS, PROFILES, WITH_KEY, client, logs, spans


async def test_spans_are_stored_by_service(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        call = it.call(spans(range(1, 4)).SerializeToString())
        answer = ExportTraceServiceResponse.FromString(await call)
        assert not answer.HasField("partial_success")
        receipt = dict(await call.trailing_metadata())["x-bellwether-receipt"]
        assert len(parse_receipt(str(receipt))) == 1
        both = spans([4], "api")
        both.MergeFrom(spans([5], "jobs"))
        await it.call(both.SerializeToString())
        assert sorted(await it.numbers()) == [1, 2, 3]  # type: ignore[type-var]
        assert (await it.numbers("api"), await it.numbers("jobs")) == ([4], [5])


async def test_log_records_are_stored(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        assert await it.call(logs([1, 2], "api").SerializeToString(), LOGS) == b""
        assert await it.numbers("api") == [1, 2]


async def test_items_that_are_refused_for_good_are_counted_and_their_neighbours_kept(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as it:
        await it.call(spans([1]).SerializeToString())
        it.server.add_key("sender", access=Access(create_datasets=False))
        both = spans([2], "web")
        both.MergeFrom(spans([3, 4, 5], "nowhere"))
        metadata = (("x-honeycomb-team", "sender"),)
        answer = await it.call(both.SerializeToString(), metadata=metadata)
        refused = ExportTraceServiceResponse.FromString(answer).partial_success
        assert refused.rejected_spans == 3
        assert "dataset not found" in refused.error_message
        assert await it.numbers() == [1, 2]


async def test_empty_request_is_answered(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        assert await it.call(b"") == b""
        assert await it.server.records() == []


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_messages(tmp_path: Path, compression: grpc.Compression) -> None:
    message = spans(range(100), filler="x" * 200).SerializeToString()
    async with client(tmp_path) as it:
        await it.call(message, compression=compression)
        assert sorted(await it.numbers()) == list(range(100))  # type: ignore[type-var]


async def test_repetition_of_the_same_bytes_is_stored_once_over_grpc_and_http(
    tmp_path: Path,
) -> None:
    numbers = list(range(limits.OTLP_NAMED_ITEMS_MIN))  # smaller requests are gathered
    message = spans(numbers).SerializeToString()
    async with client(tmp_path) as it:
        await it.call(message)
        await it.call(message, compression=grpc.Compression.Gzip)
        headers = {"Content-Type": "application/x-protobuf"}
        assert (await it.server.post("/v1/traces", message, headers))[0] == 200
        assert await it.numbers() == numbers
        assert len(await it.server.records()) == 3


async def test_other_methods_are_unimplemented(tmp_path: Path) -> None:
    async with client(tmp_path) as it:
        for method in (PROFILES, "/x/Export", LOGS.replace("Export", "Import")):
            error = await it.refused(b"", method=method)
            assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_over_tls_with_the_public_ports_certificate(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    config = ShepherdConfig(port=0, tls_cert=str(cert), tls_key=str(key))
    trust = grpc.ssl_channel_credentials(cert.read_bytes())
    async with client(tmp_path, config, credentials=trust) as it:
        await it.call(spans([1]).SerializeToString())
        assert await it.numbers() == [1]
        async with grpc.aio.insecure_channel(it.address) as plain:
            call = plain.unary_unary(LOGS)(b"", metadata=WITH_KEY, timeout=5)
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await call
            assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
