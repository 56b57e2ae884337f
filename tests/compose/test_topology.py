"""The one description of the cluster keeps twins apart (I6) and cannot describe nonsense."""

import random
import socket
from pathlib import Path

import pytest

from compose.processes.ports import Ports
from compose.topology import KafkaTuning, RoleInstance, Topology


def test_every_zone_has_a_broker_and_an_indexer() -> None:
    topology = Topology()
    assert {topology.rack(number) for number in (1, 2, 3)} == set(topology.zones)
    indexers = [instance for instance in topology.instances() if instance.role == "indexer"]
    assert {instance.zone for instance in indexers} == set(topology.zones)


def test_roles_are_spread_over_zones_and_named_once() -> None:
    instances = Topology(shepherds=5, queries=4, indexers_per_zone=2).instances()
    assert len({instance.name for instance in instances}) == len(instances) == 5 + 4 + 6
    assert RoleInstance("shepherd", "a", 1) in instances
    assert RoleInstance("shepherd", "a", 1).name == "shepherd-a1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"zones": ()},
        {"zones": ("a", "a")},
        {"zones": ("a/b",)},
        {"replication": 4},
        {"replication": 3, "min_insync": 3},
        {"shepherds": 0},
    ],
)
def test_a_topology_that_could_not_survive_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|cannot"):
        Topology(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_broker_session_needs_two_heartbeats() -> None:
    with pytest.raises(ValueError, match="heartbeat"):
        KafkaTuning(session_ms=900, heartbeat_ms=500)


def test_ports_are_kept_over_restarts_and_renewed_when_others_took_them(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    port = Ports(path, random.Random(1)).get("kafka-1.client")
    again = Ports(path, random.Random(2))
    assert again.get("kafka-1.client") == port
    assert again.renew("kafka-") == []
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert again.renew("kafka-") == ["kafka-1.client"]
        assert again.get("kafka-1.client") != port
