"""`bellwether doctor`: check this machine, say what to do."""

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import click
import orjson
from rich.text import Text

from bellwether.backends import log_folder, make_log, make_objects, open_metadata, reserve_of
from bellwether.client import ClientError, find_target, running_url
from bellwether.client.session import connect
from bellwether.config.secrets import check_token_file, key_file, read_key
from bellwether.config.sections import (
    BackendsConfig,
    LocksKind,
    LogKind,
    MetadataKind,
    NodeConfig,
    ObjectsKind,
)
from bellwether.config.settings import Settings, SettingsError, load, parse_flag
from bellwether.options.shared import configuration_options
from bellwether.output import output_console
from common.clock import Clock, SystemClock
from common.errors import BellwetherError, Unavailable
from common.locks.zookeeper.config import ZookeeperConfig
from common.log.embedded.examine import has_log
from common.log.kafka.config import KafkaConfig
from common.metadata.mysql.config import MysqlConfig
from common.objects.s3.config import S3Config
from common.process.auth import hash_key
from indexer.config import IndexerConfig
from ops.doctor import cluster, data_folder
from ops.doctor import machine as checks
from ops.doctor.cluster import check_token
from ops.doctor.compactions import check_compactions
from ops.doctor.machine import Finding, Verdict
from ops.retention import RetentionPeriods, check_retention
from ops.status import read_status, troubles
from shepherd.config import ShepherdConfig

