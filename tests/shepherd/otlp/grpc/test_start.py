"""Where gRPC cannot be served, the role says so; where it is not asked for, nothing is loaded."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shepherd.config import ShepherdConfig
from shepherd.otlp.grpc.start import CannotListen
from tests.shepherd.harness import shepherd
from tests.shepherd.otlp.grpc.calls import grpc_address
from tests.system.harness import ROOT


async def test_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = ShepherdConfig(port=0, otlp_grpc_port=port)
        with pytest.raises(CannotListen, match=rf"{port}.*otlp_grpc_port"):
            async with shepherd(tmp_path, config):
                pass


async def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "shepherd.otlp.grpc.listener", raising=False)
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(CannotListen, match="grpcio"):
        async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)):
            pass


async def test_without_the_setting_there_is_no_listener(tmp_path: Path) -> None:
    async with shepherd(tmp_path) as server:
        assert await grpc_address(server) == "None"


def test_the_library_is_loaded_by_its_listener_alone() -> None:
    code = "import sys, shepherd.server, bellwether.wiring; sys.exit('grpc' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0
