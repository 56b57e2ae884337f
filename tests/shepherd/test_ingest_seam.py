"""A new protocol is one folder: the toy is registered as any other, and knows no other's inside."""

import ast
import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import zstandard

from common.errors import LogFull, LogUnavailable
from common.model.position import Position, parse_receipt
from shepherd.config import ShepherdConfig
from shepherd.ingest.protocol import MakeProtocol, ProtocolParts
from shepherd.wiring import PROTOCOLS
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.shepherd.toy.protocol import COUNTED_AS, LIMITS, PATH, ToyProtocol, ToyWithListener
from tests.waiting import eventually

WITH_TOY: Sequence[MakeProtocol] = (*PROTOCOLS, ToyProtocol)
ROOT = Path(__file__).parents[2]
BATCH_ID = "X-Bellwether-Batch-Id"


def body(*lines: tuple[str, str]) -> str:
    return "".join(f"{dataset}\t{data}\n" for dataset, data in lines)


async def send(
    server: Shepherd, text: str | bytes, headers: dict[str, str] | None = None
) -> tuple[int, list[str], list[Position]]:
    """Status, lines of the answer, and the positions of its receipt."""
    status, answer, sent = await server.post(PATH, text, headers)
    assert sent["Content-Type"] == "text/plain"
    return status, answer.decode().splitlines(), parse_receipt(sent.get("X-Bellwether-Receipt", ""))


async def stored_once(server: Shepherd, dataset: str) -> list[object]:
    """A dataset's events as an indexer takes them: of each batch id the first record."""
    events = await server.events(dataset)
    first = {event.record.batch: event.record for event in reversed(events)}
    return [event.data for event in events if first[event.record.batch] is event.record]


async def test_several_datasets_are_answered_in_the_order_of_their_events(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    text = body(
        ("web", '{"n":1}'),
        ("api", '{"n":2}'),
        ("web", '{"n":3,"long":"%s"}' % ("x" * 10)),
        ("api", "[4]"),
        ("jobs", '{"n":5}'),
        ("api", '{"n":6}'),
    )
    async with shepherd(tmp_path, config, protocols=WITH_TOY) as server:
        status, answer, receipt = await send(server, text + "no dataset\n")
        assert status == 207
        words = [line.split()[0] for line in answer]
        assert words == ["stored", "stored", "stored", "refused", "stored", "stored", "failed"]
        assert answer[3].startswith("refused data_not_an_object ")
        assert answer[6] == "failed 400 the line names no dataset"
        web, api, jobs = (answer[index].split()[1] for index in (0, 1, 4))
        assert [answer[2].split()[1], answer[5].split()[1]] == [web, api]
        assert [str(position) for position in receipt] == [web, api, jobs]
        numbers = {
            dataset: [event.data["n"] for event in await server.events(dataset)]  # type: ignore[index]
            for dataset in ("web", "api", "jobs")
        }
        assert numbers == {"web": [1, 3], "api": [2, 6], "jobs": [5]}


async def test_the_vendors_protocol_is_served_beside_it(tmp_path: Path) -> None:
    async with shepherd(tmp_path, protocols=WITH_TOY) as server:
        status, answer, _ = await server.post("/1/batch/web", [{"data": {"n": 1}}])
        assert (status, answer) == (200, [{"status": 202}])
        headers = {"X-Bellwether-Internal-Token": "internal-token"}
        async with server.http.get(
            f"{server.internal}/internal/placement", headers=headers
        ) as reply:
            shown = await reply.json()
        assert (shown["splitter"], shown["toy"]) == ("reference", "fine")
        async with server.http.get(f"{server.url}{PATH}") as reply:
            assert (reply.status, reply.headers["Allow"]) == (405, "POST")


async def test_a_refused_dataset_leaves_the_others_stored(
    tmp_path: Path, config: ShepherdConfig
) -> None:
    async with shepherd(tmp_path, config, datasets_max=1, protocols=WITH_TOY) as server:
        await send(server, body(("web", '{"n":1}')))
        text = body(
            ("more", '{"n":2}'),
            ("web", '{"n":3}'),
            ("x" * 300, '{"n":4}'),
            ("more", '{"n":5}'),
        )
        status, answer, receipt = await send(server, text)
        assert (status, len(receipt)) == (207, 1)
        assert answer[0] == answer[3]
        assert answer[0].startswith("failed 403 this environment has 1 datasets")
        assert answer[1].split()[0] == "stored"
        assert answer[2].startswith("failed 400 ")
        assert [event.data for event in await server.events("web")] == [{"n": 1}, {"n": 3}]
        assert await server.events("more") == []


@pytest.mark.parametrize("fault", [LogUnavailable("no answer"), LogFull("full")], ids=type)
async def test_a_failing_append_of_one_dataset_leaves_the_others_stored(
    tmp_path: Path, fault: LogUnavailable
) -> None:
    async with shepherd(
        tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5), protocols=WITH_TOY
    ) as server:
        failing = server.dataset("api")
        server.log.hits = lambda record: record.dataset == failing
        server.log.fault = fault
        text = body(("web", '{"n":1}'), ("api", '{"n":2}'), ("web", '{"n":3}'))
        status, answer, receipt = await send(server, text)
        assert (status, len(receipt)) == (207, 1)
        assert [line.split()[0] for line in answer] == ["stored", "failed", "stored"]
        assert answer[1].startswith("failed 503 ")
        unknown = not isinstance(fault, LogFull)
        assert ("sent again it may be there twice" in answer[1]) == unknown
        assert [event.data for event in await server.events("web")] == [{"n": 1}, {"n": 3}]
        assert server.backends.metadata.get_dataset(failing) is None  # nothing of it is stored


