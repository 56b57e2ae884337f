"""`up` says that everything acknowledged is stored only when it knows (I13)."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bellwether.supervisor.console import UpConsole
from bellwether.supervisor.shutdown_check import doubts_in_status, doubts_of_indexers, doubts_of_log
from common.clock import ManualClock
from common.locks.files import FileLocks
from common.log.embedded.log import EmbeddedLog
from common.model.record import heartbeat_record
from common.process.members import Member, encode_member

STORED = "everything acknowledged is stored"


def said(clean: bool, doubts: list[str]) -> str:
    out = io.StringIO()
    UpConsole(Console(file=out, width=200), {"BELLWETHER_LAUNCHER": "bw"}).stopped(clean, doubts)
    return out.getvalue()


def test_it_is_said_only_without_any_doubt() -> None:
    assert said(True, []) == f"stopped; {STORED}\n"
    assert STORED not in said(False, [])
    for clean in (True, False):
        text = said(clean, [f"doubt {n}" for n in range(15)])
        assert f"it is NOT known that {STORED}" in text
        assert "doubt 9" in text
        assert "and 5 more" in text
        assert "`bw verify`" in text


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({}, []),
        ({"stopped_reason": None, "damaged": {"records": 0}, "gaps": []}, []),
        ({"stopped_reason": "a record is too new"}, ["stopped: a record is too new"]),
        ({"damaged": {"records": 2}}, ["2 damaged records are missing"]),
        ({"gaps": [{"first": 3, "end": 9, "reason": "set back"}]}, ["from 3 to 9 were lost"]),
        ({"gaps": [{"first": 3, "end": None, "reason": "set back"}]}, ["an unknown offset"]),
    ],
)
def test_what_an_indexer_lacks_is_a_doubt(held: dict[str, Any], told: list[str]) -> None:
    found = doubts_in_status({"partitions": {"4": held}})
    assert len(found) == len(told)
    assert all(part in text for part, text in zip(told, found, strict=True))


def test_indexers_that_cannot_be_asked_are_a_doubt(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    assert doubts_of_indexers(locks, "token") == ["no indexer was there to be asked"]
    gone = Member("indexer", "indexer-a", "http://127.0.0.1:1", "a", 1, 1, "0")
    assert locks.acquire("roles/indexer/indexer-a", encode_member(gone))
    [doubt] = doubts_of_indexers(locks, "token")
    assert "indexer-a did not say what it lacks" in doubt
    assert "token" not in doubt
    locks.close()


async def test_a_log_file_that_is_not_whole_is_a_doubt(tmp_path: Path) -> None:
    log = EmbeddedLog(tmp_path, 2, ManualClock())
    await log.open()
    for partition in (0, 1):
        await log.append(partition, heartbeat_record())
    await log.close()
    assert doubts_of_log(tmp_path) == []
    [path] = (tmp_path / "p00001").glob("*.db")
    path.write_bytes(b"")
    assert any(str(path) in doubt for doubt in doubts_of_log(tmp_path))
    path.unlink()
    assert any("are missing at the end" in doubt for doubt in doubts_of_log(tmp_path))
