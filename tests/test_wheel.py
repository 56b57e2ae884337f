"""The wheel: its base install is the client, and that answers from an empty environment."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from bellwether.cli import ASSISTANT_PACKAGES, SERVER_PACKAGES
from tests.system.harness import ROOT, running

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ROOMS = {
    "assistant",
    "bellwether",
    "common",
    "compose",
    "indexer",
    "ops",
    "query",
    "segment",
    "shepherd",
    "snapshot",
}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[>=; ]", one)[0].lower() for one in requirements}


def test_every_package_is_the_clients_or_the_servers_and_the_message_knows_which() -> None:
    base = names(PROJECT["dependencies"])
    server = names(PROJECT["optional-dependencies"]["server"])
    assistant = names(PROJECT["optional-dependencies"]["assistant"])
    assert not base & server
    assert not assistant & (base | server)
    assert assistant == ASSISTANT_PACKAGES
    assert not base & {"aiokafka", "boto3", "duckdb", "kazoo", "llvmlite", "numba", "numpy",
                       "prometheus-client", "pyarrow", "pymysql"}  # fmt: skip
    provided = packages_distributions()
    found = {provided[module][0].lower().replace("_", "-") for module in SERVER_PACKAGES}
    # botocore comes with boto3; without uvloop a role runs on asyncio's loop
    assert found - {"botocore"} == server - {"uvloop"}
    pinned = (ROOT / "requirements.txt").read_text("utf-8")
    assert base | server | assistant <= set(re.findall(r"^([a-z0-9._-]+)==", pinned, re.MULTILINE))


@pytest.mark.scenario  # asks the registry for the packages of an empty environment
@pytest.mark.system
def test_the_client_of_the_wheel_answers_from_an_empty_environment(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, str(ROOT / "make.py"), "wheel"], capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (ROOT / "dist").glob("bellwether-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        tops = {name.split("/")[0] for name in packed.namelist()}
        assert {top for top in tops if not top.endswith(".dist-info")} == ROOMS
        assert "compose/packages/kafka.xml" in packed.namelist()
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = str(tmp_path / "venv" / "bin" / "pip")
    subprocess.run([pip, "install", "-q", str(wheel)], check=True, timeout=600)
    listed = subprocess.run([pip, "list", "--format=freeze"], capture_output=True, text=True,
                            check=True).stdout  # fmt: skip
    there = {line.split("==")[0].lower().replace("_", "-") for line in listed.splitlines()}
    for extra in ("server", "assistant"):
        assert not there & names(PROJECT["optional-dependencies"][extra])
    (tmp_path / "events.ndjson").write_text('{"service":"api","ms":1}\n{"service":"web","ms":2}\n')
    with running(tmp_path / "up") as system:
        environ = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "BELLWETHER_URL": system.url,
            "BELLWETHER_KEY": system.key,
        }  # fmt: skip

        def client(*arguments: str, typed: str = "", code: int = 0) -> str:
            done = subprocess.run(
                [str(tmp_path / "venv" / "bin" / "bellwether"), *arguments], input=typed,
                capture_output=True, text=True, env=environ, cwd=tmp_path, timeout=120, check=False,
            )  # fmt: skip
            assert done.returncode == code, (arguments, done.stdout, done.stderr)
            assert "Traceback" not in done.stderr, done.stderr
            return done.stdout + done.stderr

        assert "2 events stored" in client("send", "hello", "events.ndjson")
        system.wait_until(
            lambda: "2" in client("query", "hello", "COUNT", "--json"), "both to be indexed"
        )
        assert "api" in client("query", "hello", "COUNT GROUP BY service")
        assert "complete" in client("shell", "hello", typed="COUNT\nMAX(ms) GROUP BY service\n")
        if "rows" in client("--help"):
            assert "service" in client("rows", "hello", "LAST 1h")
            assert "ms" in client("fields", "hello")
        assert "all is well" in client("status")
        assert "environment Default" in client(
            "login", "here", system.url, "--key-stdin", typed=system.key
        )
        assert "is not installed" in client("version")
        for command in (("up",), ("verify",), ("keys", "list"), ("query",)):
            assert "pip install 'bellwether[server]'" in client(*command, code=1)
        assert "pip install 'bellwether[assistant]'" in client("mcp", code=1)
