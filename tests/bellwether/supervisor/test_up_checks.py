"""`up` finds what cannot work before it starts anything."""

import io
import signal
from pathlib import Path

import pytest
from rich.console import Console

from bellwether.config.settings import SettingsError, load
from bellwether.supervisor.addresses import CannotStart, check_tls
from bellwether.supervisor.child import Child
from bellwether.supervisor.console import UpConsole
from bellwether.supervisor.up import Supervisor, _clean_codes
from common.clock import SystemClock
from common.errors import Unavailable
from common.locks.files import FileLocks
from shepherd.config import ShepherdConfig


@pytest.mark.parametrize("port", ["-1", "65536", "99999"])
def test_port_that_cannot_be_is_an_error_of_the_setting(port: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="port must be between 0 and 65535"):
        load({("shepherd", "port"): port}, {}, tmp_path)


def test_half_of_tls_is_an_error_of_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="together"):
        load({("shepherd", "tls_cert"): "c.pem"}, {}, tmp_path)


def test_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    with pytest.raises(CannotStart, match=r"c\.pem"):
        check_tls(ShepherdConfig(tls_cert=str(cert), tls_key=str(key)))
    cert.write_text("no certificate")
    key.write_text("no key")
    with pytest.raises(CannotStart, match=r"k\.pem"):
        check_tls(ShepherdConfig(tls_cert=str(cert), tls_key=str(key)))
    check_tls(ShepherdConfig())


def test_a_role_stopped_while_it_was_starting_ended_cleanly(tmp_path: Path) -> None:
    child = Child("query", ("query",), "query", tmp_path / "log", {})
    assert -signal.SIGTERM in _clean_codes(child)
    child.ready = True
    assert _clean_codes(child) == (0,)


def test_a_full_disk_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise Unavailable("No space left on device")

    monkeypatch.setattr(FileLocks, "acquire", full)
    monkeypatch.setattr(signal, "signal", no_handlers)
    settings = load({("node", "data"): str(tmp_path), ("shepherd", "port"): 0}, {}, tmp_path)
    screen = UpConsole(Console(file=io.StringIO()), {})
    with pytest.raises(CannotStart, match=r"No space left on device.*free space"):
        Supervisor(settings, {}, SystemClock(), screen).run()


def no_handlers(*args: object) -> None:
    """The test keeps its own signal handlers."""
