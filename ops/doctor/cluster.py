"""Checks of a cluster's servers: reachable, configured as the invariants need, clocks in step.

Each check connects to one kind of server and returns findings (ops.doctor.machine). It removes what
it has created there. `refusals` needs no server: it checks for settings that would break an
invariant (I1, I3, I5).
"""

import asyncio
import random
from collections.abc import Collection

from common.clock import Clock
from common.errors import BellwetherError
from common.locks.zookeeper.config import ZookeeperConfig
from common.log import Log
from common.log.kafka.config import KafkaConfig
from common.metadata.mysql.config import MysqlConfig
from common.model.record import heartbeat_record
from common.objects.s3.config import S3Config
from common.probe_result import State
from ops.doctor.machine import Finding, Verdict
from ops.doctor.servers import PROBE_TIMEOUT_S, findings_of, probe_database, probe_store

SKEW_WARN_S = 1.0
SKEW_FAIL_S = 60.0  # beyond it, watermarks and retention of different machines contradict
RETENTION_HOURS_MIN = 2  # snapshots are hourly: with less, one missed snapshot loses records
RETENTION_HOURS_WARN = 24
_PACKET_BYTES_MIN = 4 * 1024 * 1024  # room for the largest stored query and its escapes
_APPEND_TIMEOUT_S = 8.0  # an append with replicas in sync takes milliseconds
_BROKERS = "look at that broker, its disk and its log"
_NTP = "synchronise the clocks with NTP"


def refusals(config: KafkaConfig) -> list[Finding]:
    """Findings about settings of the log that would break an invariant."""
    found = []
    if config.min_insync < 2:
        text = f"kafka.min_insync = {config.min_insync}: one machine's loss would lose records (I1)"
        found.append(Finding("log settings", Verdict.FAIL, text, "set it to 2 or more"))
    if config.replication <= config.min_insync:
        text = (
            f"kafka.replication = {config.replication} with min_insync = {config.min_insync}: "
            "with any broker down nothing could be acknowledged"
        )
        remedy = f"set replication to {config.min_insync + 1} or more"
        found.append(Finding("log settings", Verdict.FAIL, text, remedy))
    if config.retention_hours < RETENTION_HOURS_MIN:
        text = (
            f"kafka.retention_hours = {config.retention_hours}: records would go before the hourly "
            "snapshot has them (I5)"
        )
        found.append(Finding("log settings", Verdict.FAIL, text, "set it to 24 or more"))
    elif config.retention_hours < RETENTION_HOURS_WARN:
        text = f"kafka.retention_hours = {config.retention_hours}: an outage of snapshots that long"
        remedy = "24 or more gives time to repair the object store"
        found.append(Finding("log settings", Verdict.WARN, f"{text} loses records", remedy))
    return found


async def check_kafka(config: KafkaConfig, log: Log, clock: Clock) -> list[Finding]:
    """Check every single broker, then the topic and the brokers' settings, then appends.

    Closes the log.
    """
    from common.log.kafka.probe_brokers import probe_brokers
    from common.log.kafka.topic import check_topic

    try:
        try:
            answers, unreachable = await probe_brokers(config)
            found = findings_of("brokers", answers)
            if all(answer.state is not State.GOOD for answer in answers):
                return found  # the other checks would only time out
            problems = await check_topic(config, unreachable)
        except BellwetherError as error:
            remedy = "check [kafka] servers and the brokers"
            return [Finding("log", Verdict.FAIL, str(error), remedy)]
        found += [
            Finding("log", Verdict.WARN if p.transient else Verdict.FAIL, p.what, p.remedy)
            for p in problems
        ]
        if not problems:
            text = f"topic {config.topic} keeps what the log promises"
            found.append(Finding("log", Verdict.GOOD, text))
        return found + await _check_appends(log, clock, unreachable)
    finally:
        await log.close()


