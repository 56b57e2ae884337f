"""`python -m compose up` for real: one launcher per folder, steered from outside, no leftovers."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.install import PACKAGES, missing_tools
from compose.processes.host import Host
from tests.servers import refuse

pytestmark = pytest.mark.scenario

ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 180.0
STOP_S = 90.0


class Launched:
    """A launcher as a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "cluster"
        self._output = folder / "up.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "compose", "up", "--data", str(self.data)]
        options = ["--shepherds", "2", "--queries", "1", "--partitions", "3"]
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        deadline_s = time.monotonic() + READY_S
        while "ready in" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline_s, self.output
            time.sleep(0.1)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def urls(self) -> list[str]:
        return re.findall(r"address +(\S+)", self.output)

    def ask(self, *arguments: str) -> str:
        """A command of another terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "compose", arguments[0], "--data", str(self.data),
             *arguments[1:]],
            cwd=ROOT, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def left_over(self) -> list[str]:
        """Commands of processes that still work on the folder."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
                state = (path / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if (
                str(self.data).encode() in command
                and state != "Z"
                and path.name != str(os.getpid())
            ):
                found.append(command[:200].decode("utf-8", "replace"))
        return found

    def wait_gone(self) -> None:
        deadline_s = time.monotonic() + STOP_S
        while left := self.left_over():
            assert time.monotonic() < deadline_s, left
            time.sleep(0.1)


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    host = Host.here()
    lacking = [text for package in PACKAGES.values() for text in missing_tools(host, package)]
    if lacking:
        refuse("the launcher was not tried, for want of " + "; ".join(lacking))
    found = Launched(tmp_path_factory.mktemp("launcher"))
    found.start()
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.kill()
        found.process.wait()
    found.wait_gone()


def send(launched: Launched, url: str) -> int:
    key = (launched.data / "secrets" / "key").read_text().strip()
    request = urllib.request.Request(
        f"{url}/1/events/hello", b'{"a":1}', {"X-Honeycomb-Team": key}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(answer.status)


def test_every_shepherd_that_is_printed_takes_events(launched: Launched) -> None:
    assert len(launched.urls) == 2
    assert [send(launched, url) for url in launched.urls] == [200, 200]


def test_a_second_launcher_of_the_folder_is_refused(launched: Launched) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compose", "up", "--data", str(launched.data)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "in use" in done.stdout


def test_a_killed_role_comes_back_and_a_paused_one_is_shown(launched: Launched) -> None:
    launched.ask("kill", "indexer-a")
    launched.ask("pause", "kafka-2")
    assert re.search(r"kafka-2 +paused", launched.ask("status"))
    launched.ask("resume", "kafka-2")
    deadline_s = time.monotonic() + READY_S
    while not re.search(r"indexer-a +ready", launched.ask("status")):
        assert time.monotonic() < deadline_s, launched.ask("status")
        time.sleep(0.5)
    assert "indexer-a ended with code -9" in launched.output


def test_nothing_outlives_a_killed_launcher_and_what_was_stored_is_there_again(
    launched: Launched,
) -> None:
    assert launched.process is not None
    urls = launched.urls
    launched.process.send_signal(signal.SIGKILL)
    launched.process.wait()
    launched.wait_gone()
    launched.start()
    assert launched.urls == urls, "clients keep their addresses"
    key = (launched.data / "secrets" / "key").read_text().strip()
    body = b'{"query":{"calculations":[{"op":"COUNT"}]},"disable_series":true,"wait_s":30}'
    request = urllib.request.Request(
        f"{urls[0]}/1/query_results/hello", body, {"X-Honeycomb-Team": key}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert b'"COUNT":2' in answer.read()


def test_stop_ends_everything_cleanly(launched: Launched) -> None:
    assert launched.process is not None
    told = launched.ask("stop")
    left = [command for command in launched.left_over() if "compose" not in command]
    assert left == [], "stop returns when nothing but the launcher may still be ending"
    assert "waiting for" in told
    assert "stopped in" in told.splitlines()[-1]
    assert launched.process.wait(STOP_S) == 0, launched.output
    launched.wait_gone()