async def test_503_when_nothing_could_be_stored(tmp_path: Path) -> None:
    async with shepherd(
        tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5), protocols=WITH_TOY
    ) as server:
        server.log.fault = LogFull("full")
        status, answer, receipt = await send(server, body(("web", '{"n":1}'), ("api", "{}")))
        assert (status, receipt) == (503, [])
        assert answer[0].startswith("error: ")
        assert len(answer) == 1


async def test_a_named_request_is_stored_once_however_often_it_is_repeated(
    tmp_path: Path,
) -> None:
    text = body(
        ("web", '{"n":1}'),
        ("My Set", '{"n":2}'),
        ("api", '{"n":3}'),
        ("my-set", '{"n":4}'),  # the same dataset by another name
    )
    named = {BATCH_ID: "one"}
    async with shepherd(
        tmp_path, ShepherdConfig(port=0, ack_timeout_s=0.5), protocols=WITH_TOY
    ) as server:
        failing = server.dataset("api")
        server.log.hits = lambda record: record.dataset == failing
        server.log.fault = LogFull("full")
        status, answer, _ = await send(server, text, named)
        assert status == 503, "a part failed that can be stored later: all of it is sent again"
        assert len(answer) == 1
        server.log.fault = None
        status, first, receipt = await send(server, text, named)
        assert status == 207
        status, again, _ = await send(server, text, named)
        assert status == 207
        assert [line.split()[0] for line in first + again] == ["stored"] * 8
        assert first[1] == first[3]
        assert len(receipt) == 3
        assert [event.data for event in await server.events("web")] == [{"n": 1}] * 3
        assert await stored_once(server, "web") == [{"n": 1}]
        assert await stored_once(server, "api") == [{"n": 3}]
        assert await stored_once(server, "my-set") == [{"n": 2}, {"n": 4}]
        batches = {record.batch for _, record in await server.records()}
        assert len(batches) == 3, "one record id per dataset"
        await send(server, text, {BATCH_ID: "another"})
        assert await stored_once(server, "web") == [{"n": 1}] * 2


@pytest.mark.parametrize(
    ("named", "whole", "remedy"),
    [
        ("of its content", False, "send the same bytes again: they are stored once"),
        (None, True, "give each request an X-Bellwether-Batch-Id of its own"),
    ],
)
async def test_a_protocol_may_name_requests_itself_or_have_them_fail_as_a_whole(
    tmp_path: Path, named: str | None, whole: bool, remedy: str
) -> None:
    text = body(("web", '{"n":1}'), ("api", '{"n":2}'))

    def toy(parts: ProtocolParts) -> ToyProtocol:
        return ToyProtocol(parts, named=named, whole=whole)

    config = ShepherdConfig(port=0, ack_timeout_s=0.5)
    async with shepherd(tmp_path, config, protocols=(*PROTOCOLS, toy)) as server:
        failing = server.dataset("api")
        server.log.hits = lambda record: record.dataset == failing
        server.log.fault = LogUnavailable("no answer")
        status, answer, receipt = await send(server, text)
        assert (status, receipt) == (503, [])
        assert remedy in answer[0]
        server.log.fault = None
        assert (await send(server, text))[0] == 207
        times = 1 if named else 2
        assert await stored_once(server, "web") == [{"n": 1}] * times
        assert await stored_once(server, "api") == [{"n": 2}]
        assert (await send(server, text, {BATCH_ID: "the client's"}))[0] == 207
        assert await stored_once(server, "web") == [{"n": 1}] * (times + 1)


async def test_a_quota_is_spent_once_per_event(tmp_path: Path) -> None:
    async with shepherd(tmp_path, protocols=WITH_TOY) as server:
        server.add_key("quotakey0quotakey0quot", events_per_day=8)
        key = {"X-Honeycomb-Team": "quotakey0quotakey0quot"}
        four = body(("web", '{"n":1}'), ("api", '{"n":2}'), ("web", "[]"), ("jobs", '{"n":3}'))
        assert [(await send(server, four, key))[0] for _ in range(3)] == [207, 207, 429]