async def _check_appends(log: Log, clock: Clock, unreachable: Collection[str]) -> list[Finding]:
    """Check each broker's clock by the append time of a heartbeat to a partition that it leads.

    unreachable: ids of brokers that do not answer; nothing is appended to them.
    """
    try:
        partitions = (await log.open()).partitions
    except BellwetherError as error:
        text = f"the log cannot be opened: {error}"
        return [Finding("log append", Verdict.FAIL, text, _BROKERS)]
    partitions_led: dict[str, list[int]] = {}
    for partition in range(partitions):
        partitions_led.setdefault(log.leader(partition), []).append(partition)
    reachable = sorted(leader for leader in partitions_led if leader not in unreachable)
    found = [
        Finding(
            "log append", Verdict.FAIL,
            f"broker {leader} leads {len(partitions_led[leader])} partitions and does not answer",
            f"{_BROKERS}; until another broker leads them, events go to other partitions",
        )
        for leader in sorted(partitions_led.keys() & set(unreachable))
    ]  # fmt: skip
    appends = [_append_to(log, clock, leader, partitions_led[leader][0]) for leader in reachable]
    for more in await asyncio.gather(*appends):
        found += more
    if all(f.verdict is not Verdict.FAIL or f.check != "log append" for f in found):
        text = f"{partitions} partitions, led by {len(partitions_led)} brokers; appends work"
        found.insert(0, Finding("log append", Verdict.GOOD, text))
    return found


async def _append_to(log: Log, clock: Clock, leader: str, partition: int) -> list[Finding]:
    """Append one heartbeat to a partition that this broker leads."""
    begin_ns = clock.now_ns()
    try:
        async with asyncio.timeout(_APPEND_TIMEOUT_S):
            appended = await log.append(partition, heartbeat_record())
    except TimeoutError:
        text = f"broker {leader} did not append a heartbeat within {_APPEND_TIMEOUT_S:g} s"
        return [Finding("log append", Verdict.FAIL, text, _BROKERS)]
    except BellwetherError as error:
        text = f"broker {leader} appended no heartbeat: {error}"
        return [Finding("log append", Verdict.FAIL, text, _BROKERS)]
    middle_ns = (begin_ns + clock.now_ns()) // 2
    return check_skew(f"clock of broker {leader}", (appended.append_ns - middle_ns) / 1e9)


def check_s3(
    config: S3Config, clock: Clock, rng: random.Random, timeout_s: float = PROBE_TIMEOUT_S
) -> list[Finding]:
    """Check every address of the endpoint, then puts to the bucket. Blocks.

    timeout_s: for an answer of one address.
    """
    from common.objects.s3.create import probe_bucket

    answers = probe_store(config, timeout_s)
    if answers and all(answer.state is not State.GOOD for answer in answers):
        return findings_of("objects", answers)  # trying the bucket would only take longer to say so
    found = [f for f in findings_of("objects", answers) if f.verdict is not Verdict.GOOD]
    try:
        facts = probe_bucket(config, clock, rng)
    except BellwetherError as error:
        return [*found, Finding("objects", Verdict.FAIL, str(error), "check [s3] and the server")]
    remedy = "use a server that honours If-None-Match: snapshots rest on it (I4)"
    if not facts.put_once:
        text = "of racing conditional puts not exactly one won"
        found.append(Finding("objects", Verdict.FAIL, text, remedy))
    if not facts.parts_once:
        text = "a conditional put in parts replaced an object"
        found.append(Finding("objects", Verdict.FAIL, text, remedy))
    if not facts.refuses_damage:
        text = "the server stores bodies that do not match their checksum"
        found.append(Finding("objects", Verdict.WARN, text, "what is read is still checked"))
    if not found:
        text = f"{config.bucket} ({facts.server}): conditional puts are atomic"
        found.append(Finding("objects", Verdict.GOOD, text))
    if facts.ahead_s is not None:
        found += check_skew("clock of the object store", facts.ahead_s)
    return found


