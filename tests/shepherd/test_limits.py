"""Rights, rates, overload, repeats and what is told about refusals (I1, I2, I8, I11)."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from yarl import URL

from common import limits, metrics
from common.clock import SystemClock
from common.errors import LogFull, LogUnavailable, MetadataUnavailable
from common.metadata import Access, Dataset
from common.model.position import parse_receipt
from common.process.telemetry import TelemetryQueue
from common.scan.events import Mended, Rule
from shepherd.config import ShepherdConfig
from shepherd.request_summary import RequestSummary, count_mended
from tests.shepherd.harness import KEY, TOKEN, Shepherd, shepherd
from tests.waiting import eventually


@pytest.fixture
async def server(tmp_path: Path, config: ShepherdConfig) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path, config) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("Judge%20Lhgo", "judge-lhgo"),
        ("%C3%9CBUNG", "übung"),
        ("pct%2541", "pct%41"),
        ("a+b", "a+b"),
        ("a%2Fb", "a-b"),
        ("DATA.set", "data.set"),
    ],
)
async def test_dataset_names_are_decoded_once_and_fold_case(
    server: Shepherd, path: str, slug: str
) -> None:
    url = URL(f"{server.url}/1/batch/{path}", encoded=True)
    async with server.http.post(url, data=b'[{"data":{"a":1}}]') as reply:
        assert reply.status == 200
    assert len(await server.events(slug)) == 1
    env_id = server.add_key("other-key-of-env").environment.id
    assert [d.slug for d in server.backends.metadata.list_datasets(env_id)] == [slug]


@pytest.mark.parametrize("path", ["%20", "__all__", "%FF", "a%00b", "x" * 256])
async def test_unusable_dataset_names_are_refused(server: Shepherd, path: str) -> None:
    url = URL(f"{server.url}/1/batch/{path}", encoded=True)
    async with server.http.post(url, data=b'[{"data":{"a":1}}]') as reply:
        assert reply.status == 400
        assert "dataset name" in (await reply.json())["error"] or path == "__all__"


async def test_key_that_may_not_create_sends_only_to_what_exists(server: Shepherd) -> None:
    server.add_key("sender", access=Access(create_datasets=False))
    headers = {"X-Honeycomb-Team": "sender"}
    status, body, _ = await server.post("/1/batch/new", b'[{"data":{"a":1}}]', headers)
    assert (status, "dataset not found" in body["error"]) == (404, True)
    assert (await server.post("/1/batch/new", b'[{"data":{"a":1}}]'))[0] == 200
    assert (await server.post("/1/batch/new", b'[{"data":{"a":2}}]', headers))[0] == 200
    server.add_key("reader", access=Access(events=False))
    status, body, _ = await server.post("/1/events/new", b"{}", {"X-Honeycomb-Team": "reader"})
    assert (status, "may not send" in body["error"]) == (403, True)


async def test_key_that_may_not_create_sends_to_a_dataset_by_its_slug(server: Shepherd) -> None:
    server.add_key("sender", access=Access(create_datasets=False))
    headers = {"X-Honeycomb-Team": "sender"}
    event = b'[{"data":{"a":1}}]'
    assert (await server.post("/1/batch/MyDataset!", event))[0] == 200
    for _ in range(2):
        assert (await server.post("/1/batch/mydataset-", event, headers))[0] == 200
    assert len(await server.events("mydataset!")) == 3
    assert (await server.post("/1/batch/my-dataset-", event, headers))[0] == 404


async def test_a_slug_of_several_datasets_is_refused_where_none_may_be_created(
    server: Shepherd,
) -> None:
    server.add_key("sender", access=Access(create_datasets=False))
    event = b'[{"data":{"a":1}}]'
    for name in ("MyDataset!", "MyDataset%3F"):
        assert (await server.post(f"/1/batch/{name}", event))[0] == 200
    headers = {"X-Honeycomb-Team": "sender"}
    status, body, _ = await server.post("/1/batch/mydataset-", event, headers)
    assert (status, "'MyDataset!', 'MyDataset?'" in body["error"]) == (409, True)


async def test_events_of_two_names_with_one_slug_are_never_mixed(server: Shepherd) -> None:
    sent = {"MyDataset!": 1, "MyDataset%3F": 2, "mydataset-": 3, "MYDATASET!": 4}
    for name, number in sent.items():
        assert (await server.post(f"/1/batch/{name}", [{"data": {"n": number}}]))[0] == 200
    found = [event.data for event in await server.events("mydataset!")]
    assert sorted(found, key=str) == [{"n": 1}, {"n": 4}]
    assert [e.data for e in await server.events("mydataset?")] == [{"n": 2}]
    assert [e.data for e in await server.events("mydataset-")] == [{"n": 3}]


async def test_same_name_in_two_environments_is_two_datasets(server: Shepherd) -> None:
    server.add_key("other", environment="Other")
    await server.post("/1/batch/d", b'[{"data":{"a":1}}]')
    await server.post("/1/batch/d", b'[{"data":{"a":2}}]', {"X-Honeycomb-Team": "other"})
    assert [event.data for event in await server.events("d")] == [{"a": 1}]
    assert len({record.dataset for _, record in await server.records()}) == 2


async def test_records_carry_the_datasets_depth(server: Shepherd) -> None:
    key = server.add_key("k2")
    server.backends.metadata.ensure_dataset(
        Dataset(server.dataset("deep"), key.environment.id, "deep", "deep", expand_json_depth=3)
    )
    await server.post("/1/batch/deep", b'[{"data":{"a":{"b":1}}}]')
    ((_, record),) = await server.records()
    assert (record.depth, record.via, len(record.batch)) == (3, "random", 16)


async def test_repeated_named_batch_makes_the_same_records_at_the_same_places(
    server: Shepherd,
) -> None:
    events = [{"data": {"n": n, "pad": "x" * 30_000}} for n in range(60)]
    headers = {"X-Bellwether-Batch-Id": "deploy-7"}
    for _ in range(2):
        status, body, _ = await server.post("/1/batch/d", events, headers)
        assert (status, body) == (200, [{"status": 202}] * 60)
    found = [(p, r.batch, r.n, r.via) for p, r in await server.records()]
    assert len(found) == 6
    assert len(set(found)) == 3
    assert {via for *_, via in found} == {"batch-id"}
    status, body, _ = await server.post("/1/batch/d", events, {"X-Bellwether-Batch-Id": "x" * 129})
    assert status == 400


async def test_failed_chunk_of_a_named_batch_fails_the_whole_request(server: Shepherd) -> None:
    events = [{"data": {"n": n, "pad": "x" * 30_000}} for n in range(120)]
    headers = {"X-Bellwether-Batch-Id": "deploy-8"}
    await server.post("/1/batch/d", events, headers)
    batches = [record.batch for _, record in await server.records()]
    server.log.fault = LogFull("disk is full")
    server.log.hits = lambda record: record.batch == batches[0]
    status, body, answer = await server.post("/1/batch/d", events, headers)
    assert (status, answer["Retry-After"]) == (503, "1")
    assert "disk is full" in body["error"]


async def test_log_that_cannot_write_is_503_and_recovers_by_itself(server: Shepherd) -> None:
    server.log.fault = LogFull("the log's disk is full; free space")
    for path, body in (("/1/batch/d", b'[{"data":{"a":1}}]'), ("/1/events/d", b'{"a":1}')):
        status, answer, headers = await server.post(path, body)
        assert (status, headers["Retry-After"]) == (503, "1")
        assert "disk is full" in answer["error"]
    server.log.fault = None
    assert (await server.post("/1/batch/d", b'[{"data":{"a":1}}]'))[0] == 200
    assert len(await server.events("d")) == 1


async def test_a_503_that_may_be_stored_says_how_to_send_it_again(server: Shepherd) -> None:
    server.log.fault = LogUnavailable("no answer in time; what was sent may be stored or not")
    body = b'[{"data":{"a":1}}]'
    for path, sent in (("/1/batch/d", body), ("/1/events/d", b'{"a":1}')):
        status, answer, headers = await server.post(path, sent)
        assert (status, headers["Retry-After"]) == (503, "1")
        assert "may be stored or not; sent again it may be there twice" in answer["error"]
        assert "give each request an X-Bellwether-Batch-Id of its own" in answer["error"]
    named = {"X-Bellwether-Batch-Id": "once"}
    status, answer, _ = await server.post("/1/batch/d", body, named)
    assert status == 503
    assert "send it again with the same X-Bellwether-Batch-Id" in answer["error"]
    assert "stored once" in answer["error"]
    server.log.fault = None
    assert (await server.post("/1/batch/d", body, named))[0] == 200


async def test_each_event_of_a_record_whose_fate_is_unknown_names_the_remedy(
    server: Shepherd,
) -> None:
    server.log.fault = LogUnavailable("no answer in time; what was sent may be stored or not")
    server.log.hits = lambda record: record.batch[0] % 2 == 0
    events = [{"data": {"n": n, "pad": "x" * 60_000}} for n in range(75)]
    failed: list[str] = []
    for _ in range(20):
        status, body, _ = await server.post("/1/batch/d", events)
        if status == 200:
            failed = [item["error"] for item in body if item["status"] == 503]
        if failed:
            break
    assert failed
    assert all("X-Bellwether-Batch-Id" in error for error in failed)


async def test_a_503_that_is_certainly_not_stored_needs_no_batch_id(server: Shepherd) -> None:
    server.log.fault = LogFull("the log's disk is full; free space")
    _, answer, _ = await server.post("/1/batch/d", b'[{"data":{"a":1}}]')
    assert "X-Bellwether-Batch-Id" not in answer["error"]


async def test_events_of_a_failed_record_get_their_own_503(server: Shepherd) -> None:
    server.log.fault = LogFull("disk is full")
    server.log.hits = lambda record: record.batch[0] % 2 == 0
    events = [{"data": {"n": n, "pad": "x" * 60_000}} for n in range(75)]
    seen: set[int] = set()
    for _ in range(20):
        status, body, _ = await server.post("/1/batch/d", events)
        if status == 200:
            seen |= {item["status"] for item in body}
            stored = [n for n, item in enumerate(body) if item["status"] == 202]
            assert all("disk is full" in i["error"] for i in body if i["status"] == 503)
            assert stored
        if seen == {202, 503}:
            break
    assert seen == {202, 503}


async def test_many_single_events_share_records(server: Shepherd) -> None:
    answers = await asyncio.gather(
        *(server.post("/1/events/d", {"n": n}) for n in range(60)),
    )
    assert {status for status, *_ in answers} == {200}
    records = await server.records()
    assert len(records) < 60
    assert sorted(event.data["n"] for event in await server.events("d")) == list(range(60))  # type: ignore[index]
    assert all(parse_receipt(headers["X-Bellwether-Receipt"]) for *_, headers in answers)


async def test_rate_limit_and_quota_answer_429_with_the_vendors_text(server: Shepherd) -> None:
    server.add_key("slow", events_per_s=1)
    server.add_key("daily", events_per_day=10)
    events = [{"data": {"n": n}} for n in range(30)]
    for key, shortest in (("slow", 1), ("daily", 0)):
        headers = {"X-Honeycomb-Team": key}
        assert (await server.post("/1/batch/d", events, headers))[0] == 200
        status, body, answer = await server.post("/1/batch/d", events, headers)
        assert status == 429
        assert body["error"].startswith("Request dropped due to rate limiting.")
        assert int(answer["Retry-After"]) >= shortest
    assert len(await server.events("d")) == 60


async def test_daily_quota_survives_a_restart(tmp_path: Path) -> None:
    headers = {"X-Honeycomb-Team": "daily"}
    async with shepherd(tmp_path) as server:
        server.add_key("daily", events_per_day=1)
        assert (await server.post("/1/events/d", {"a": 1}, headers))[0] == 200
    async with shepherd(tmp_path) as server:
        assert (await server.post("/1/events/d", {"a": 1}, headers))[0] == 429


async def test_full_process_refuses_before_reading_bodies(tmp_path: Path) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, in_flight_bytes_max=1_000)) as server:
        status, _, headers = await server.post("/1/batch/d", bytes(2_000))
        assert (status, headers["Retry-After"]) == (503, "1")
        assert (await server.post("/1/batch/d", b'[{"data":{"a":1}}]'))[0] == 200


async def test_body_that_can_never_fit_is_not_told_to_come_again(server: Shepherd) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":")[-1]))
    head = f"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: {KEY}\r\n"
    writer.write(f"{head}Content-Length: 99999999999\r\n\r\n".encode())
    answer = await reader.readuntil(b"}")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Request body is too large." in answer


@pytest.mark.parametrize(
    ("path", "allowed"), [("/1/batch/d", "POST"), ("/1/events/d", "POST"), ("/1/auth", "GET, HEAD")]
)
async def test_wrong_method_is_told_the_right_one(
    server: Shepherd, path: str, allowed: str
) -> None:
    async with server.http.put(server.url + path) as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, allowed)
        assert "method not allowed" in (await reply.json())["error"]


async def test_small_body_that_unpacks_to_much_counts_as_much(tmp_path: Path) -> None:
    body = zstandard.ZstdCompressor().compress(b'[{"data":{"a":"' + b"x" * 60_000 + b'"}}]')
    headers = {"Content-Encoding": "zstd"}
    async with shepherd(tmp_path, ShepherdConfig(port=0, in_flight_bytes_max=10_000)) as server:
        assert (await server.post("/1/batch/d", body, headers))[0] == 503
        assert await server.records() == []


async def test_warm_shepherd_accepts_without_metadata_and_registers_later(
    server: Shepherd, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = server.backends.metadata
    assert (await server.post("/1/batch/old", b'[{"data":{"a":1}}]'))[0] == 200
    monkeypatch.setattr(limits, "METADATA_RETRY_S", 0)

    def down(*_: object) -> None:
        raise MetadataUnavailable("down")

    with monkeypatch.context() as outage:
        for method in ("find_key", "get_dataset", "ensure_dataset"):
            outage.setattr(metadata, method, down)
        assert (await server.post("/1/batch/old", b'[{"data":{"a":1}}]'))[0] == 200
        assert (await server.post("/1/batch/new", b'[{"data":{"a":1}}]'))[0] == 200
        status, _, headers = await server.post("/1/batch/x", b"[]", {"X-Honeycomb-Team": "cold"})
        assert (status, headers["Retry-After"]) == (503, "1")
    await eventually(lambda: metadata.get_dataset(server.dataset("new")))


async def test_dataset_that_is_used_after_its_deletion_is_registered_again(
    server: Shepherd, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = server.backends.metadata
    for name in ("used", "unused"):
        assert (await server.post(f"/1/batch/{name}", b'[{"data":{"a":1}}]'))[0] == 200
        assert (await server.post(f"/1/batch/{name}", b'[{"data":{"a":1}}]'))[0] == 200
        found = metadata.get_dataset(server.dataset(name))
        assert found is not None
        metadata.update_dataset(replace(found, deleted_ns=time.time_ns()))
    assert (await server.post("/1/batch/used", b'[{"data":{"a":1}}]'))[0] == 200
    assert metadata.get_dataset(server.dataset("used")) is None  # taken by what was known before
    monkeypatch.setattr(limits, "DATASET_FRESH_S", 0)
    await eventually(lambda: metadata.get_dataset(server.dataset("used")))
    await asyncio.sleep(1.1)  # once more around
    assert metadata.get_dataset(server.dataset("unused")) is None


async def test_what_was_refused_is_found_in_the_own_dataset(tmp_path: Path) -> None:
    config = ShepherdConfig(port=0, own_team="Team", own_environment="Env")
    queue = TelemetryQueue(SystemClock(), role="shepherd")
    async with shepherd(tmp_path, config, queue) as server:
        bad = b'[{"data":{"secret":"\xff"}},{"data":{"x":"\xff"}},{"data":{}}]'
        await server.post("/1/batch/d", bad)
        await server.post("/1/batch/d", b"[")
        body = b'[{"data":{"name":"from another role"}}]'
        url = f"{server.internal}/internal/telemetry"
        async with server.http.post(url, data=body) as reply:
            assert reply.status == 401
        headers = {"X-Bellwether-Internal-Token": TOKEN}
        async with server.http.post(url, data=body, headers=headers) as reply:
            assert await reply.json() == {"stored": 1}
        large = b"[" + b",".join([b'{"data":{"name":"one of many","x":"%s"}}' % (b"y" * 990)] * 900)
        async with server.http.post(url, data=large + b"]", headers=headers) as reply:
            assert await reply.json() == {"stored": 900}
        own = []

        async def is_told() -> bool:
            every = [event.data for event in await server.events("bellwether")]
            own[:] = [one for one in every if one["name"] != "one of many"]
            return len(own) >= 6

        await eventually(is_told)
    refused = {e["rule"]: e for e in own if e["name"] == "refused_events"}  # type: ignore[index, call-overload]
    assert {rule: event["events"] for rule, event in refused.items()} == {
        "not_utf8": 2,
        "data_empty": 1,
        "malformed_body": 1,
    }
    assert "data.secret" in refused["not_utf8"]["sample_1"]
    assert refused["not_utf8"]["dataset"] == "d"
    requests = [e for e in own if e["name"] == "requests"]  # type: ignore[index, call-overload]
    assert {event["status"] for event in requests} == {200, 400}
    assert {event["dataset"] for event in requests} == {"d"}


async def test_what_was_mended_is_found_in_the_own_dataset(tmp_path: Path) -> None:
    config = ShepherdConfig(port=0, own_team="Team", own_environment="Env")
    queue = TelemetryQueue(SystemClock(), role="shepherd")
    before = {rule: metrics.events_mended_total.labels(rule)._value.get() for rule in Rule}
    async with shepherd(tmp_path, config, queue) as server:
        long = b"x" * (limits.STRING_BYTES_MAX + 1)
        events = [b'{"data":{"sql":"%b","n":NaN}}' % long, b'{"data":{"n":1e999}}'] * 2
        events += [b'{"data":{"n":1},"samplerate":-1}', b'{"data":{"n":1},"samplerate":0}']
        body = b"[%b]" % b",".join(events)
        assert (await server.post("/1/batch/d", body))[1] == [{"status": 202}] * 6
        single = b'{"sql":"%b"}' % long
        headers = {"X-Honeycomb-Samplerate": "abc"}
        assert (await server.post("/1/events/d", single, headers))[0] == 200
        mended = []

        async def is_told() -> bool:
            own = [event.data for event in await server.events("bellwether")]
            mended[:] = [e for e in own if e["name"] == "mended_events"]  # type: ignore[index, call-overload]
            return sum(one["events"] for one in mended) >= 9  # type: ignore[index, call-overload, misc]

        await eventually(is_told)
        stored = await server.events("d")
    counts: dict[tuple[str, str, str], int] = {}
    for one in mended:
        group = one["dataset"], one["rule"], one["field"]  # type: ignore[index, call-overload]
        counts[group] = counts.get(group, 0) + one["events"]  # type: ignore[index, call-overload]
    wanted = {
        ("d", "string_too_long", "sql"): 3,
        ("d", "not_finite", "n"): 2,
        ("d", "number_out_of_range", "n"): 2,
        ("d", "samplerate", "samplerate"): 2,
    }
    assert counts == wanted
    for (_, rule, _), events_counted in wanted.items():
        counter = metrics.events_mended_total.labels(rule)._value.get()
        assert counter - before[Rule(rule)] == events_counted
    assert {event.rate for event in stored} == {1}
    cut = {"sql": "x" * limits.STRING_BYTES_MAX, "meta.truncated_fields": "sql"}
    assert sum(event.data == cut for event in stored) == 1


async def test_longer_strings_are_kept_where_a_setting_says_so(tmp_path: Path) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, string_bytes_max=1_000_000)) as server:
        data = {"sql": "x" * 500_000}
        assert (await server.post("/1/batch/d", [{"data": data}]))[1] == [{"status": 202}]
        assert (await server.post("/1/events/d", data))[0] == 200
        assert [event.data for event in await server.events("d")] == [data, data]
    for size in (65_534, 1_000_001):
        with pytest.raises(ValueError, match="string_bytes_max must be between 65535 and 1000000"):
            ShepherdConfig(string_bytes_max=size)


def test_mended_fields_are_counted_in_bounded_groups() -> None:
    found = [(n, (Mended(Rule.NOT_FINITE, f"f{n}"),)) for n in range(2_000)]
    counts = dict(count_mended(found))
    assert len(counts) == limits.SUMMARY_GROUPS_MAX + 1
    assert counts[Mended(Rule.NOT_FINITE, "(other)")] == 2_000 - limits.SUMMARY_GROUPS_MAX
    queue = TelemetryQueue(SystemClock())
    summary = RequestSummary(queue)
    for n in range(2_000):
        summary.mended("key", f"d{n}", Mended(Rule.NOT_FINITE, "f"), 1)
    summary.flush()
    told = 0
    while body := queue.take():
        told += body.count(b'"mended_events"')
    assert told == limits.SUMMARY_GROUPS_MAX + 1


async def test_telemetry_queue_is_bounded() -> None:
    queue = TelemetryQueue(SystemClock())
    for _ in range(limits.TELEMETRY_QUEUE_EVENTS_MAX + 10):
        queue.emit("x")
    taken = 0
    while body := queue.take():
        taken += body.count(b'"name"')
    assert taken == limits.TELEMETRY_QUEUE_EVENTS_MAX


async def test_health_and_metrics(server: Shepherd) -> None:
    async with server.http.get(f"{server.url}/x/alive") as reply:
        assert reply.status == 200
    for path in ("healthz", "readyz", "metrics"):
        async with server.http.get(f"{server.internal}/{path}") as reply:
            assert reply.status == 200
    async with server.http.get(f"{server.internal}/internal/telemetry") as reply:
        assert reply.status == 401
