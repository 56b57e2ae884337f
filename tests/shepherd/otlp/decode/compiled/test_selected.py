"""Which decoder serves: the reference at once, the compiled one when it is proved."""

import asyncio
import logging
from pathlib import Path

import orjson
import pytest

from common.metrics import kernel_active
from common.scan.work_budget import Work
from shepherd.config import ShepherdConfig
from shepherd.otlp.decode import load_compiled
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.selected import SelectedDecoder
from tests.kernel_cache import KERNEL_CACHE
from tests.shepherd.harness import TOKEN, Shepherd, shepherd
from tests.shepherd.otlp.messages import ARRIVAL_NS, of_service, request, span

PROTOBUF = {"Content-Type": "application/x-protobuf"}


async def active(server: Shepherd) -> str:
    headers = {"X-Bellwether-Internal-Token": TOKEN}
    async with server.http.get(f"{server.internal}/internal/placement", headers=headers) as reply:
        return str((await reply.json())["otlp_decoder"])


async def test_a_shepherd_serves_at_once_and_the_same_with_the_kernel(tmp_path: Path) -> None:
    config = ShepherdConfig(port=0, kernel_cache=str(KERNEL_CACHE))
    found = []
    async with shepherd(tmp_path, config) as server:
        for service in ("first", "other"):
            message = request(of_service(span({"n": 1, "l": [1]}), span({"n": 2}), service=service))
            assert (await server.post("/v1/traces", message, PROTOBUF))[0] == 200
            async with asyncio.timeout(600):
                while await active(server) != "kernel":  # noqa: ASYNC110 - a process compiles
                    await asyncio.sleep(0.05)
            events = [orjson.dumps(event.data) for event in await server.events(service)]
            found.append([event.replace(service.encode(), b"") for event in events])
    assert found[0] == found[1]
    assert len(found[0]) == 2
    assert kernel_active.labels("otlp decoder")._value.get() == 1


async def test_where_the_kernel_cannot_be_proved_the_reference_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Wrong(ReferenceDecoder):
        def decode(self, body: OtlpBody, work: Work) -> DecodedRequest:
            found = super().decode(body, work)
            return DecodedRequest(found.groups, found.items + 1, found.unreadable)

    monkeypatch.setattr(load_compiled, "ReferenceDecoder", Wrong)
    decoder = SelectedDecoder()
    with caplog.at_level(logging.ERROR):
        await decoder.use_compiled(KERNEL_CACHE, (1, 2))
    assert decoder.name == "reference"
    assert kernel_active.labels("otlp decoder")._value.get() == 0
    assert "the compiled otlp decoder cannot be used; the reference goes on" in caplog.text
    body = OtlpBody(Signal.TRACES, request(of_service(span())), ARRIVAL_NS)
    assert decoder.decode(body, Work()).items == 1
