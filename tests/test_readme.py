"""Every command of README and docs works as it stands there, against a real `up`.

A block of docs that cannot run here says why in a comment above it: `<!-- not run: reason -->`.
"""

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
        found.send("hello", [{"data": {"service": "web", "status": 200}}])
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


BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<why>.+?) -->\n)?```(?:sh|bash|console|shell)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PAGES = sorted(
    page for page in (ROOT / "docs").glob("*.md") if BLOCK.search(page.read_text("utf-8"))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_docs_works_where_the_lines_of_env_are_set(
    system: System, page: Path
) -> None:
    set_by_env = subprocess.run(
        ["/bin/sh", "-ec", '.venv/bin/bellwether env'], cwd=system.folder, capture_output=True,
        env=clean_environment(), text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    for block in BLOCK.finditer(page.read_text("utf-8")):
        if block["why"]:
            continue
        text = re.sub(r"^python3 ", f"{sys.executable} ", block["text"], flags=re.MULTILINE)
        port = system.url.rsplit(":", 1)[1]
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
        programs = system.folder / ".venv" / "bin"  # `env` tells it of the real environment
        done = subprocess.run(
            ["/bin/sh", "-ec", f'PATH="{programs}:$PATH"\n{set_by_env}\n{text}'],
            cwd=system.folder, env=clean_environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{page.name}: {text}\n{done.stdout}{done.stderr}"
        assert '"error"' not in done.stdout, f"{page.name}: {text}\n{done.stdout}"


def test_commands_in_docs_are_in_blocks_that_are_tried() -> None:
    """An indented block would be shown, but never run."""
    for page in sorted((ROOT / "docs").glob("*.md")):
        fenced = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
        found = re.findall(r"^ {4,}(?:curl|bellwether|\.venv/bin|python3) .*$", fenced, re.M)
        assert found == [], page.name


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