def check_mysql(
    config: MysqlConfig, clock: Clock, timeout_s: float = PROBE_TIMEOUT_S
) -> list[Finding]:
    """Check every address of the database's host, then its settings, schema and clock. Blocks.

    timeout_s: for an answer of one address.
    """
    from common.metadata.mysql.server_facts import read_facts

    answers = probe_database(config, timeout_s)
    if answers and all(answer.state is not State.GOOD for answer in answers):
        return findings_of("metadata", answers)
    found = [f for f in findings_of("metadata", answers) if f.verdict is not Verdict.GOOD]
    try:
        facts = read_facts(config)
    except BellwetherError as error:
        remedy = "check [mysql] and the server; `bellwether init` creates the database"
        return [*found, Finding("metadata", Verdict.FAIL, str(error), remedy)]
    if not facts.current:
        text = f"the schema of {config.database} is not up to date"
        found.append(Finding("metadata", Verdict.WARN, text, "run `bellwether init`"))
    if facts.settings.get("innodb_flush_log_at_trx_commit") != "1":
        text = "innodb_flush_log_at_trx_commit is not 1: a power cut would undo what was confirmed"
        remedy = "set it to 1 in the server's configuration"
        found.append(Finding("metadata", Verdict.WARN, text, remedy))
    if facts.settings.get("log_bin") == "ON" and facts.settings.get("sync_binlog") == "0":
        text = "sync_binlog is 0: a replica could miss what was confirmed"
        found.append(Finding("metadata", Verdict.WARN, text, "set it to 1"))
    if facts.settings.get("read_only", "OFF").upper() not in ("OFF", "0"):
        text = "the server is read-only"
        found.append(Finding("metadata", Verdict.FAIL, text, "name the primary in [mysql] host"))
    packet = facts.settings.get("max_allowed_packet", "")
    if packet.isdigit() and int(packet) < _PACKET_BYTES_MIN:
        text = f"max_allowed_packet is {packet}"
        found.append(Finding("metadata", Verdict.WARN, text, f"set it to {_PACKET_BYTES_MIN}"))
    local = bool(config.socket) or config.host in ("127.0.0.1", "::1", "localhost")
    if not facts.tls and not local:
        text = "the connection is not encrypted"
        remedy = "set mysql.ca to the authority's PEM file"
        found.append(Finding("metadata", Verdict.WARN, text, remedy))
    if not found:
        text = f"{config.database} on {facts.version}: schema and durability are right"
        found.append(Finding("metadata", Verdict.GOOD, text))
    return found + check_skew("clock of the database", facts.server_s - clock.now_ns() / 1e9)


def check_zookeeper(config: ZookeeperConfig, clock: Clock) -> list[Finding]:
    """Check every single member, then a claim of our own in the ensemble. Blocks."""
    from common.locks.zookeeper.create import create_root
    from common.locks.zookeeper.probe_members import probe_members

    found = findings_of("locks", probe_members(config, clock))
    try:
        facts = create_root(config, clock)
    except BellwetherError as error:
        remedy = "check [zookeeper] and the ensemble: more than half of its members must serve"
        return [*found, Finding("locks", Verdict.FAIL, str(error), remedy)]
    if facts.members < 3 or facts.members % 2 == 0:
        text = f"{facts.members} members are named: losing one could stop the ensemble"
        remedy = "name every member of an ensemble of 3 or 5"
        found.append(Finding("locks", Verdict.WARN, text, remedy))
    found.append(Finding("locks", Verdict.GOOD, f"claims below {config.root} work"))
    return found + check_skew("clock of ZooKeeper", facts.ahead_s)


def check_token(token: str, shared: bool, loopback: bool) -> list[Finding]:
    """Check that roles of several machines can authenticate to each other."""
    if token:
        return [Finding("internal token", Verdict.GOOD, "set")]
    remedy = "set node.internal_token, or name a file that holds it in node.internal_token_file"
    if shared:
        text = "not set, but roles of a cluster share one"
        return [Finding("internal token", Verdict.FAIL, text, remedy)]
    if not loopback:
        text = "the data folder's own is used, but internal_host is not loopback"
        return [Finding("internal token", Verdict.WARN, text, remedy)]
    return []


def check_skew(name: str, ahead_s: float) -> list[Finding]:
    """Compare a server's clock with this machine's. ahead_s: of the server's clock."""
    text = f"{abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this machine"
    if abs(ahead_s) > SKEW_FAIL_S:
        return [Finding(name, Verdict.FAIL, text, _NTP)]
    if abs(ahead_s) > SKEW_WARN_S:
        return [Finding(name, Verdict.WARN, text, _NTP)]
    return [Finding(name, Verdict.GOOD, "agrees with this machine's")]
