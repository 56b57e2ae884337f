"""The vendor's Python client, unmodified, sends to a real shepherd (contract: clients seen)."""

import asyncio
import datetime
from pathlib import Path
from typing import cast

import libhoney

from common import limits
from tests.shepherd.harness import KEY, shepherd


def send(url: str, key: str, events: list[dict[str, object]]) -> list[dict[str, object]]:
    """Send with libhoney and return its responses. Blocks."""
    client = libhoney.Client(writekey=key, dataset="Py Client", api_host=url)
    for number, fields in enumerate(events):
        event = client.new_event(data=fields)
        event.metadata = number
        event.sample_rate = 3
        event.created_at = datetime.datetime(2026, 11, 21, 8, 5, 41, number, datetime.UTC)
        event.send_presampled()
    client.close()
    responses = []
    while (response := client.responses().get()) is not None:
        responses.append(response)
    return responses


async def test_every_event_gets_its_own_status_and_is_stored_exactly(tmp_path: Path) -> None:
    fields: list[dict[str, object]] = [
        {"plain": 1, "f": 1.0, "s": "é\0", "b": True, "n": None, "o": {"x": [1, "y"]}},
        {"nan": float("nan")},
        {"lone": "a\ud800b"},
        {"big": "x" * 65_535},
        {"too_big": "x" * 65_536},
        *({"n": n} for n in range(200)),
    ]
    async with shepherd(tmp_path) as server:
        responses = await asyncio.to_thread(send, server.url, KEY, fields)
        stored = await server.events("py-client")
    by_number = {response["metadata"]: response for response in responses}
    assert [by_number[n]["status_code"] for n in range(6)] == [202] * 6
    assert len(stored) == len(fields)
    data = [cast(dict[str, object], event.data) for event in stored]
    assert {"nan": None} in data
    cut = {"too_big": "x" * limits.STRING_BYTES_MAX, "meta.truncated_fields": "too_big"}
    assert cut in data
    assert {event.rate for event in stored} == {3}
    first = min(stored, key=lambda event: event.time_ns)
    assert first.time_ns == 1795248341 * 10**9
    assert first.data == fields[0]


async def test_unknown_key_reaches_the_application_as_401(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        (response,) = await asyncio.to_thread(send, server.url, "wrong", [{"a": 1}])
        assert await server.records() == []
    assert response["status_code"] == 401
