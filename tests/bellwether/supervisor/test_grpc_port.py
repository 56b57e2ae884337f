"""Which port `up` takes for OTLP over gRPC, and what it says when that one cannot be."""

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwether.config.settings import Settings, SettingsError, load
from bellwether.supervisor import grpc_port
from bellwether.supervisor.addresses import CannotStart, check_grpc, grpc_address
from bellwether.supervisor.grpc_port import NO_PORT, choose_grpc_port
from shepherd.config import ShepherdConfig


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def settings(folder: Path, **shepherd: int) -> Settings:
    return load({("shepherd", name): value for name, value in shepherd.items()}, {}, folder)


def test_the_usual_port_where_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    monkeypatch.setattr(grpc_port, "USUAL_PORT", free)
    assert choose_grpc_port(settings(tmp_path)) == (free, "", False)
    monkeypatch.setattr(grpc_port, "USUAL_PORT", taken)
    found = choose_grpc_port(settings(tmp_path))
    assert (found.port, found.given) == (NO_PORT, False)
    assert str(taken) in found.trouble
    check_grpc(found)  # `up` starts, and says it


def test_any_free_port_beside_any_free_public_one(tmp_path: Path) -> None:
    found = choose_grpc_port(settings(tmp_path, port=0))
    assert found.port > 0
    assert grpc_address(ShepherdConfig(host="0.0.0.0"), found.port) == f"127.0.0.1:{found.port}"


def test_a_port_that_is_asked_for_and_taken_stops_the_start(tmp_path: Path, taken: int) -> None:
    found = choose_grpc_port(settings(tmp_path, otlp_grpc_port=taken))
    with pytest.raises(CannotStart, match=rf"{taken}.*otlp_grpc_port"):
        check_grpc(found)


def test_none_where_none_is_wanted(tmp_path: Path) -> None:
    assert choose_grpc_port(settings(tmp_path, otlp_grpc_port=-1)) == (NO_PORT, "", True)


def test_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_grpc(choose_grpc_port(settings(tmp_path)))
    with pytest.raises(CannotStart, match="grpcio"):
        check_grpc(choose_grpc_port(settings(tmp_path, otlp_grpc_port=0)))


@pytest.mark.parametrize("port", [-2, 65_536, 8_080])
def test_port_that_cannot_be_is_an_error_of_the_setting(tmp_path: Path, port: int) -> None:
    with pytest.raises(SettingsError, match="otlp_grpc_port must"):
        settings(tmp_path, otlp_grpc_port=port)
