"""`bellwether init` on real servers: makes what is missing once, refuses what would lose events."""

import random
from pathlib import Path

import pytest

from bellwether.commands.operate.doctor import check_servers
from bellwether.config.secrets import key_file, read_key
from bellwether.config.settings import Settings, load
from bellwether.supervisor.init import CannotInit, Step, run_init
from common.clock import SystemClock
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.store import MysqlMetadata
from common.process.auth import hash_key
from compose.cluster.cluster import Cluster
from ops.doctor.machine import Verdict
from tests.servers import need


@pytest.fixture
def settings(servers: Cluster, tmp_path: Path) -> Settings:
    """All four servers, with names that nothing else uses."""
    for server in ("zookeeper", "mariadb", "s3", "kafka"):
        need(servers, server)
    return read(servers, tmp_path)


def read(servers: Cluster, folder: Path, **more: str) -> Settings:
    own = {
        "BELLWETHER_NODE_DATA": str(folder / "data"),
        "BELLWETHER_KAFKA_TOPIC": "made-by-init",
        "BELLWETHER_KAFKA_PARTITIONS": "3",
        "BELLWETHER_S3_BUCKET": "made-by-init",
        "BELLWETHER_MYSQL_DATABASE": "bellwether_made_by_init",
        "BELLWETHER_ZOOKEEPER_ROOT": "/made/by-init",
    }
    return load({}, {**servers.environment(), **own, **more}, folder)


async def run(settings: Settings) -> list[Step]:
    return [step async for step in run_init(settings, SystemClock(), random.Random(1))]


async def test_init_makes_everything_once_and_doctor_finds_it_right(
    servers: Cluster, settings: Settings, tmp_path: Path
) -> None:
    assert [step.made for step in await run(settings)] == [True] * 5
    assert [step.made for step in await run(settings)] == [False] * 5
    key = read_key(tmp_path / "data")
    assert key
    metadata = MysqlMetadata(settings.section(MysqlConfig))
    metadata.open()
    assert metadata.find_key(hash_key(key))
    metadata.close()
    key_file(tmp_path / "data").unlink()  # another machine of the cluster
    elsewhere = (await run(settings))[-1]
    assert not elsewhere.made
    assert "made elsewhere" in elsewhere.what
    found = await check_servers(settings, SystemClock(), random.Random(1))
    assert [f for f in found if f.verdict is Verdict.FAIL] == []
    assert {"log", "log append", "objects", "metadata", "locks"} <= {f.check for f in found}


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [
        ("BELLWETHER_KAFKA_MIN_INSYNC", "1", r"\(I1\)"),
        ("BELLWETHER_KAFKA_REPLICATION", "2", "nothing could be acknowledged"),
        ("BELLWETHER_KAFKA_RETENTION_HOURS", "1", r"\(I5\)"),
    ],
)
async def test_settings_that_break_an_invariant_are_refused_before_anything_is_made(
    tmp_path: Path, setting: str, value: str, reason: str
) -> None:
    nowhere = {"BELLWETHER_BACKENDS_LOG": "kafka", "BELLWETHER_KAFKA_SERVERS": "127.0.0.1:1"}
    with pytest.raises(CannotInit, match=reason):
        await run(load({}, {**nowhere, setting: value}, tmp_path))


async def test_servers_that_are_not_there_are_told_with_a_remedy(tmp_path: Path) -> None:
    environment = {
        "BELLWETHER_BACKENDS_LOG": "kafka",
        "BELLWETHER_KAFKA_SERVERS": "127.0.0.1:1",
        "BELLWETHER_BACKENDS_OBJECTS": "s3",
        "BELLWETHER_S3_ENDPOINT": "http://127.0.0.1:1",
        "BELLWETHER_S3_BUCKET": "nowhere",
        "BELLWETHER_S3_ACCESS_KEY": "somebody",
        "BELLWETHER_S3_SECRET_KEY": "the-secret-text",
        "BELLWETHER_S3_BUDGET_MS": "200",
        "BELLWETHER_BACKENDS_METADATA": "mysql",
        "BELLWETHER_MYSQL_HOST": "127.0.0.1",
        "BELLWETHER_MYSQL_PORT": "1",
        "BELLWETHER_MYSQL_PASSWORD": "the-secret-text",
        "BELLWETHER_BACKENDS_LOCKS": "zookeeper",
        "BELLWETHER_ZOOKEEPER_SERVERS": "127.0.0.1:1",
        "BELLWETHER_ZOOKEEPER_USERNAME": "somebody",
        "BELLWETHER_ZOOKEEPER_PASSWORD": "the-secret-text",
    }
    settings = load({}, environment, tmp_path)
    found = await check_servers(settings, SystemClock(), random.Random(1))
    failed = {f.check for f in found if f.verdict is Verdict.FAIL}
    # no broker answers: what the topic keeps is neither asked nor told a second time
    assert failed == {"brokers", "objects", "metadata", "locks"}
    assert all(f.remedy for f in found if f.verdict is Verdict.FAIL)
    assert "the-secret-text" not in repr(found) + repr(settings)
