"""Kafka: brokers that are controllers too (KRaft), each in the zone of its rack.

Brokers advertise the address of the CLIENT listener to clients, which may be a proxy's; brokers use
INTERNAL among themselves, so a fault on a client's link affects that link alone.
"""

import base64
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from compose.processes.ports import LOOPBACK, answers
from compose.processes.process import Process, StartFailed
from compose.servers.base import STOP_S, Site
from compose.servers.kafka_quorum import QuorumUnknown, find_active_controller
from compose.servers.secret_files import kept_secret
from compose.topology import KafkaTuning, Topology

READY_S = 300.0  # one that ends is noticed at once: this is for machines with other work
_STARTED = "Kafka Server started"  # logged once the broker is registered
_FORMAT_S = 60.0
_LOG_CONFIG = Path(__file__).resolve().parent.parent / "packages" / "kafka-log4j2.properties"


def broker_settings(topology: Topology, number: int) -> dict[str, str]:
    """server.properties of a broker apart from folders and addresses."""
    tuning = topology.kafka
    replication, min_insync = str(topology.replication), str(topology.min_insync)
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "broker.rack": topology.rack(number),
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,"
        "CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "num.partitions": str(topology.partitions),
        "default.replication.factor": replication,
        "min.insync.replicas": min_insync,
        "unclean.leader.election.enable": "false",
        "log.message.timestamp.type": "LogAppendTime",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": replication,
        "offsets.topic.num.partitions": "3",
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": min_insync,
        "transaction.state.log.num.partitions": "3",
        "share.coordinator.state.topic.replication.factor": replication,
        "share.coordinator.state.topic.min.isr": min_insync,
        "message.max.bytes": str(tuning.message_bytes_max),
        "replica.fetch.max.bytes": str(tuning.message_bytes_max),
        "log.segment.bytes": str(tuning.segment_bytes),
        "log.retention.hours": str(tuning.retention_hours),
        "log.cleaner.dedupe.buffer.size": "8388608",
        "log.cleaner.io.buffer.size": "262144",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "queued.max.requests": "100",
        "controlled.shutdown.enable": "true",
        # until a dead or frozen broker is fenced, every write to its replicas waits
        "broker.session.timeout.ms": str(tuning.session_ms),
        "broker.heartbeat.interval.ms": str(tuning.heartbeat_ms),
        "replica.lag.time.max.ms": str(tuning.replica_lag_ms),
        # a broker that returned leads its partitions again soon
        "leader.imbalance.check.interval.seconds": str(tuning.imbalance_check_s),
        "leader.imbalance.per.broker.percentage": "0",
    }


