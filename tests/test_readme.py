"""Every command of the README works as it stands there, against a real `up`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system

README = ROOT / "README.md"
# these two are run by whoever runs this test: `up` by the fixture, `test` runs this very file
STARTED_ELSEWHERE = {"python3 make.py up", "python3 make.py test"}


def commands() -> list[str]:
    text = README.read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """An `up` in a folder that looks like a checkout where `make.py up` was run."""
    folder = tmp_path_factory.mktemp("readme")
    launcher = folder / ".venv" / "bin" / "bellwether"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(
        f'#!/bin/sh\nexport PYTHONPATH="{ROOT}"\nexec "{sys.executable}" -m bellwether "$@"\n'
    )
    launcher.chmod(0o755)
    (folder / "examples").symlink_to(ROOT / "examples")
    with running(folder) as found:
        yield found


def test_every_command_of_the_readme_works(system: System) -> None:
    found = commands()
    assert set(found) >= STARTED_ELSEWHERE
    port = system.url.rsplit(":", 1)[1]
    for command in found:
        if command in STARTED_ELSEWHERE:
            continue
        program = command.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        program = re.sub(r"^python3 ", f"{sys.executable} ", program)
        done = subprocess.run(
            ["/bin/sh", "-ec", program], cwd=system.folder, env=clean_environment(),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}\n{system.tails()}"
        assert '"error"' not in done.stdout, f"{command}\n{done.stdout}"
        if " query " in command:
            assert "complete" in done.stdout, f"{command}\n{done.stdout}"


def clean_environment() -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "COLUMNS": "120",
            "XDG_STATE_HOME": ".state", "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= 80
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (ROOT / link).exists(), link


def test_make_py_names_its_commands() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(ROOT) / "make.py"), "help"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "make.py up" in done.stdout
    assert "make.py test" in done.stdout
