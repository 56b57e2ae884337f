"""Python's Zipkin clients send through restarts of the shepherd: no span missing, none twice.

Neither of them repeats a request by itself. An application that does so, with the transport that
both let it choose, sends the same bytes again. The id of a large batch follows from them; py_zipkin
sends a request for each trace, which needs an id of its own.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.exporter.zipkin.json import ZipkinExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from py_zipkin import Encoding
from py_zipkin.zipkin import zipkin_span

from tests.system.harness import System, running
from tests.system.load import Outcome, Target
from tests.system.stored import count_stored

pytestmark = [pytest.mark.system, pytest.mark.scenario]

RESTARTS = 3
ATTEMPT_S = 0.2
GIVE_UP_S = 120.0
BATCH_ID = "X-Bellwether-Batch-Id"


class Repeating(requests.Session):
    """Posts until the server has said that it has stored the body."""

    def __init__(self, key: str, *, named: bool) -> None:
        super().__init__()
        self._named = named
        self.headers["X-Honeycomb-Team"] = key
        self.repeated = 0
        self.outcome = Outcome()

    def post(self, url: Any, data: Any = None, json: Any = None, **how: Any) -> requests.Response:
        """As `requests.Session.post`."""
        deadline = time.monotonic() + GIVE_UP_S
        how["timeout"] = 10
        if self._named:
            how["headers"] = {**how.get("headers", {}), BATCH_ID: sha256(data.encode()).hexdigest()}
        while True:
            try:
                answer = super().post(url, data, json, **how)
                if answer.status_code == 202:
                    self.outcome.add_receipt(answer.headers["X-Bellwether-Receipt"])
                    return answer
                assert answer.status_code in (502, 503), answer.text
            except (requests.ConnectionError, requests.Timeout):
                pass
            assert time.monotonic() < deadline, "the server does not come back"
            self.repeated += 1
            time.sleep(ATTEMPT_S)


def opentelemetry(system: System, session: Repeating, spans: int) -> Callable[[int], None]:
    """Sends numbered spans with OpenTelemetry's exporter."""
    exporter = ZipkinExporter(endpoint=f"{system.url}/api/v2/spans", session=session)
    provider = TracerProvider(resource=Resource({"service.name": "otel"}))
    provider.add_span_processor(
        BatchSpanProcessor(  # full batches alone
            exporter, max_queue_size=spans, max_export_batch_size=100, schedule_delay_millis=60_000
        )
    )
    tracer = provider.get_tracer("work")

    def send(number: int) -> None:
        with tracer.start_as_current_span("work") as span:
            span.set_attribute("seq", number)
        if number == spans:
            provider.force_flush()
            provider.shutdown()

    return send


def py_zipkin(system: System, session: Repeating, spans: int) -> Callable[[int], None]:
    """Sends numbered spans with py_zipkin, one trace a request."""
    headers = {"Content-Type": "application/json"}

    def transport(body: Any) -> None:
        session.post(f"{system.url}/api/v2/spans", data=body, headers=headers)

    def send(number: int) -> None:
        with zipkin_span(
            service_name="pyzipkin",
            span_name="work",
            transport_handler=transport,
            encoding=Encoding.V2_JSON,
            sample_rate=100,
            binary_annotations={"seq": str(number)},
        ):
            pass

    return send


@pytest.mark.parametrize(
    ("client", "dataset", "spans"),
    [(opentelemetry, "otel", 4_000), (py_zipkin, "pyzipkin", 1_000)],  # a request for each
    ids=["otel", "py"],
)
async def test_every_span_is_there_once_through_restarts(
    tmp_path: Path, client: Callable[..., Callable[[int], None]], dataset: str, spans: int
) -> None:
    with running(tmp_path) as system:
        session = Repeating(system.key, named=client is py_zipkin)
        send = client(system, session, spans)
        sent = 0

        def work() -> None:
            nonlocal sent
            for number in range(1, spans + 1):
                send(number)
                sent = number

        thread = threading.Thread(target=work)
        thread.start()
        for restart in range(1, RESTARTS + 1):
            due = spans * restart // (RESTARTS + 1)
            system.wait_until(lambda due=due: sent >= due, "spans to be sent")
            killed = system.kill_role("shepherd")
            await asyncio.to_thread(system.wait_role_ready, "shepherd", not_pid=killed)
        await asyncio.to_thread(thread.join, GIVE_UP_S)
        assert not thread.is_alive()
        target = Target(system.url, system.key, dataset)
        stored = await count_stored(target, spans, session.outcome.receipt())
    print(f"{dataset}: {spans} spans, {session.repeated} requests repeated")
    assert session.repeated > 0
    assert {number for number in range(1, spans + 1) if stored[number] != 1} == set()
