"""How many datasets an environment may have, and what creates one (I8, I14)."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from common import limits
from common.errors import LogFull, MetadataUnavailable, TooManyDatasets
from common.metadata import Metadata
from shepherd.datasets.quota import DatasetRoom
from tests.shepherd.harness import Shepherd, shepherd
from tests.waiting import eventually

pytestmark = pytest.mark.slow

EVENTS = b'[{"data":{"a":1}}]'


def slugs(server: Shepherd, environment: str = "Env") -> list[str]:
    metadata: Metadata = server.backends.metadata
    team = metadata.ensure_team("Team", "team")
    env = metadata.ensure_environment(team.id, environment, environment.lower())
    return [dataset.slug for dataset in metadata.list_datasets(env.id)]


async def test_datasets_beyond_the_most_are_refused_and_those_there_are_go_on(
    tmp_path: Path,
) -> None:
    async with shepherd(tmp_path, datasets_max=5) as server:
        sent = [server.post(f"/1/batch/d{number:02d}", EVENTS) for number in range(20)]
        answers = await asyncio.gather(*sent)
        assert sorted(status for status, _, _ in answers) == [200] * 5 + [403] * 15
        told = {body["error"] for status, body, _ in answers if status == 403}
        assert len(told) == 1
        assert "node.datasets_max" in told.pop()
        there = slugs(server)
        assert len(there) == 5
        for slug in there:
            assert (await server.post(f"/1/batch/{slug.upper()}", EVENTS))[0] == 200
            assert len(await server.events(slug)) == 2
        assert (await server.post("/1/events/another", b'{"a":1}'))[0] == 403
        server.add_key("other", environment="Other")
        headers = {"X-Honeycomb-Team": "other"}
        assert (await server.post("/1/batch/mine", EVENTS, headers))[0] == 200
        assert (slugs(server), slugs(server, "Other")) == (there, ["mine"])
        refused = [record for _, record in await server.records()]
        assert {record.dataset for record in refused} == {
            server.dataset(slug) for slug in there
        } | {server.dataset("mine", "Other")}


async def test_a_deleted_dataset_makes_room_for_another(tmp_path: Path) -> None:
    async with shepherd(tmp_path, datasets_max=1) as server:
        assert (await server.post("/1/batch/one", EVENTS))[0] == 200
        assert (await server.post("/1/batch/two", EVENTS))[0] == 403
        metadata = server.backends.metadata
        found = metadata.get_dataset(server.dataset("one"))
        assert found is not None
        metadata.update_dataset(replace(found, deleted_ns=time.time_ns()))
        assert (await server.post("/1/batch/two", EVENTS))[0] == 200
        assert slugs(server) == ["two"]


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"[]", {400}),
        (b"", {400}),
        (b"[", {400}),
        (b"not json", {400}),
        (b"{}", {400}),
        (b"[{}]", {200}),
        (b'[{"data":{}},{"data":3},{"data":{"a":1},"time":"yesterday"}]', {200}),
        (b'[{"data":{"a":' + b"[" * 300 + b"]" * 300 + b"}}]", {200}),
    ],
)
async def test_a_body_without_an_event_to_store_creates_no_dataset(
    tmp_path: Path, body: bytes, statuses: set[int]
) -> None:
    async with shepherd(tmp_path) as server:
        status, _, _ = await server.post("/1/batch/odd", body)
        assert status in statuses
        stored = await server.events("odd")
        assert slugs(server) == (["odd"] if stored else [])
        if body != b'[{"data":{}},{"data":3},{"data":{"a":1},"time":"yesterday"}]':
            assert stored == []
        await asyncio.sleep(1.1)  # what was used is confirmed once a second
        assert slugs(server) == (["odd"] if stored else [])


async def test_a_request_that_fails_creates_no_dataset(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        unknown = {"X-Honeycomb-Team": "nobody"}
        assert (await server.post("/1/batch/a", EVENTS, unknown))[0] == 401
        assert (await server.post("/1/events/a", b"[1]"))[0] == 400
        assert (await server.post("/1/batch/a", EVENTS, {"Content-Encoding": "gzip"}))[0] == 400
        server.log.fault = LogFull("disk is full")
        assert (await server.post("/1/batch/a", EVENTS))[0] == 503
        assert (await server.post("/1/events/a", b'{"a":1}'))[0] == 503
        server.log.fault = None
        server.add_key("slow", events_per_s=1)
        slow = {"X-Honeycomb-Team": "slow"}
        assert (await server.post("/1/batch/first", b'[{"data":{"a":1}}]', slow))[0] == 200
        many = [(await server.post("/1/batch/a", EVENTS, slow))[0] for _ in range(30)]
        if 200 not in many:
            assert slugs(server) == ["first"]
        assert 429 in many


async def test_without_metadata_known_datasets_go_on_and_new_ones_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shepherd(tmp_path, datasets_max=3) as server:
        metadata = server.backends.metadata
        for name in ("a", "b", "c"):
            assert (await server.post(f"/1/batch/{name}", EVENTS))[0] == 200
        monkeypatch.setattr(limits, "METADATA_RETRY_S", 0)

        def down(*_: object) -> None:
            raise MetadataUnavailable("down")

        with monkeypatch.context() as outage:
            for method in ("find_key", "get_dataset", "ensure_dataset", "count_datasets"):
                outage.setattr(metadata, method, down)
            for name in ("a", "b", "c", "a"):
                assert (await server.post(f"/1/batch/{name}", EVENTS))[0] == 200
            statuses = [(await server.post(f"/1/batch/new{n}", EVENTS))[0] for n in range(6)]
            assert statuses == [200] * 3 + [503] * 3
            assert (await server.post("/1/batch/new1", EVENTS))[0] == 200
        await eventually(lambda: len(slugs(server)) == 6)
        assert slugs(server) == ["a", "b", "c", "new0", "new1", "new2"]
        assert (await server.post("/1/batch/new5", EVENTS))[0] == 403


def test_room_is_given_back_when_nothing_was_stored() -> None:
    room = DatasetRoom(2)
    room.counted("e", 1)
    for _ in range(5):
        with room.reserved("e", "d1", checked=True), room.reserved("e", "d1", checked=True):
            with (
                pytest.raises(TooManyDatasets),
                room.reserved("e", "d2", checked=True),
            ):
                raise AssertionError("there was no room")
            with room.reserved("f", "d2", checked=True):
                assert not room.has_room("e")
    assert room.has_room("e")
    room.created("e")
    assert not room.has_room("e")