class KafkaBroker:
    """One broker and controller, numbered from 1."""

    def __init__(self, number: int, site: Site, topology: Topology, jars: Path) -> None:
        self.number = number
        self.name = f"kafka-{number}"
        self.process: Process = site.process(self.name)
        self.proxied_port = 0
        self.environ: dict[str, str] = {}  # beyond what servers inherit, for experiments
        self._site = site
        self._topology = topology
        self._jars = jars

    def port_of(self, listener: str) -> int:
        """The port of a listener (client, internal, controller)."""
        return self._site.ports.get(f"{self.name}.{listener}")

    @property
    def address(self) -> str:
        """The advertised address: the proxy's, if there is one."""
        return f"{LOOPBACK}:{self.proxied_port or self.port_of('client')}"

    @property
    def voter(self) -> str:
        """Its part of controller.quorum.voters."""
        return f"{self.number}@{LOOPBACK}:{self.port_of('controller')}"

    def configure(self, voters: str, extra: Mapping[str, str]) -> None:
        """Write server.properties."""
        folder = self._site.data_folder(self.name)
        listeners = ",".join(
            f"{name}://{LOOPBACK}:{self.port_of(name.lower())}"
            for name in ("CLIENT", "INTERNAL", "CONTROLLER")
        )
        internal = f"INTERNAL://{LOOPBACK}:{self.port_of('internal')}"
        settings = {
            **broker_settings(self._topology, self.number),
            "controller.quorum.voters": voters,
            "listeners": listeners,
            "advertised.listeners": f"CLIENT://{self.address},{internal}",
            "log.dirs": str(folder / "data"),
            **extra,
        }
        lines = [f"{name}={value}\n" for name, value in settings.items()]
        (folder / "server.properties").write_text("".join(lines))

    def begin_format(self, cluster_id: str) -> Process | None:
        """Start to prepare the data folder; None when it is prepared already."""
        folder = self._site.data_folder(self.name)
        if (folder / "formatted").exists():
            return None
        shutil.rmtree(folder / "data", ignore_errors=True)
        tool = self._site.process(f"{self.name}-format")
        command = [
            *self._java(96, "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool", "format",
            "-t", cluster_id, "-c", str(folder / "server.properties"),
        ]  # fmt: skip
        tool.start(command, self._site.host.server_environment(), folder)
        return tool

    def end_format(self, tool: Process) -> None:
        """Wait for `begin_format`. Raises StartFailed."""
        tool.wait_ready(lambda: tool.exit_code is not None, _FORMAT_S)
        if tool.exit_code != 0:
            raise StartFailed(f"{self.name} could not be formatted:\n{tool.log_tail()}")
        (self._site.data_folder(self.name) / "formatted").touch()

    def start(self) -> None:
        """Start the process; `wait_ready` waits until the broker has joined the cluster."""
        folder = self._site.data_folder(self.name)
        command = [
            *self._java(self._topology.kafka.heap_mb, "-XX:MaxDirectMemorySize=128m"),
            "kafka.Kafka", str(folder / "server.properties"),
        ]  # fmt: skip
        environ = {**self._site.host.server_environment(), **self.environ}
        self.process.start(command, environ, folder)

    def _java(self, heap_mb: int, *options: str) -> list[str]:
        return [
            self._site.host.find("java") or "java",
            f"-Xms{heap_mb}m", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={_LOG_CONFIG}", *options,
            "-cp", f"{self._jars}/*",
        ]  # fmt: skip

    @property
    def ready(self) -> bool:
        """Whether the broker has joined since its last start and responds."""
        return _STARTED in self.process.log_since_start() and answers(self.port_of("client"))

    def wait_ready(self) -> None:
        """Wait until `ready`. Raises StartFailed."""
        self.process.wait_ready(lambda: self.ready, READY_S)

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()


class Kafka:
    """The brokers. `servers` is what a client bootstraps from."""

    def __init__(self, site: Site, topology: Topology, jars: Path) -> None:
        self._site = site
        self._topology = topology
        self.extra: dict[str, str] = {}  # broker settings beyond the topology's, for experiments
        self.brokers = [
            KafkaBroker(number, site, topology, jars) for number in range(1, topology.brokers + 1)
        ]

    @property
    def tuning(self) -> KafkaTuning:
        """How soon failures are noticed."""
        return self._topology.kafka

    @property
    def servers(self) -> str:
        """host:port of every broker as clients see it, separated by commas."""
        return ",".join(broker.address for broker in self.brokers)

    def start(self) -> None:
        """Start every broker and wait until all have joined."""
        self._site.start_with_free_ports("kafka-", self._start)

    def _start(self) -> None:
        self.kill()
        voters = ",".join(broker.voter for broker in self.brokers)
        cluster_id = kept_secret(self._site.data_folder("kafka") / "cluster-id", _new_cluster_id)
        for broker in self.brokers:
            broker.proxied_port = self._site.link(broker.name, broker.port_of("client"))
            broker.configure(voters, self.extra)
        formats = [(broker, broker.begin_format(cluster_id)) for broker in self.brokers]
        for broker, tool in formats:
            if tool is not None:
                broker.end_format(tool)
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait_ready()

    def controller(self) -> KafkaBroker | None:
        """The broker that is the active controller now; None while there is none."""
        for broker in self.brokers:
            if not broker.process.alive or broker.process.paused:
                continue
            try:
                number = find_active_controller(LOOPBACK, broker.port_of("client"))
            except QuorumUnknown:
                continue
            found = next((b for b in self.brokers if b.number == number), None)
            if found is not None and found.process.alive and not found.process.paused:
                return found
        return None

    def stop(self) -> None:
        """Stop every broker, all at once: their data is on disk in any case."""
        for broker in self.brokers:
            broker.process.ask_to_stop()
        deadline_s = time.monotonic() + STOP_S
        for broker in self.brokers:
            broker.process.stop(max(0.1, deadline_s - time.monotonic()))

    def kill(self) -> None:
        """SIGKILL every broker."""
        for broker in self.brokers:
            broker.kill()


def _new_cluster_id() -> str:
    """Kafka's form of a UUID: 22 characters of URL-safe base64, not beginning with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