_PACKAGES = (
    "aiohttp", "aiokafka", "boto3", "click", "duckdb", "kazoo", "msgpack", "msgspec", "numba",
    "numpy", "orjson", "prometheus-client", "pyarrow", "pymysql", "rich", "zstandard",
)  # fmt: skip
_ORDER = (Verdict.FAIL, Verdict.WARN, Verdict.GOOD)  # what is wrong comes first
_STYLES = {Verdict.GOOD: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Verdict, troubles and all findings.")
@configuration_options
def doctor(as_json: bool, config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Check configuration, clock, disk, permissions and ports, and tell the remedy.

    In a cluster every single server is asked by itself. What is wrong comes first.

    \b
    Exit code 0: nothing has to be done (there may be warnings); 1: something has to be done.
    """
    found = checks.check_python(checks.python_version(), _PACKAGES)
    try:
        flags: dict[tuple[str, str], object] = dict(parse_flag(text) for text in sets)
        if data is not None:
            flags["node", "data"] = str(data)
        settings = load(flags, os.environ, Path.cwd(), config)
    except SettingsError as error:
        remedy = "correct it; `bellwether settings` shows what is in force"
        found.append(Finding("configuration", Verdict.FAIL, str(error), remedy))
    else:
        text = f"read from {settings.file}" if settings.file else "defaults and environment"
        found.append(Finding("configuration", Verdict.GOOD, text))
        found += _check_machine(settings)
        found += asyncio.run(check_data(settings))
        found += asyncio.run(check_servers(settings, SystemClock(), random.Random()))
        found += _check_documents(settings, SystemClock())
    found.sort(key=lambda item: _ORDER.index(item.verdict))
    if as_json:
        click.echo(orjson.dumps(document(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)
    sys.exit(1 if any(item.verdict is Verdict.FAIL for item in found) else 0)


def document(found: Sequence[Finding]) -> dict[str, object]:
    """The findings for programs: a verdict, what has to be done, then all of them."""
    failed = [item for item in found if item.verdict is Verdict.FAIL]
    return {
        "verdict": "trouble" if failed else "ok",
        "troubles": [{"text": f"{i.check}: {i.text}", "remedy": i.remedy} for i in failed],
        "findings": [asdict(item) for item in found],
    }


def _print(found: Sequence[Finding]) -> None:
    console = output_console()
    for item in found:
        line = Text(f"{item.verdict.value:5}", style=_STYLES[item.verdict])
        console.print(line.append(f" {item.check}: {item.text}", style="default"), soft_wrap=True)
        if item.remedy:
            console.print(f"      {item.remedy}", markup=False, soft_wrap=True)
    counts = {verdict: sum(i.verdict is verdict for i in found) for verdict in Verdict}
    if counts[Verdict.FAIL]:
        text = f"{counts[Verdict.FAIL]} to be mended, {counts[Verdict.WARN]} warnings"
    else:
        text = f"nothing has to be mended; {counts[Verdict.WARN]} warnings"
    console.print(text, soft_wrap=True)


def _check_machine(settings: Settings) -> list[Finding]:
    clock = SystemClock()
    folder = settings.section(NodeConfig).data
    public = settings.section(ShepherdConfig)
    node, chosen = settings.section(NodeConfig), settings.section(BackendsConfig)
    url = running_url(folder)
    server_s = asyncio.run(_server_time_s(url)) if url else None
    return [
        *checks.check_folder(folder),
        *checks.check_secrets(folder),
        *check_token(node.internal_token, chosen.locks is not LocksKind.FILES, node.on_loopback),
        *checks.check_disk(folder),
        *checks.check_room(reserve_of(settings).trouble() if folder.exists() else None),
        *checks.check_fsync(folder, clock),
        *checks.check_open_files(),
        *checks.check_port(public.host, public.port, url or ""),
        *checks.check_tls(public.tls_cert, public.tls_key),
        *checks.check_clock(server_s, clock.now_ns() / 1e9),
    ]


async def check_data(
    settings: Settings, limits: data_folder.ReadLimits = data_folder.READ_LIMITS
) -> list[Finding]:
    """Checks of the data on this machine, and of the roles that run here."""
    chosen, data = settings.section(BackendsConfig), settings.section(NodeConfig).data
    if not data.is_dir():
        return []
    used = any((data / name).is_dir() for name in ("log", "objects"))
    found = await asyncio.to_thread(data_folder.check_readable, data)
    found += await asyncio.to_thread(_check_secret_files, data)
    if used and chosen.log is not LogKind.KAFKA:
        found += await asyncio.to_thread(data_folder.check_log_files, data / "log", limits)
    if used and chosen.objects is not ObjectsKind.S3:
        found += await _check_store(settings, data, limits)
    if chosen.metadata is not MetadataKind.MYSQL:
        path = data / "metadata.db"
        found += await asyncio.to_thread(data_folder.check_metadata_file, path, used)
    return [*found, *await _check_roles(data)]


async def _check_store(
    settings: Settings, data: Path, limits: data_folder.ReadLimits
) -> list[Finding]:
    if not (data / "objects").is_dir():
        remedy = "mount it, or restore it from a backup; `up` would make an empty one"
        return [Finding("objects", Verdict.FAIL, f"{data / 'objects'} is missing", remedy)]
    folder = log_folder(settings)
    log = make_log(settings, SystemClock(), read_only=True) if folder and has_log(folder) else None
    try:
        objects = await asyncio.to_thread(make_objects, settings, SystemClock())
        return await data_folder.check_store(objects, log, limits)
    except Unavailable as error:
        return [Finding("objects", Verdict.FAIL, str(error), "make it reachable again")]
    finally:
        if log is not None:
            await log.close()


def _check_secret_files(data: Path) -> list[Finding]:
    """That key and token are whole: the key is one that the metadata knows."""
    found = []
    try:
        key = read_key(data)
        if key_file(data).exists() and (not key or not data_folder.knows_key(data, hash_key(key))):
            what = f"{key_file(data)} holds no key that was ever made: it is damaged"
            remedy = "restore it, or remove it while nothing runs: `up` makes a new one"
            found.append(Finding("secrets", Verdict.FAIL, what, remedy))
        check_token_file(data)
    except OSError as error:
        found.append(Finding("secrets", Verdict.FAIL, str(error), "see there"))
    return found


async def _check_roles(data: Path) -> list[Finding]:
    """What `status` finds wrong, if an `up` runs on this folder."""
    url = running_url(data)
    if not url:
        return []
    clock = SystemClock()
    try:
        target = find_target(url, None, data, os.environ, insecure=True)
        async with connect(target, total_s=20.0) as client:
            document = await client.json("GET", "/bw/1/status")
        reported = troubles(read_status(document, clock.now_ns()), clock.now_ns())
    except (ClientError, KeyError, TypeError, ValueError) as error:
        remedy = "ask with a key that may: BELLWETHER_KEY=... bellwether status"
        return [Finding("roles", Verdict.WARN, f"their status is not known: {error}", remedy)]
    return [Finding("roles", Verdict.FAIL, one.text, one.remedy) for one in reported] or [
        Finding("roles", Verdict.GOOD, "none of them has a complaint")
    ]


async def check_servers(settings: Settings, clock: Clock, rng: random.Random) -> list[Finding]:
    """Every server that the settings choose."""
    chosen = settings.section(BackendsConfig)
    found: list[Finding] = []
    if chosen.log is LogKind.KAFKA:
        config = settings.section(KafkaConfig)
        found += cluster.refusals(config)
        found += await cluster.check_kafka(config, make_log(settings, clock), clock)
    if chosen.objects is ObjectsKind.S3:
        s3 = settings.section(S3Config)
        found += await asyncio.to_thread(cluster.check_s3, s3, clock, rng)
    if chosen.metadata is MetadataKind.MYSQL:
        mysql = settings.section(MysqlConfig)
        found += await asyncio.to_thread(cluster.check_mysql, mysql, clock)
    if chosen.locks is LocksKind.ZOOKEEPER:
        zookeeper = settings.section(ZookeeperConfig)
        found += await asyncio.to_thread(cluster.check_zookeeper, zookeeper, clock)
    return found


def _check_documents(settings: Settings, clock: Clock) -> list[Finding]:
    """What waits to expire, or went too early, and what of compaction cannot be read; nothing where
    nothing is stored yet.
    """
    folder, chosen = settings.section(NodeConfig).data, settings.section(BackendsConfig)
    needed = ("log", "objects", "metadata.db") if chosen.embedded else ()
    if not all((folder / name).exists() for name in needed):
        return []  # to look would make it
    try:
        with contextlib.closing(open_metadata(settings)) as metadata:
            own_days = metadata.list_retentions()
        indexer = settings.section(IndexerConfig)
        kept = RetentionPeriods(indexer.retention_days, own_days, indexer.retention_grace_s)
        partitions = range(asyncio.run(_partitions(settings, clock)))
        objects = make_objects(settings, clock)
        found = check_retention(objects, partitions, kept, clock.now_ns())
        return found + check_compactions(objects, partitions)
    except BellwetherError as error:
        remedy = "see the findings about the log, the objects and the metadata"
        return [Finding("retention", Verdict.WARN, str(error), remedy)]


async def _partitions(settings: Settings, clock: Clock) -> int:
    log = make_log(settings, clock, read_only=True)
    try:
        return (await log.open()).partitions
    finally:
        await log.close()


async def _server_time_s(url: str) -> float | None:
    """The server's clock, by the Date of its answers (whole seconds: their middle is meant)."""
    timeout = aiohttp.ClientTimeout(total=3.0)
    connector = aiohttp.TCPConnector(ssl=False)  # only its clock is read, nothing is sent to it
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
            session.get(f"{url}/x/alive") as answer,
        ):
            return parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5
    except (aiohttp.ClientError, OSError, KeyError, ValueError):
        return None
