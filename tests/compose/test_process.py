"""No process of a cluster outlives its launcher, however the launcher ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compose.processes.process import Keeper, Process, StartFailed

ROOT = Path(__file__).resolve().parent.parent.parent
LAUNCHER = """
import signal, sys, time
from pathlib import Path
from compose.processes.process import Keeper, Process
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
keeper = Keeper()
folder = Path(sys.argv[1])
running = Process("running", folder / "running.log", keeper)
paused = Process("paused", folder / "paused.log", keeper)
for process in (running, paused):
    process.start(["/bin/sleep", "1000"], {}, folder)
paused.pause()
print(running.pid, paused.pid, flush=True)
time.sleep(1000)
"""
WAIT_S = 60.0


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_launcher_that_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert launcher.stdout
    with launcher.stdout:
        pids = [int(word) for word in launcher.stdout.readline().split()]
    assert [runs(pid) for pid in pids] == [True, True]
    os.kill(launcher.pid, number)
    launcher.wait(WAIT_S)
    deadline_s = time.monotonic() + WAIT_S
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < deadline_s, "a process was left behind"
        time.sleep(0.02)


def test_a_paused_process_is_alive_and_stops_when_asked(tmp_path: Path) -> None:
    keeper = Keeper()
    try:
        process = Process("sleep", tmp_path / "sleep.log", keeper)
        process.start(["/bin/sleep", "1000"], {}, tmp_path)
        process.pause()
        assert process.alive
        assert process.paused
        assert process.stop(WAIT_S)
        assert not process.alive
        process.start(["/bin/sleep", "1000"], {}, tmp_path)
        process.kill()
        assert process.exit_code == -signal.SIGKILL
    finally:
        keeper.close()


def test_a_server_that_ends_early_fails_with_the_end_of_its_log(tmp_path: Path) -> None:
    keeper = Keeper()
    try:
        process = Process("broken", tmp_path / "broken.log", keeper)
        process.start(["/bin/sh", "-c", "echo port taken; exit 3"], {}, tmp_path)
        with pytest.raises(StartFailed, match=r"code 3(?s:.)*port taken"):
            process.wait_ready(lambda: False, WAIT_S)
    finally:
        keeper.close()
