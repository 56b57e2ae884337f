"""`bellwether send --follow` beside a real store: kills of both, rotations, a store away."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system
MEMORY_MIB_MAX = 60  # what a small host can spare for shipping its log


class FollowProcess:
    """A real process that follows `path`."""

    def __init__(self, system: System, path: Path) -> None:
        self._system = system
        self._path = path
        self.output = path.parent / "follow.out"
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "bellwether", "send", "app", str(self._path), "--follow"]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        environ = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "BELLWETHER_URL": self._system.url,
            "BELLWETHER_KEY": self._system.key,
            "XDG_STATE_HOME": str(self._path.parent / "state"),
        }
        with self.output.open("ab") as output:
            return subprocess.Popen(
                [*command, "--format", "json"], env=environ, stdout=output, stderr=output
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start_again(self) -> None:
        self.process = self._start()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024


def write(path: Path, first: int, count: int) -> int:
    with path.open("a") as file:
        for n in range(first, first + count):
            file.write(f'{{"n":{n},"text":"{"x" * (n % 50)}"}}\n')
    return first + count


def rotate(path: Path) -> None:
    for number in (3, 2, 1):
        old = path.with_name(f"{path.name}.{number}")
        if old.exists():
            old.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


def stored(system: System, count: int) -> tuple[int, int]:
    """Events and distinct numbers, once there are enough."""
    spec = {
        "calculations": [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "n"}],
        "time_range": 7200,
    }
    found = (0, 0)

    def enough() -> bool:
        nonlocal found
        answer = system.http("GET", "/1/columns/app")
        if answer.status == 404:
            return False
        row = system.ask("app", spec)["data"]["results"][0]["data"]
        found = (row["COUNT"], row["COUNT_DISTINCT(n)"])
        return found[0] >= count

    system.wait_until(enough, f"{count} events", 120)
    return found


def test_a_followed_log_is_stored_once_through_kills_of_both_and_rotations(tmp_path: Path) -> None:
    chance = random.Random(5)
    folder = tmp_path / "log"
    folder.mkdir()
    path = folder / "app.log"
    with running(tmp_path / "system") as system:
        followed = FollowProcess(system, path)
        written = 0
        for turn in range(8):
            written = write(path, written, chance.randrange(50, 400))
            time.sleep(chance.random() / 2)
            if turn in (1, 4, 6):
                followed.kill()
            if turn == 2:
                system.kill_everything()
                written = write(path, written, 300)
            if turn in (3, 5):
                rotate(path)
            written = write(path, written, 50)
            if turn == 2:
                system.start()
            if followed.process.poll() is not None:
                followed.start_again()
        assert stored(system, written) == (written, written)
        assert followed.memory_mib() < MEMORY_MIB_MAX
        assert followed.stop() == 0
    said = followed.output.read_text()
    assert "is at its end" in said or "going on in" in said
    assert "Traceback" not in said
