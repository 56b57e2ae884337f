"""The topology as a Docker compose document: the same servers, zones and settings.

Secrets are files that `python -m compose secrets` makes; the document contains none.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

from common.metadata import KeyKind
from common.process.auth import generate_key
from compose.servers import kafka, mariadb, zookeeper
from compose.servers.secret_files import write_secret
from compose.settings import shared_settings
from compose.topology import BUCKET, DATABASE, RoleInstance, Topology
from compose.yaml_text import Value

FOLDER = Path(__file__).resolve().parent
FILE = FOLDER / "compose.yaml"
SECRETS = FOLDER / "secrets"
IMAGES = {
    "kafka": "apache/kafka:4.3.1",
    "zookeeper": "zookeeper:3.9.5",
    "mariadb": "mariadb:10.11",
    "s3": "versity/versitygw:v1.8.0",
    "bellwether": "bellwether:local",
}
KAFKA_CLUSTER_ID = "QmVsbHdldGhlci1kb2NrZQ"  # only has to be the same on every node
CLIENT, INTERNAL, CONTROLLER = 9092, 9093, 9094
ROLE_PORT, PUBLIC_PORT, GRPC_PORT = 9700, 8080, 4317
SECRET_NAMES = ("key", "internal-token", "mysql-password", "s3-access-key", "s3-secret-key")
Service = dict[str, Value]

_LOGGING: Value = {"driver": "json-file", "options": {"max-size": "16m", "max-file": "2"}}
_KEPT: dict[str, Value] = {
    "restart": "unless-stopped",
    "logging": _LOGGING,
    "security_opt": ["no-new-privileges:true"],
}


def document(topology: Topology) -> dict[str, Value]:
    """The whole compose file."""
    services: dict[str, Value] = {}
    for number in range(1, topology.zookeepers + 1):
        services[f"zookeeper-{number}"] = _zookeeper(topology, number)
    services["mariadb"] = _mariadb(topology)
    services["s3"] = _s3()
    for number in range(1, topology.brokers + 1):
        services[f"kafka-{number}"] = _kafka(topology, number)
    servers = list(services)
    services["init"] = _init(topology, servers)
    for number, instance in enumerate(p for p in topology.instances() if p.role == "shepherd"):
        services[instance.name] = _role(topology, instance, number)
    for instance in topology.instances():
        if instance.role != "shepherd":
            services[instance.name] = _role(topology, instance)
    volumes: dict[str, Value] = {name: {} for name in _volumes(services)}
    files: dict[str, Value] = {name: {"file": f"./secrets/{name}"} for name in SECRET_NAMES}
    return {"name": "bellwether", "services": services, "volumes": volumes, "secrets": files}


def _volumes(services: dict[str, Value]) -> list[str]:
    """The names of the volumes that services mount."""
    mounted: list[Value] = []
    for service in services.values():
        found = _mapping(service).get("volumes")
        mounted += found if isinstance(found, list) else []
    return [str(mount).partition(":")[0] for mount in mounted]


def _kafka(topology: Topology, number: int) -> Service:
    settings = kafka.broker_settings(topology, number) | {
        "controller.quorum.voters": ",".join(
            f"{n}@kafka-{n}:{CONTROLLER}" for n in range(1, topology.brokers + 1)
        ),
        "listeners": f"CLIENT://:{CLIENT},INTERNAL://:{INTERNAL},CONTROLLER://:{CONTROLLER}",
        "advertised.listeners": f"CLIENT://kafka-{number}:{CLIENT},"
        f"INTERNAL://kafka-{number}:{INTERNAL}",
        "log.dirs": "/var/lib/kafka/data",
    }
    environment: dict[str, Value] = {
        f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()
    }
    heap = topology.kafka.heap_mb
    return {
        "image": IMAGES["kafka"],
        "environment": {
            "CLUSTER_ID": KAFKA_CLUSTER_ID,
            "KAFKA_HEAP_OPTS": f"-Xms{heap}m -Xmx{heap}m",
            **environment,
        },
        "volumes": [f"kafka-{number}:/var/lib/kafka/data"],
        "healthcheck": _check("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{CLIENT}"),
        "stop_grace_period": "30s",
        **_KEPT,
    }


def _zookeeper(topology: Topology, number: int) -> Service:
    settings = zookeeper.member_settings(topology.zookeeper)
    named = {
        "tickTime": "ZOO_TICK_TIME",
        "initLimit": "ZOO_INIT_LIMIT",
        "syncLimit": "ZOO_SYNC_LIMIT",
        "admin.enableServer": "ZOO_ADMINSERVER_ENABLED",
        "4lw.commands.whitelist": "ZOO_4LW_COMMANDS_WHITELIST",
        "standaloneEnabled": "ZOO_STANDALONE_ENABLED",
        "autopurge.purgeInterval": "ZOO_AUTOPURGE_PURGEINTERVAL",
        "autopurge.snapRetainCount": "ZOO_AUTOPURGE_SNAPRETAINCOUNT",
    }
    members = range(1, topology.zookeepers + 1)
    return {
        "image": IMAGES["zookeeper"],
        "user": "1000:1000",
        "environment": {
            "ZOO_MY_ID": str(number),
            "ZOO_SERVERS": " ".join(f"server.{n}=zookeeper-{n}:2888:3888;2181" for n in members),
            **{variable: settings[name] for name, variable in named.items()},
            "ZOO_CFG_EXTRA": " ".join(f"{n}={v}" for n, v in settings.items() if n not in named),
            "JVMFLAGS": f"-Xmx{topology.zookeeper.heap_mb}m -Dzookeeper.extendedTypesEnabled=true",
        },
        # the image keeps the transaction log apart; unnamed, `down` would take it without the rest
        "volumes": [f"zookeeper-{number}:/data", f"zookeeper-{number}-log:/datalog"],
        "healthcheck": _check(
            "bash", "-c",
            "exec 3<>/dev/tcp/127.0.0.1/2181; printf srvr >&3; timeout 2 grep -q Mode: <&3",
        ),
        "stop_grace_period": "20s",
        **_KEPT,
    }  # fmt: skip


def _mariadb(topology: Topology) -> Service:
    options = mariadb.server_settings(topology.mariadb)
    return {
        "image": IMAGES["mariadb"],
        "user": "999:999",
        "command": [f"--{name}={value}" for name, value in options.items()],
        "environment": {
            "MARIADB_DATABASE": DATABASE,
            "MARIADB_USER": mariadb.USER,
            "MARIADB_PASSWORD_FILE": "/run/secrets/mysql-password",
            "MARIADB_RANDOM_ROOT_PASSWORD": "1",
        },
        "secrets": ["mysql-password"],
        "volumes": ["mariadb:/var/lib/mysql"],
        "healthcheck": _check("healthcheck.sh", "--connect", "--innodb_initialized"),
        "stop_grace_period": "30s",
        **_KEPT,
    }


def _s3() -> Service:
    return {
        "image": IMAGES["s3"],
        "command": ["--port", ":7070", "--health", "/health", "posix", "/data"],
        "env_file": ["./secrets/s3.env"],
        "volumes": ["s3:/data"],
        "cap_drop": ["ALL"],
        "healthcheck": _check("wget", "-q", "-O", "-", "http://127.0.0.1:7070/health"),
        "stop_grace_period": "20s",
        **_KEPT,
    }


def _bellwether(topology: Topology) -> Service:
    """The definition that is common to all containers of Bellwether."""
    brokers = range(1, topology.brokers + 1)
    members = range(1, topology.zookeepers + 1)
    environment: dict[str, Value] = {
        "BELLWETHER_BACKENDS_LOG": "kafka",
        "BELLWETHER_BACKENDS_OBJECTS": "s3",
        "BELLWETHER_BACKENDS_METADATA": "mysql",
        "BELLWETHER_BACKENDS_LOCKS": "zookeeper",
        "BELLWETHER_KAFKA_SERVERS": ",".join(f"kafka-{n}:{CLIENT}" for n in brokers),
        "BELLWETHER_ZOOKEEPER_SERVERS": ",".join(f"zookeeper-{n}:2181" for n in members),
        "BELLWETHER_MYSQL_HOST": "mariadb",
        "BELLWETHER_MYSQL_USER": mariadb.USER,
        "BELLWETHER_MYSQL_DATABASE": DATABASE,
        "BELLWETHER_MYSQL_PASSWORD_FILE": "/run/secrets/mysql-password",
        "BELLWETHER_S3_ENDPOINT": "http://s3:7070",
        "BELLWETHER_S3_BUCKET": BUCKET,
        "BELLWETHER_S3_SECRET_KEY_FILE": "/run/secrets/s3-secret-key",
        "BELLWETHER_NODE_INTERNAL_TOKEN_FILE": "/run/secrets/internal-token",
        "BELLWETHER_NODE_INTERNAL_HOST": "0.0.0.0",
        "BELLWETHER_NODE_INTERNAL_PORT": str(ROLE_PORT),
        "BELLWETHER_NODE_DATA": "/data",
        **shared_settings(topology),
    }
    return {
        "image": IMAGES["bellwether"],
        "environment": environment,
        "env_file": ["./secrets/s3-access.env"],
        "secrets": ["internal-token", "mysql-password", "s3-secret-key"],
        "cap_drop": ["ALL"],
        "logging": _LOGGING,
        "security_opt": ["no-new-privileges:true"],
    }


def _init(topology: Topology, servers: list[str]) -> Service:
    """The service that runs `bellwether init`, and the only one that builds the shared image.

    Builds of several services run at once, and exporting one name twice fails.
    """
    base = _bellwether(topology)
    return {
        **base,
        "build": {"context": "..", "dockerfile": "compose/Dockerfile"},
        "command": ["init"],
        "environment": {
            **_mapping(base["environment"]),
            "BELLWETHER_UP_KEY_FILE": "/run/secrets/key",
        },
        "secrets": ["internal-token", "key", "mysql-password", "s3-secret-key"],
        # operators' commands run here; the volume keeps the state of a stopped rolling restart
        "volumes": ["operator:/data"],
        "restart": "on-failure",
        "depends_on": {name: {"condition": "service_healthy"} for name in servers},
    }


def _role(topology: Topology, instance: RoleInstance, number: int | None = None) -> Service:
    """number: of a shepherd, whose ports on this machine follow from it."""
    base = _bellwether(topology)
    own: dict[str, Value] = {
        "BELLWETHER_NODE_ZONE": instance.zone,
        "BELLWETHER_NODE_SLOT": str(instance.index),
        "BELLWETHER_NODE_ADVERTISE_HOST": instance.name,
    }
    service: Service = {
        **base,
        "pull_policy": "never",  # `init` has built it
        "command": [instance.role],
        "volumes": [f"{instance.name}:/data"],
        "healthcheck": _check(
            "python", "-c",
            "import urllib.request as u; "
            f"u.urlopen('http://127.0.0.1:{ROLE_PORT}/readyz', timeout=2)",
        ),
        "depends_on": {"init": {"condition": "service_completed_successfully"}},
        "restart": "unless-stopped",
        "stop_grace_period": "45s",
    }  # fmt: skip
    if number is not None:
        own |= {
            "BELLWETHER_SHEPHERD_HOST": "0.0.0.0",
            "BELLWETHER_SHEPHERD_PORT": str(PUBLIC_PORT),
            "BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": str(GRPC_PORT),
        }
        ports = (PUBLIC_PORT, GRPC_PORT)
        service["ports"] = [f"127.0.0.1:{port + number}:{port}" for port in ports]
    service["environment"] = {**_mapping(base["environment"]), **own}
    return service


def _check(*command: str) -> Value:
    return {
        "test": ["CMD", *command],
        "interval": "5s",
        "timeout": "4s",
        "retries": 12,
        "start_period": "30s",
    }


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise TypeError("an environment is a mapping")
    return value


def make_secrets(folder: Path, random_bytes: Callable[[int], bytes]) -> list[Path]:
    """Make the missing secrets; returns the new files.

    Only its owner can read the folder. The files are readable by the containers' users, into whose
    name space Docker mounts them one by one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    make: dict[str, Callable[[], str]] = {
        "key": lambda: generate_key(KeyKind.CONFIGURATION, random_bytes),
        "internal-token": lambda: secrets.token_hex(32),
        "mysql-password": lambda: secrets.token_hex(16),
        "s3-access-key": lambda: f"BW{secrets.token_hex(9).upper()}",
        "s3-secret-key": lambda: secrets.token_urlsafe(30),
    }
    made = []
    for name in SECRET_NAMES:
        path = folder / name
        if not path.exists():
            write_secret(path, make[name]())
            path.chmod(0o644)
            made.append(path)
    access = (folder / "s3-access-key").read_text().strip()
    secret = (folder / "s3-secret-key").read_text().strip()
    write_secret(folder / "s3.env", f"ROOT_ACCESS_KEY={access}\nROOT_SECRET_KEY={secret}")
    write_secret(folder / "s3-access.env", f"BELLWETHER_S3_ACCESS_KEY={access}")
    return made
