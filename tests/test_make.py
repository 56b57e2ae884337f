"""What `make.py` installs where not every package can be had."""

import re
import subprocess
from pathlib import Path

import pytest

import make

ROOT = Path(make.__file__).parent
PIN = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """An environment of its own, whose pip notes what it is asked for and has no numba."""
    asked: list[set[str]] = []

    def pip_install(requirements: Path) -> bool:
        asked.append(set(PIN.findall(requirements.read_text("utf-8"))))
        return "numba" not in asked[-1]

    monkeypatch.setattr(make, "VENV", tmp_path)
    monkeypatch.setattr(make, "PYTHON", Path(__file__))  # there already
    monkeypatch.setattr(make, "pip_install", pip_install)
    monkeypatch.setattr(make, "add_program", lambda: None)
    return asked


def test_without_a_compiler_for_this_machine_everything_else_is_installed_and_it_is_said(
    installed: list[set[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make.install("requirements.txt")
    whole, lesser = installed
    assert whole - lesser == set(make.COMPILER)
    assert lesser < whole
    assert "NO COMPILED CODE" in capsys.readouterr().out
    assert not list(tmp_path.glob(".installed-*"))  # tried again next time


def test_every_pin_but_those_keeps_its_hashes(installed: list[set[str]], tmp_path: Path) -> None:
    make.install("requirements.txt")
    (left,) = tmp_path.glob("without-*")
    whole = (ROOT / "requirements.txt").read_text("utf-8")
    entries = re.split(r"^(?=[a-z])", whole, flags=re.MULTILINE)
    kept = [one for one in entries if not one.startswith(tuple(f"{x}==" for x in make.COMPILER))]
    assert len(kept) == len(entries) - len(make.COMPILER)
    assert left.read_text("utf-8") == "".join(kept)


def test_installing_shows_each_package_and_never_where_it_comes_from() -> None:
    said = [
        "Looking in indexes: https://user:secret@mirror.example/simple\n",
        "Collecting aiohttp==3.14.5 (from -r requirements.txt (line 3))\n",
        "  Downloading https://user:secret@mirror.example/aiohttp-3.14.5.whl (1.7 MB)\n",
        "Requirement already satisfied: click==8.5.1 in ./.venv (from -r requirements.txt)\n",
        "Installing collected packages: aiohttp\n",
        "Successfully installed aiohttp-3.14.5\n",
        "\n",
    ]
    assert list(make.progress(said, 2)) == [
        "  [  1/2] aiohttp==3.14.5", "  [  2/2] click==8.5.1", "  installing them",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("together_code", "alone_code", "found"),
    [(0, 0, 0), (5, 0, 0), (0, 5, 0), (5, 5, 5), (1, 0, 1), (0, 1, 1), (5, 1, 1), (1, 2, 1)],
)
def test_a_part_of_the_tests_may_be_empty_but_not_both_and_none_may_fail(
    monkeypatch: pytest.MonkeyPatch, together_code: int, alone_code: int, found: int
) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(command)
        code = together_code if "--together" in command else 0
        code = alone_code if "--alone" in command else code
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(make, "install", lambda _: None)
    monkeypatch.setattr(make, "page", lambda **_: None)
    monkeypatch.setattr(subprocess, "run", run)
    assert make.test(["tests/some"]) == found
    of_pytest = [command for command in ran if "pytest" in command]
    assert all("tests/some" in command for command in of_pytest)
    assert len(of_pytest) == 2  # the second part also runs after a failure of the first
