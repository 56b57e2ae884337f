"""What a role or `init` makes is its owner's alone, and client commands look for the key there."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bellwether.config.secrets import key_file, write_key

pytestmark = pytest.mark.system


def run(folder: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    data = {"BELLWETHER_NODE_DATA": str(folder / "data"), "BELLWETHER_CONFIG": ""}
    return subprocess.run(
        [sys.executable, "-m", "bellwether", *arguments], env={**environ, **data, **settings},
        umask=0o022, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["shepherd", "init"])
def test_new_data_folder_is_its_owners_alone(tmp_path: Path, command: str) -> None:
    nowhere = {"BELLWETHER_BACKENDS_LOG": "kafka", "BELLWETHER_KAFKA_SERVERS": "127.0.0.1:1"}
    done = run(tmp_path, command, **(nowhere if command == "shepherd" else {}))
    assert done.returncode == (1 if command == "shepherd" else 0), done.stderr
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert len(made) > 1
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_client_commands_take_the_key_of_the_folder_that_the_environment_names(
    tmp_path: Path,
) -> None:
    write_key(tmp_path / "data", "a-key-of-the-folder")
    done = run(tmp_path, "status", "--url", "http://127.0.0.1:1")
    assert "cannot reach http://127.0.0.1:1" in done.stderr, done.stderr
    key_file(tmp_path / "data").unlink()
    assert "no key" in run(tmp_path, "status", "--url", "http://127.0.0.1:1").stderr
