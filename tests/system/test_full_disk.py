"""On a full disk every role starts, answers and says what is wrong; ingest resumes by itself."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.harness import System
from tests.system.test_survive import fill

pytestmark = [pytest.mark.system, pytest.mark.scenario]
COUNT = {"calculations": [{"op": "COUNT"}]}
EVENTS = [{"data": {"n": number, "text": "x" * 200}} for number in range(100)]


def count(system: System, after: str) -> int:
    found = system.ask("web", COUNT, after=after)
    return int(found["data"]["results"][0]["data"]["COUNT"])


def refused(system: System) -> bool:
    answer = system.http("POST", "/1/batch/web", EVENTS)
    if answer.status == 503:
        return "Retry-After" in answer.headers
    return answer.status == 200 and {one["status"] for one in answer.json()} == {503}


def taken(system: System) -> bool:
    answer = system.http("POST", "/1/batch/web", EVENTS)
    return answer.status == 200 and {one["status"] for one in answer.json()} == {202}


def fill_all(folder: Path, name: str) -> Path:
    fill(folder / name)
    return folder / name


@pytest.mark.parametrize("when", ["after the crash", "while it runs", "both"])
def test_after_a_crash_on_a_full_disk_every_role_starts_and_says_what_is_wrong(
    tmp_path: Path, small_disk: Path, when: str
) -> None:
    system = System(tmp_path)
    system.data = small_disk / "data"
    fillers = []
    try:
        system.start()
        receipt = system.send("web", EVENTS)
        if when != "after the crash":
            fillers.append(fill_all(small_disk, "filler-1"))
            system.wait_until(lambda: "is full" in system.output, "the full disk to be told")
            assert refused(system)
            assert count(system, receipt) == 100
        system.kill_everything()
        if when != "while it runs":
            fillers.append(fill_all(small_disk, "filler-2"))
        system.start(wait=False)
        system.wait_until(lambda: system.holder() is not None, "up to hold the folder")
        system.url = system.url or system.holder().url  # type: ignore[union-attr]  # waited for
        for role in ("shepherd", "indexer", "query"):
            system.wait_until(lambda role=role: bool(system.members(role)), role)  # type: ignore[misc]
            system.wait_role_ready(role)
        assert refused(system)
        assert count(system, receipt) == 100
        told = system.run("status")
        assert "is full" in told.stdout, told.stdout + told.stderr
        doctor = system.run("doctor", "--data", str(system.data))
        assert doctor.returncode == 1
        assert "events are taken again by itself" in doctor.stdout
        for filler in fillers:
            filler.unlink()
        system.wait_until(lambda: taken(system), "events to be taken again")
        system.wait_until(lambda: (system.data / "reserve").stat().st_size > 0, "the reserve")
        assert system.run("verify", "--data", str(system.data)).returncode == 0
        assert system.stop() == 0
    finally:
        system.kill_everything()
        for filler in fillers:
            filler.unlink(missing_ok=True)


def test_a_first_start_on_a_full_disk_says_so(tmp_path: Path, small_disk: Path) -> None:
    filler = fill_all(small_disk, "filler")
    system = System(tmp_path)
    done = system.run("up", "--data", str(small_disk / "data"), "--port", "0")
    assert done.returncode == 5
    assert "No space left" in done.stderr
    assert "free space" in done.stderr
    filler.unlink()


@pytest.mark.parametrize(
    ("how", "said"), [("ro", "mounted read-only"), ("nr_inodes", "no more files fit")]
)
def test_a_folder_that_cannot_be_written_is_told_by_its_name(
    tmp_path: Path, small_disk: Path, how: str, said: str
) -> None:
    system = System(tmp_path)
    system.data = small_disk / "data"
    try:
        system.start()
        receipt = system.send("web", EVENTS)
        assert system.stop() == 0
        found = os.statvfs(small_disk)
        option = how if how == "ro" else f"nr_inodes={found.f_files - found.f_ffree}"
        subprocess.run(["mount", "-o", f"remount,{option}", str(small_disk)], check=True)
        done = system.run("up", "--data", str(system.data), "--port", "0")
        assert done.returncode == 5
        assert said in done.stderr
        doctor = system.run("doctor", "--data", str(system.data))
        assert doctor.returncode == 1
        assert said in doctor.stdout
        again = "rw" if how == "ro" else "nr_inodes=10000"
        subprocess.run(["mount", "-o", f"remount,{again}", str(small_disk)], check=True)
        system.start()
        assert count(system, receipt) == 100
        assert system.stop() == 0
    finally:
        system.kill_everything()
