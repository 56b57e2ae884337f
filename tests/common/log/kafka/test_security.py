"""The Kafka log over TLS with SASL, on a broker of its own."""

import asyncio
import dataclasses
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.clock import SystemClock
from common.errors import LogUnavailable
from common.log.kafka.config import KafkaConfig
from common.log.kafka.log import KafkaLog
from common.log.kafka.topic import check_topic, create_topic
from compose.install import InstallFailed, ensure
from compose.processes.host import Host
from compose.processes.ports import Ports
from compose.processes.process import Keeper
from compose.servers.base import Site
from compose.servers.kafka import Kafka
from compose.topology import Topology
from tests.conformance.worker import numbered
from tests.servers import refuse
from tests.shepherd.http.test_tls import write_certificate

pytestmark = pytest.mark.scenario

USER, PASSWORD = "bellwether", "a long password, with blanks"
SCRAM_PASSWORD = "another-password"  # Kafka's own tool parses it, with commas between settings
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaConfig]:
    """The settings of a log on one broker whose client listener needs TLS and SASL."""
    folder: Path = tmp_path_factory.mktemp("secure")
    host = Host.here()
    try:
        package = ensure(host, "kafka", print)
    except InstallFailed as error:
        refuse(f"not run, for want of a server: {error}")
    certificate, key = write_certificate(folder)
    (folder / "broker.pem").write_text(key.read_text() + certificate.read_text())
    keeper = Keeper()
    site = Site(
        folder, host, Ports(folder / "ports.json", random.Random()), keeper, lambda _name, _port: 0
    )
    topology = Topology(zones=("a",), brokers=1, replication=1, min_insync=1)
    kafka = Kafka(site, topology, package / "libs")
    modules = "org.apache.kafka.common.security"
    plain = f'{modules}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    listener = "listener.name.client"
    kafka.extra = {
        "listener.security.protocol.map": "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(folder / "broker.pem"),
        f"{listener}.sasl.enabled.mechanisms": ",".join(MECHANISMS),
        f"{listener}.plain.sasl.jaas.config": plain,
        **{
            f"{listener}.{mechanism.lower()}.sasl.jaas.config": f"{modules}.scram.ScramLoginModule"
            " required;"
            for mechanism in MECHANISMS[1:]
        },
    }
    try:
        kafka.start()
        for mechanism in MECHANISMS[1:]:  # one request must not name a user twice
            port = kafka.brokers[0].port_of("internal")
            add_scram_user(host, package / "libs", port, mechanism)
        yield KafkaConfig(
            servers=kafka.servers,
            partitions=2,
            replication=1,
            min_insync=1,
            security="sasl_ssl",
            ca=str(certificate),
            sasl_mechanism="PLAIN",
            sasl_username=USER,
            sasl_password=PASSWORD,
        )
    finally:
        kafka.kill()
        keeper.close()


def add_scram_user(host: Host, jars: Path, port: int, mechanism: str) -> None:
    """Create the user with Kafka's own tool over the brokers' listener, as an operator does."""
    secret = f"{mechanism}=[password={SCRAM_PASSWORD}]"
    command = [
        host.find("java") or "java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*",
        "kafka.admin.ConfigCommand", "--bootstrap-server", f"127.0.0.1:{port}", "--alter",
        "--entity-type", "users", "--entity-name", USER, "--add-config", secret,
    ]  # fmt: skip
    done = subprocess.run(
        command, env=host.server_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_log_is_made_and_used_over_tls_with_a_login(
    broker: KafkaConfig, mechanism: str
) -> None:
    config = dataclasses.replace(
        broker,
        topic=mechanism,
        sasl_mechanism=mechanism,
        sasl_password=PASSWORD if mechanism == "PLAIN" else SCRAM_PASSWORD,
    )
    await create_topic(config)
    assert await check_topic(config) == []
    log = KafkaLog(config, SystemClock())
    await log.open()
    jobs = [log.append(1, numbered(str(i), 100_000)) for i in range(20)]
    assert {a.position.offset for a in await asyncio.gather(*jobs)} == set(range(20))
    assert len(await log.read(1, 0, 1 << 20, 0)) >= 10
    await log.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sasl_password": "guessed"},
        {"sasl_password": "guessed", "sasl_mechanism": "SCRAM-SHA-256"},
        {"sasl_password": "guessed", "sasl_mechanism": "SCRAM-SHA-512"},
        {"sasl_username": "nobody", "sasl_mechanism": "SCRAM-SHA-512"},
        {"ca": ""},
        {"security": "plaintext"},
    ],
)
async def test_wrong_login_or_certificate_is_reported_without_the_password(
    broker: KafkaConfig, wrong: dict[str, str]
) -> None:
    log = KafkaLog(dataclasses.replace(broker, **wrong), SystemClock())
    with pytest.raises(LogUnavailable) as raised:
        await log.open()
    assert PASSWORD not in str(raised.value)
    assert "guessed" not in str(raised.value)
    assert broker.servers in str(raised.value)
