"""Bellwether's settings for the servers of a cluster, as roles read them from their environment."""

from compose.servers.kafka import Kafka
from compose.servers.mariadb import Mariadb
from compose.servers.s3 import S3
from compose.servers.zookeeper import Zookeeper
from compose.topology import TOPIC, ZOOKEEPER_ROOT, Topology


def shared_settings(topology: Topology) -> dict[str, str]:
    """The settings that do not depend on the servers' addresses."""
    return {
        "BELLWETHER_KAFKA_TOPIC": TOPIC,
        "BELLWETHER_KAFKA_PARTITIONS": str(topology.partitions),
        "BELLWETHER_KAFKA_REPLICATION": str(topology.replication),
        "BELLWETHER_KAFKA_MIN_INSYNC": str(topology.min_insync),
        "BELLWETHER_KAFKA_RETENTION_HOURS": str(topology.kafka.retention_hours),
        "BELLWETHER_ZOOKEEPER_ROOT": ZOOKEEPER_ROOT,
        "BELLWETHER_INDEXER_COPIES": str(topology.copies_possible),
    }


def server_environment(
    topology: Topology,
    kafka: Kafka | None,
    zookeeper: Zookeeper | None,
    mariadb: Mariadb | None,
    s3: S3 | None,
) -> dict[str, str]:
    """Settings of the servers of the cluster; a backend without its server stays embedded."""
    found: dict[str, str] = {}
    if kafka is not None:
        found |= {"BELLWETHER_BACKENDS_LOG": "kafka", "BELLWETHER_KAFKA_SERVERS": kafka.servers}
    if zookeeper is not None:
        found |= {
            "BELLWETHER_BACKENDS_LOCKS": "zookeeper",
            "BELLWETHER_ZOOKEEPER_SERVERS": zookeeper.servers,
        }
    if mariadb is not None:
        found |= {
            "BELLWETHER_BACKENDS_METADATA": "mysql",
            "BELLWETHER_MYSQL_HOST": mariadb.host,
            "BELLWETHER_MYSQL_PORT": str(mariadb.port),
            "BELLWETHER_MYSQL_USER": mariadb.user,
            "BELLWETHER_MYSQL_PASSWORD": mariadb.password,
            "BELLWETHER_MYSQL_DATABASE": mariadb.database,
        }
    if s3 is not None:
        found |= {
            "BELLWETHER_BACKENDS_OBJECTS": "s3",
            "BELLWETHER_S3_ENDPOINT": s3.endpoint,
            "BELLWETHER_S3_BUCKET": s3.bucket,
            "BELLWETHER_S3_REGION": s3.region,
            "BELLWETHER_S3_ACCESS_KEY": s3.access_key,
            "BELLWETHER_S3_SECRET_KEY": s3.secret_key,
        }
    shared = shared_settings(topology)
    without = [
        prefix
        for prefix, server in (("BELLWETHER_KAFKA_", kafka), ("BELLWETHER_ZOOKEEPER_", zookeeper))
        if server is None
    ]
    kept = {name: v for name, v in shared.items() if not name.startswith(tuple(without))}
    return found | kept
