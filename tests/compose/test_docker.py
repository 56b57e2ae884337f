"""compose.yaml describes the same cluster as the plain-process launcher, and holds no secret."""

import random
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from bellwether.config.settings import load
from compose import docker
from compose.__main__ import compose_text
from compose.servers import kafka, zookeeper
from compose.topology import Topology

yaml = pytest.importorskip("yaml", reason="reading compose.yaml needs PyYAML (a test dependency)")
TOPOLOGY = Topology()


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(docker.FILE.read_text("utf-8"))


def test_the_committed_file_is_the_generated_one(document: Any) -> None:
    assert docker.FILE.read_text("utf-8") == compose_text(), "run `python -m compose yaml --write`"
    assert document == docker.document(TOPOLOGY), "what is written must read back as it was meant"


def test_it_has_the_services_and_zones_of_the_topology(document: Any) -> None:
    roles = {instance.name for instance in TOPOLOGY.instances()}
    servers = {f"kafka-{n}" for n in (1, 2, 3)} | {f"zookeeper-{n}" for n in (1, 2, 3)}
    assert set(document["services"]) == roles | servers | {"mariadb", "s3", "init"}
    for instance in TOPOLOGY.instances():
        service = document["services"][instance.name]
        assert service["command"] == [instance.role]
        assert service["environment"]["BELLWETHER_NODE_ZONE"] == instance.zone


def test_brokers_and_members_have_the_launchers_settings(document: Any) -> None:
    for number in (1, 2, 3):
        environment = document["services"][f"kafka-{number}"]["environment"]
        for name, value in kafka.broker_settings(TOPOLOGY, number).items():
            assert environment["KAFKA_" + name.upper().replace(".", "_")] == value
        environment = document["services"][f"zookeeper-{number}"]["environment"]
        settings = zookeeper.member_settings(TOPOLOGY.zookeeper)
        assert environment["ZOO_TICK_TIME"] == settings["tickTime"]
        assert f"minSessionTimeout={settings['minSessionTimeout']}" in environment["ZOO_CFG_EXTRA"]


def test_every_role_reads_its_settings(document: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef")
    for name in ("init", *(instance.name for instance in TOPOLOGY.instances())):
        environment = {
            variable: str(secret) if variable.endswith("_FILE") else value
            for variable, value in document["services"][name]["environment"].items()
        }
        load({}, {**environment, "BELLWETHER_S3_ACCESS_KEY": "access"}, tmp_path)


def test_images_are_pinned_and_everything_is_watched(document: Any) -> None:
    for name, service in document["services"].items():
        assert re.search(r":[\w.]*\d[\w.]*$|:local$", service["image"]), service["image"]
        assert not service["image"].endswith(":latest")
        assert name == "init" or service["healthcheck"]["test"][0] == "CMD"
        assert service["logging"]["options"]["max-size"]
    assert "USER bellwether" in (docker.FOLDER / "Dockerfile").read_text()


def test_one_service_alone_builds_the_image_that_all_roles_run(document: Any) -> None:
    """Several builds of one name run at once and fail: `image ... already exists`."""
    ours = {n: s for n, s in document["services"].items() if s["image"] == "bellwether:local"}
    assert [name for name, service in ours.items() if "build" in service] == ["init"]
    for name, service in ours.items():
        if name != "init":
            assert service["pull_policy"] == "never"
            assert "init" in service["depends_on"]


def test_everything_that_must_survive_down_is_on_a_named_volume(document: Any) -> None:
    """The images' own anonymous volumes go with their containers."""
    kept = {
        "zookeeper": {"/data", "/datalog"},
        "kafka": {"/var/lib/kafka/data"},
        "mariadb": {"/var/lib/mysql"},
        "s3": {"/data"},
    }
    seen: list[str] = []
    for name, service in document["services"].items():
        mounts = dict(str(mount).split(":")[::-1] for mount in service.get("volumes", []))
        expected = kept.get(name.split("-")[0], {"/data"})
        assert set(mounts) == expected, name
        seen += mounts.values()
    assert len(seen) == len(set(seen)), "no two services share a volume"
    assert set(seen) == set(document["volumes"])


def test_no_secret_stands_in_the_file_and_made_ones_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = docker.make_secrets(folder, random.Random(1).randbytes)
    assert {path.name for path in made} == set(docker.SECRET_NAMES)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    values = {name: (folder / name).read_text() for name in docker.SECRET_NAMES}
    text = docker.FILE.read_text("utf-8")
    assert not re.search(r"(?i)(password|secret|token)[a-z_]*: \"(?!/run/secrets|[0-9]|\[)", text)
    assert docker.make_secrets(folder, random.Random(2).randbytes) == []
    assert {name: (folder / name).read_text() for name in docker.SECRET_NAMES} == values
