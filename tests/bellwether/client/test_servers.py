"""Named servers: keys are typed once, kept for nobody else, and sent to their own server only."""

import json
import os
import pty
import select
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from bellwether.client import ClientError, find_target
from bellwether.client.servers import Server, keep_server, read_servers, servers_file
from bellwether.config.secrets import write_key
from tests.bellwether.local_server import serving
from tests.system.harness import ROOT

KEY = "a-key-of-twenty-two-xy"


class Auth(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        known = self.headers["X-Honeycomb-Team"] == KEY
        told = {"type": "configuration", "api_key_access": {"events": True, "queries": False},
                "team": {"name": "T1"}, "environment": {"name": "Prod"}}  # fmt: skip
        body = json.dumps(told if known else {"error": "unknown API key"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Auth) as address:
        yield address


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in [name for name in os.environ if name.startswith("BELLWETHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, arguments, input=typed)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_login_checks_the_key_and_keeps_it_for_its_owner_only(
    environ: dict[str, str], url: str
) -> None:
    done = run("login", "prod", f"{url}/", "--key-stdin", typed=f"{KEY}\n")
    assert done.exit_code == 0, done.output
    assert "environment Prod of team T1" in done.output
    assert "send events" in done.output
    assert KEY not in done.output
    path = servers_file(environ)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert read_servers(environ).by_name["prod"] == Server("prod", url, KEY, False, "T1", "Prod")
    assert KEY not in repr(read_servers(environ))
    for arguments in (("servers",), ("servers", "--json")):
        shown = run(*arguments).output
        assert KEY not in shown
        assert url in shown
    assert list(path.parent.iterdir()) == [path]


def test_a_key_that_the_server_does_not_know_is_not_kept(environ: dict[str, str], url: str) -> None:
    done = run("login", "prod", url, "--key-stdin", typed="some-other-key")
    assert done.exit_code == 1
    assert "does not know this key" in done.output
    assert run("login", "prod", "http://127.0.0.1:1", "--key-stdin", typed=KEY).exit_code == 1
    assert run("login", "a/b", url, "--key-stdin", typed=KEY).exit_code == 2
    assert run("login", "prod", url, "--key-stdin", typed="").exit_code == 2
    assert run("login", "prod", url, typed=KEY).exit_code == 2  # no terminal to ask on
    assert not servers_file(environ).exists()


def test_the_key_is_not_shown_while_it_is_typed(environ: dict[str, str], url: str) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bellwether", "login", "prod", url],
        stdin=child, stdout=child, stderr=child, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(child)
    shown, typed = b"", False
    deadline_s = time.monotonic() + 60
    while process.poll() is None or select.select([parent], [], [], 0)[0]:
        assert time.monotonic() < deadline_s, shown
        if not select.select([parent], [], [], 0.05)[0]:
            continue
        try:
            piece = os.read(parent, 4096)
        except OSError:  # the other end is closed
            break
        shown += piece
        if b"key for prod" in shown and not typed:
            time.sleep(0.1)  # the prompt comes before the echo is off
            os.write(parent, KEY.encode() + b"\n")
            typed = True
    os.close(parent)
    assert process.wait(60) == 0, shown
    assert KEY.encode() not in shown
    assert read_servers(environ).by_name["prod"].key == KEY


def test_a_file_that_others_can_read_is_mended_and_it_is_said(environ: dict[str, str]) -> None:
    keep_server(environ, Server("prod", "http://p", KEY), as_default=None)
    path = servers_file(environ)
    path.chmod(0o644)
    target = find_target(None, None, Path("data"), environ, False, "prod")
    assert "mode 644" in target.warning
    assert mode(path) == 0o600
    assert find_target(None, None, Path("data"), environ, False, "prod").warning == ""


def test_a_damaged_file_is_named_and_left_as_it_is(environ: dict[str, str]) -> None:
    path = servers_file(environ)
    path.parent.mkdir(parents=True)
    for content in (b"{", b"[]", b'{"servers": {"a": 1}}', b'{"servers": {"a": {"url": "u"}}}'):
        path.write_bytes(content)
        with pytest.raises(ClientError, match=r"servers\.json is damaged"):
            keep_server(environ, Server("prod", "http://p", KEY), as_default=None)
        assert path.read_bytes() == content


def test_the_first_server_is_the_default_and_logout_forgets_it(environ: dict[str, str]) -> None:
    for name in ("one", "two"):
        keep_server(environ, Server(name, f"http://{name}", f"key-{name}"), as_default=None)
    assert read_servers(environ).default == "one"
    assert run("servers", "two").exit_code == 0
    assert read_servers(environ).default == "two"
    assert run("logout", "two").exit_code == 0
    assert (set(read_servers(environ).by_name), read_servers(environ).default) == ({"one"}, "")
    done = run("logout", "onne")
    assert done.exit_code == 1
    assert "did you mean one?" in done.output
    assert "key-two" not in servers_file(environ).read_text()


def test_two_logins_at_once_keep_both(environ: dict[str, str]) -> None:
    def keep(number: int) -> None:
        keep_server(environ, Server(f"s{number}", "http://s", KEY), as_default=None)

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_servers(environ).by_name) == 16


def test_who_is_asked_in_which_order_and_no_key_goes_to_another_server(
    environ: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"

    def found(url: str | None = None, key: str | None = None, server: str | None = None,
              **more: str) -> tuple[str, str]:  # fmt: skip
        target = find_target(url, key, data, {**environ, **more}, False, server)
        return target.url, target.key

    for name in ("one", "two"):
        keep_server(environ, Server(name, f"http://{name}", f"key-{name}"), as_default=None)
    both = {"BELLWETHER_URL": "http://env", "BELLWETHER_KEY": "key-env"}
    assert found() == ("http://one", "key-one")  # the default
    assert found(server="two", **both) == ("http://two", "key-two")
    assert found(BELLWETHER_SERVER="two") == ("http://two", "key-two")
    assert found(BELLWETHER_SERVER="two", BELLWETHER_KEY="key-env") == ("http://two", "key-two")
    assert found(BELLWETHER_SERVER="two", **both) == ("http://env", "key-env")
    assert found("http://flag", **both) == ("http://flag", "key-env")
    assert found("http://flag", "key-flag", **both) == ("http://flag", "key-flag")
    assert found("http://two/") == ("http://two", "key-two")  # known by its address
    assert found(key="key-flag", server="two") == ("http://two", "key-flag")
    local = "http://127.0.0.1:8080"
    assert found(BELLWETHER_KEY="key-env") == (local, "key-env")
    write_key(data, "key-data")  # a data folder of this machine comes before the default
    assert found() == (local, "key-data")
    with pytest.raises(ClientError, match="two servers"):
        found("http://x", server="two")
    with pytest.raises(ClientError, match="no server is called 'tow': did you mean two"):
        found(server="tow")


def test_without_any_key_the_ways_to_give_one_are_told(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(ClientError, match=r"BELLWETHER_KEY.*bellwether login"):
        find_target(None, None, tmp_path, environ, False)
