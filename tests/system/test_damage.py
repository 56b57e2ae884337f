"""Bytes of the log flipped under a real installation: what is missing is told (I7, I13)."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = [pytest.mark.system, pytest.mark.scenario]
QUIET = ("--no-telemetry", "--set", "log.partitions=1", "--set", "indexer.damage_wait_s=1")
COUNT = {"calculations": [{"op": "COUNT"}], "time_range": 86_400}


def batch(first: int, size: int = 100) -> list[dict[str, Any]]:
    return [{"data": {"n": first + i, "text": f"event {first + i} " * 5}} for i in range(size)]


def flip_twenty_bytes(data: Path, wanted: int = 1) -> list[tuple[int, int, int]]:
    """Flip 20 bytes in the values of events records, in the files as they lie on the disk.

    Returns (partition, offset, events) of each record that was hit.
    """
    hit: list[tuple[int, int, int]] = []
    for file in sorted((data / "log").glob("p*/*.db")):
        with contextlib.closing(sqlite3.connect(file, timeout=10)) as database:
            busy = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            rows = database.execute("SELECT offset, headers, value FROM records").fetchall()
        assert not busy, "what is in the WAL hides what is in the file"
        raw = file.read_bytes()
        for offset, headers, value in rows:
            at = raw.find(value[:60]) if len(value) > 200 else -1
            if at < 0 or len(hit) == wanted or b"bellwether" in value:
                continue
            with file.open("r+b") as opened:
                opened.seek(at + 30)
                opened.write(bytes(byte ^ 0x5A for byte in raw[at + 30 : at + 50]))
            count = int(headers.split(b"n\x03\x00\x00\x00")[1][:3])
            hit.append((int(file.parent.name[1:]), offset, count))
    assert len(hit) == wanted
    return hit


def wait_for_hour_marker(system: System) -> None:
    """After the marker of the hour nothing is cut for a long time, unless a test has it cut."""

    def is_there() -> bool:
        files = list((system.data / "log").glob("p00000/*.db"))
        if not files:
            return False
        with contextlib.closing(sqlite3.connect(files[0])) as database:
            found = database.execute(
                "SELECT count(*) FROM records WHERE instr(headers, CAST('marker' AS BLOB))"
            ).fetchone()
        return bool(found[0])

    system.wait_until(is_there, "the marker of the hour")


def ask(system: System, dataset: str = "web") -> Any:
    """A COUNT, with whatever coverage there is."""
    stored = system.http("POST", f"/1/queries/{dataset}", COUNT).json()
    body = {"query_id": stored["id"], "coverage": "accept"}
    result = system.http("POST", f"/1/query_results/{dataset}", body).json()

    def done() -> bool:
        result.update(system.http("GET", f"/1/query_results/{dataset}/{result['id']}").json())
        return bool(result["complete"])

    system.wait_until(done, "the result")
    return result


def counted(result: Any) -> int:
    return int(result["data"]["results"][0]["data"]["COUNT"])


def test_flipped_bytes_are_missing_data_until_an_operator_settles_them(tmp_path: Path) -> None:
    with running(tmp_path, *QUIET) as system:
        wait_for_hour_marker(system)
        for first in range(0, 500, 100):
            system.send("web", batch(first))
        system.send("other", [{"data": {"a": 1}}])
        system.wait_until(lambda: counted(ask(system)) == 500, "every event")
        system.stop()
        [(partition, offset, events)] = flip_twenty_bytes(system.data)
        assert events == 100
        system.start()
        result = ask(system)
        assert counted(result) == 400
        assert result["coverage"]["complete"] is False
        told = result["coverage"]["partitions"][partition]
        assert [(one["first"], one["events"]) for one in told["damaged"]] == [(offset, 100)]
        assert "bellwether damage" in told["reason"]
        assert ask(system, "other")["coverage"]["complete"] is True
        listed = system.run("damage", "--data", str(system.data))
        assert listed.returncode == 1, listed.stderr
        assert f"offset {offset}" in listed.stdout
        status = system.run("status")
        assert "1 damaged records are missing" in status.stdout
        system.run("snapshot")
        system.kill_everything()
        system.start()
        assert ask(system)["coverage"]["complete"] is False
        done = system.run(
            "damage", "settle", str(partition), str(offset), "--yes", "--data", str(system.data)
        )
        assert done.returncode == 0, done.stderr

        def is_settled() -> bool:
            return bool(ask(system)["coverage"]["complete"])

        system.wait_until(is_settled, "the settlement to be in answers")
        told = ask(system)["coverage"]["partitions"][partition]
        assert (told["damaged_records"], told["given_up_records"]) == (0, 1)
        assert "given up by an operator" in system.run("status").stdout
        listed = system.run("damage", "--json", "--data", str(system.data))
        assert listed.returncode == 0
        assert json.loads(listed.stdout)[partition]["given_up_records"] == 1


def test_twin_of_a_killed_indexer_mends_what_was_damaged_on_the_disk_meanwhile(
    tmp_path: Path,
) -> None:
    twins = ("--twins", "--no-telemetry", "--set", "log.partitions=1")
    with running(tmp_path, *twins) as system:
        wait_for_hour_marker(system)
        for first in range(0, 500, 100):
            system.send("web", batch(first))
        system.wait_until(lambda: counted(ask(system)) == 500, "every event")
        [(_, offset, _)] = flip_twenty_bytes(system.data)  # while it runs
        killed = system.kill_role("indexer", "a")
        system.wait_role_ready("indexer", not_pid=killed)

        def is_whole() -> bool:
            result = ask(system)
            return counted(result) == 500 and bool(result["coverage"]["complete"])

        system.wait_until(is_whole, "the twin's rows")

        def is_covered() -> bool:
            status = json.loads(system.run("status", "--json").stdout)
            held = [one["status"]["partitions"]["0"] for one in status["indexers"]]
            ends = [one["last_cut"]["end_offset"] for one in held if one["last_cut"]]
            damaged = sum(one["damaged"]["records"] for one in held if "damaged" in one)
            return len(ends) == 2 and min(ends) > offset and not damaged

        system.wait_until(is_covered, "both to have it in a segment")
        system.kill_everything()
        system.start()
        system.wait_until(is_whole, "the same after a restart of everything")
        assert system.run("damage", "--data", str(system.data)).returncode == 0
