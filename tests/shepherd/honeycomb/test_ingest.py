"""What the events API promises to clients, over real HTTP and into the real log (I1, I9)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.metadata import Access, KeyKind
from common.model.position import parse_receipt
from tests.shepherd.harness import KEY, Shepherd, shepherd


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path) as running:
        yield running


async def test_batch_answers_in_order_and_is_in_the_log_before_the_answer(
    server: Shepherd,
) -> None:
    events = [
        {"data": {"n": 1}, "time": "2023-11-14T22:13:20.123456789Z", "samplerate": 7},
        {"data": {}},
        {"data": {"n": 3}},
    ]
    async with server.http.post(f"{server.url}/1/batch/Judge%20One", json=events) as reply:
        body = await reply.json()
        receipt = parse_receipt(reply.headers["X-Bellwether-Receipt"])
    assert reply.status == 200
    assert [item["status"] for item in body] == [202, 400, 202]
    assert "data" in body[1]["error"]
    first, third = await server.events("judge-one")
    assert (first.time_ns, first.rate, first.data) == (1_700_000_000_123_456_789, 7, {"n": 1})
    assert third.data == {"n": 3}
    assert [position.partition for position in receipt] == [first.partition]


async def test_single_event_takes_time_and_rate_from_headers(server: Shepherd) -> None:
    headers = {"X-Honeycomb-Event-Time": "1700000000.5", "X-Honeycomb-Samplerate": "3"}
    url = f"{server.url}/1/events/one"
    async with server.http.post(url, data=b'{"a":1}', headers=headers) as reply:
        assert reply.status == 200
    async with server.http.post(url, data=b'{"a":"\xff"}') as reply:
        assert reply.status == 400
        assert "data.a" in (await reply.json())["error"]
    for nothing in (b"", b"null", b" "):
        async with server.http.post(url, data=nothing) as reply:
            assert reply.status == 400
            assert await reply.json() == {"error": "Request body should not be empty."}
    (event,) = await server.events("one")
    assert (event.time_ns, event.rate, event.data) == (1_700_000_000_500_000_000, 3, {"a": 1})


async def test_auth_tells_what_the_key_may_in_both_spellings(server: Shepherd) -> None:
    async with server.http.get(f"{server.url}/1/auth") as reply:
        body = await reply.json()
    assert body["team"] == {"name": "Team", "slug": "team"}
    assert body["environment"] == {"name": "Env", "slug": "env"}
    assert body["api_key_access"]["events"] is True
    assert body["api_key_access"]["create_datasets"] is True
    assert body["api_key_access"]["createDatasets"] is True
    server.add_key("hcxik_1", KeyKind.INGEST, Access(create_datasets=False))
    headers = {"X-Honeycomb-Team": "hcxik_1"}
    async with server.http.get(f"{server.url}/1/auth", headers=headers) as reply:
        body = await reply.json()
    assert body["type"] == "ingest"
    assert body["api_key_access"] == {"createDatasets": False, "create_datasets": False}


@pytest.mark.parametrize(
    ("key", "kind"),
    [("0123456789abcdef" * 2, KeyKind.CONFIGURATION), ("hcaic_" + "0" * 58, KeyKind.INGEST)],
)
async def test_a_classic_key_has_an_empty_environment_and_sends_to_the_dataset_it_names(
    server: Shepherd, key: str, kind: KeyKind
) -> None:
    server.add_key(key, kind)
    headers = {"X-Honeycomb-Team": key}
    for path in ("1/auth", "1/auth/"):
        async with server.http.get(f"{server.url}/{path}", headers=headers) as reply:
            body = await reply.json()
        assert (reply.status, body["environment"]) == (200, {"name": "", "slug": ""})
        assert body["team"] == {"name": "Team", "slug": "team"}
    assert (await server.post("/1/batch/old", b'[{"data":{"a":1}}]', headers))[0] == 200
    assert [event.data for event in await server.events("old")] == [{"a": 1}]


async def test_a_slash_at_the_end_of_a_path_changes_nothing(server: Shepherd) -> None:
    assert (await server.post("/1/batch/sla%2Fsh/", b'[{"data":{"a":1}}]'))[0] == 200
    assert (await server.post("/1/events/sla-sh/?x=1", b'{"a":2}'))[0] == 200
    found = [event.data for event in await server.events("sla-sh")]
    assert sorted(found, key=str) == [{"a": 1}, {"a": 2}]


async def test_the_key_is_judged_before_the_path_and_the_method(server: Shepherd) -> None:
    known = [("GET", "1/batch/x"), ("PUT", "1/events/x"), ("POST", "1/auth"), ("DELETE", "1/auth/")]
    unknown = ["", "1", "1/nothing", "1/batch", "1/events/a/b", "2/auth", "metrics", "internal/x"]
    for key, wrong_method, no_route in ((KEY, 405, 404), (KEY + "x", 401, 401), ("", 401, 401)):
        headers = {"X-Honeycomb-Team": key}
        for method, path in known:
            async with server.http.request(
                method, f"{server.url}/{path}", headers=headers
            ) as reply:
                assert reply.status == wrong_method, (method, path, key)
                assert "error" in await reply.json()
        for path in unknown:
            async with server.http.get(f"{server.url}/{path}", headers=headers) as reply:
                # without a query role nobody knows the other routes
                expected = no_route if path in ("metrics", "internal/x") else max(no_route, 503)
                assert reply.status == (expected if key == KEY else 401), (path, key)


async def test_unknown_key_is_401_with_the_vendors_text(server: Shepherd) -> None:
    for path, method in (("1/auth", "GET"), ("1/batch/x", "POST"), ("1/events/x", "POST")):
        async with server.http.request(
            method, f"{server.url}/{path}", headers={"X-Honeycomb-Team": KEY + "x"}
        ) as reply:
            assert reply.status == 401
            assert await reply.json() == {"error": "unknown API key - check your credentials"}