async def test_its_own_limits_hold(tmp_path: Path, config: ShepherdConfig) -> None:
    async with shepherd(tmp_path, config, protocols=WITH_TOY) as server:
        large = body(("web", '{"n":"%s"}' % ("x" * LIMITS.body_bytes_max)))
        for text, status, error in (
            (large, 413, "the limit is 4000 bytes"),
            (body(*[("web", "{}")] * 51), 400, "more than 50 events"),
            (body(*[(f"d{n}", "{}") for n in range(6)]), 400, "more than 5 datasets"),
            (body(*[("web", "{}")] * 201), 400, "the limit is 200 units"),
        ):
            answered, answer, _ = await send(server, text)
            assert (answered, len(answer)) == (status, 1)
            assert error in answer[0]
        assert await server.records() == []
        packed = zstandard.compress(large.encode())
        answered, answer, _ = await send(server, packed, {"Content-Encoding": "zstd"})
        assert (answered, "the limit is 4000 bytes" in answer[0]) == (413, True)


async def test_encodings_are_its_own_matter(tmp_path: Path, config: ShepherdConfig) -> None:
    packed = zstandard.compress(body(("web", '{"n":1}')).encode())
    async with shepherd(tmp_path, config, protocols=WITH_TOY) as server:
        status, answer, _ = await send(server, packed, {"Content-Encoding": "zstd"})
        assert (status, answer[0].split()[0]) == (207, "stored")
        assert (await send(server, packed, {"Content-Encoding": "br"}))[0] == 415


class Emitted:
    """Telemetry that is only kept."""

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []

    def emit(self, name: str, **fields: object) -> None:
        self.events.append({"name": name, **fields})


async def test_requests_are_counted_once_and_refused_events_by_their_dataset(
    tmp_path: Path,
) -> None:
    telemetry = Emitted()

    def told(name: str) -> list[dict[str, object]]:
        return [one for one in telemetry.events if one["name"] == name]

    async with shepherd(tmp_path, telemetry=telemetry, protocols=WITH_TOY) as server:
        await send(server, body(("web", '{"n":1}'), ("api", "[]"), ("x" * 300, "{}")))
        await eventually(lambda: told("requests") and len(told("refused_events")) == 2)
    refused = told("refused_events")
    assert {(one["dataset"], one["rule"], one["events"]) for one in refused} == {
        ("api", "data_not_an_object", 1),
        ("x" * 300, "bad_request", 1),
    }
    (request,) = told("requests")
    counted = [request[name] for name in ("route", "dataset", "status", "requests", "events")]
    assert counted == [PATH, COUNTED_AS, 207, 1, 3]


async def test_a_protocol_may_own_a_listener_which_is_drained(tmp_path: Path) -> None:
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    toys: list[ToyWithListener] = []

    def with_listener(parts: ProtocolParts) -> ToyWithListener:
        toys.append(ToyWithListener(parts, listening.set_result))
        return toys[0]

    protocols: Sequence[MakeProtocol] = (*PROTOCOLS, with_listener)
    text = body(("web", '{"n":1}'), ("api", '{"n":2}')).encode()
    async with shepherd(
        tmp_path, ShepherdConfig(port=0, drain_ms=0), protocols=protocols
    ) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", await listening)
        writer.write(f"{KEY} {len(text)}\n".encode() + text)
        assert [line.split()[0] for line in (await reader.read()).splitlines()] == [
            b"207",
            b"stored",
            b"stored",
        ]
        reader, writer = await asyncio.open_connection("127.0.0.1", await listening)
        writer.write(f"{KEY} {len(text)}\n".encode() + text[:5])
        await eventually(lambda: toys[0].requests == 1)
        server.stop.set()
        await eventually(lambda: toys[0].is_draining)
        writer.write(text[5:])
        assert (await reader.read()).startswith(b"207\nstored")
        assert [event.data for event in await server.events("web")] == [{"n": 1}] * 2
    with pytest.raises(OSError, match=r"refused|failed"):
        await asyncio.open_connection("127.0.0.1", await listening)


# --- the walls ------------------------------------------------------------------------------------


def imported(folder: Path) -> set[str]:
    """The modules that a folder's files import, wherever in the file."""
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
    return found


def test_a_protocol_needs_the_neutral_modules_alone() -> None:
    neutral = ("datasets", "http", "ingest")
    own = {name for name in imported(ROOT / "tests/shepherd/toy") if name.startswith("shepherd")}
    assert own
    assert all(name.split(".")[1] in neutral for name in own), own


def test_the_inside_of_the_vendors_protocol_is_known_to_the_wiring_alone() -> None:
    folder = ROOT / "shepherd"
    importing = {
        str(file.relative_to(folder))
        for file in folder.rglob("*.py")
        if "honeycomb" not in file.relative_to(folder).parts
        and any("honeycomb" in line for line in file.read_text().splitlines() if "import" in line)
    }
    assert importing == {"wiring.py"}
