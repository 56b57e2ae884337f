"""S3's own failures: puts that land although they were reported as failed, damage, outages (I4)."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.clock import ManualClock, SystemClock
from common.errors import ObjectMissing, ObjectsUnavailable
from common.objects.s3.attempts import Attempts, RetryBudget
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects
from common.objects.s3.upload import PART_BYTES
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from tests.common.objects.faulty_proxy import ProxyFaults, faulty_proxy
from tests.conformance import cluster as conformance

KINDS = ("fail_after", "hang_up")


@pytest.fixture
def config(
    servers: Cluster, s3_server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> S3Config:
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(servers.environment()))
    found = conformance.settings().section(S3Config)
    prefix = conformance.namespace(tmp_path)
    return replace(found, prefix=prefix, read_timeout_ms=1_500, budget_ms=3_000)


@pytest.fixture
def faults() -> ProxyFaults:
    return ProxyFaults()


@pytest.fixture
def faulty_store(config: S3Config, faults: ProxyFaults) -> Iterator[S3Objects]:
    """A store whose requests go through the faulty proxy."""
    with faulty_proxy(config.endpoint, faults) as endpoint:
        yield made(replace(config, endpoint=endpoint))


def made(config: S3Config) -> S3Objects:
    return S3Objects(config, SystemClock(), random.Random())


@pytest.mark.parametrize("kind", KINDS)
def test_put_that_lands_after_a_reported_failure_is_known_as_our_own(
    faulty_store: S3Objects, faults: ProxyFaults, config: S3Config, kind: str
) -> None:
    getattr(faults, kind)["PUT"] = 1
    assert faulty_store.put_if_absent("a", b"ours")
    assert faults.seen.count("PUT") == 2
    assert made(config).get("a") == b"ours"
    getattr(faults, kind)["PUT"] = 1
    assert not faulty_store.put_if_absent("a", b"ours")  # the same bytes, but another put


def test_put_that_lands_long_after_its_reported_failure_replaces_nothing(
    faulty_store: S3Objects, faults: ProxyFaults, config: S3Config
) -> None:
    """The repeated put is executed first; the late one finds the object and must not replace it."""
    faults.late["PUT"] = 1
    faults.late_s = 0.0
    faults.late_may.clear()
    assert faulty_store.put_if_absent("a", b"ours")
    first = made(config).head("a")
    faults.late_may.set()
    while not faults.done_late:
        time.sleep(0.02)
    assert faults.done_late == [("PUT", 412)]
    assert made(config).head("a") == first
    assert made(config).get("a") == b"ours"


@pytest.mark.parametrize("kind", KINDS)
def test_put_that_somebody_else_won_is_not_ours_whatever_the_server_said(
    faulty_store: S3Objects, faults: ProxyFaults, config: S3Config, kind: str
) -> None:
    assert made(config).put_if_absent("a", b"theirs")
    getattr(faults, kind)["PUT"] = 1
    assert not faulty_store.put_if_absent("a", b"ours")
    assert made(config).get("a") == b"theirs"


@pytest.mark.parametrize("kind", ["fail_after", "hang_up", "fail_before"])
def test_large_object_appears_whole_and_once_although_the_server_lies(
    faulty_store: S3Objects, faults: ProxyFaults, config: S3Config, tmp_path: Path, kind: str
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(random.Random(1).randbytes(PART_BYTES + 100_000))
    getattr(faults, kind).update({"PUT": 1, "POST": 1})
    assert faulty_store.put_if_absent("big", source)
    assert faulty_store.fetch("big", target) == source.stat().st_size
    assert target.read_bytes() == source.read_bytes()
    assert not made(config).put_if_absent("big", source)
    assert [info.key for info in made(config).list("")] == ["big"]


def test_large_object_is_never_put_over_another(config: S3Config, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(PART_BYTES + 1))
    store = made(config)
    upload = store._upload("raced", source)
    assert store.put_if_absent("raced", b"first")
    assert not upload._put_in_parts(if_absent=True)  # it had checked before the other was put
    assert store.get("raced") == b"first"
    store.replace("raced", source)
    assert store.get("raced") == source.read_bytes()


def test_damage_and_breaks_on_the_way_are_read_again(
    faulty_store: S3Objects, faults: ProxyFaults, tmp_path: Path
) -> None:
    body = bytes(range(256)) * 1_000
    faulty_store.put_if_absent("a", body)
    faults.damage = 1
    assert faulty_store.get("a") == body
    faults.cut = 1
    assert faulty_store.get("a") == body
    faults.damage = faults.cut = 1
    target = tmp_path / "target"
    with pytest.raises(ObjectMissing):
        faulty_store.fetch("b", target)
    assert not target.exists()
    assert faulty_store.fetch("a", target) == len(body)
    assert target.read_bytes() == body
    faults.cut = 1
    faulty_store.fetch_range("a", 1_000, 200_000, target)
    assert target.read_bytes() == body[1_000:201_000]
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_server_that_never_succeeds_is_unavailable_and_gets_few_retries(
    faulty_store: S3Objects, faults: ProxyFaults
) -> None:
    faults.fail_before["GET"] = 1_000
    for _ in range(12):
        with pytest.raises(ObjectsUnavailable):
            faulty_store.get("a")
    assert faults.seen.count("GET") <= 12 + 10  # the retries that were saved up, no more


def test_stopped_server_is_unavailable_and_works_again_when_it_is_back(
    config: S3Config, s3_server: S3
) -> None:
    store = made(replace(config, budget_ms=2_000))
    assert store.put_if_absent("a", b"x")
    s3_server.pause()
    try:
        with pytest.raises(ObjectsUnavailable):
            store.head("a")
    finally:
        s3_server.resume()
    s3_server.kill()
    try:
        for call in (lambda: store.get("a"), lambda: list(store.list(""))):
            with pytest.raises(ObjectsUnavailable):
                call()
    finally:
        s3_server.start()
    assert store.get("a") == b"x"


def test_wrong_secret_and_missing_bucket_are_unavailable_not_missing(config: S3Config) -> None:
    wrong = made(replace(config, secret_key="not-the-secret"))
    gone = made(replace(config, bucket="no-such-bucket"))
    for store, reason in ((wrong, "check"), (gone, "bellwether init")):
        with pytest.raises(ObjectsUnavailable, match=reason) as caught:
            store.get("a")
        assert "not-the-secret" not in str(caught.value)
        for call in (
            lambda store=store: store.head("a"),
            lambda store=store: list(store.list("")),
            lambda store=store: store.put_if_absent("a", b""),
        ):
            with pytest.raises(ObjectsUnavailable):
                call()


def test_what_others_put_there_is_not_shown(config: S3Config, s3_server: S3) -> None:
    store = made(config)
    client = s3_server.client()
    for name in ("a b", "a/.hidden", "é"):
        client.put_object(Bucket=config.bucket, Key=f"{config.prefix}/{name}", Body=b"x")
    client.put_object(Bucket=config.bucket, Key=f"{config.prefix}-more/a", Body=b"x")
    client.put_object(Bucket=config.bucket, Key=f"{config.prefix}/plain", Body=b"of another tool")
    assert [info.key for info in store.list("")] == ["plain"]
    assert store.get("plain") == b"of another tool"


def test_attempts_end_with_their_time() -> None:
    clock = ManualClock()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance_ms(seconds * 1000)

    def fail(landed: bool) -> None:
        assert landed == bool(pauses)
        raise ConnectionResetError("gone")

    attempts = Attempts(clock, random.Random(1), RetryBudget(), 3_000, "here", sleep)
    with pytest.raises(ObjectsUnavailable, match="here"):
        attempts.run(fail)
    assert 2 <= len(pauses) <= 9
    assert sum(pauses) <= 3.0
