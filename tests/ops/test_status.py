"""Status reads the document and describes what needs attention."""

from pathlib import Path
from typing import Any

import pytest

from bellwether.commands.operate.status import summary_lines
from ops.memory import read_memory, with_supervisors
from ops.status import Status, Verdict, judge, notes, read_status, troubles

NOW_NS = 1_800_000_000 * 10**9


def document() -> dict[str, Any]:
    roles = [
        {"role": r, "instance": f"{r}-a-1", "zone": "a", "pid": 1, "url": "http://x",
         "started_ns": NOW_NS - 5 * 10**9, "version": "1"}
        for r in ("shepherd", "indexer", "query")
    ]  # fmt: skip
    held = {
        "end_offset": 7, "lag_records": 0, "live_rows": 3, "live_bytes": 10, "segments": 1,
        "segment_bytes": 99, "last_cut": {"end_offset": 4, "time_ns": NOW_NS}, "set_aside": 0,
        "gaps": [], "stopped_reason": None, "watermark_ns": NOW_NS,
    }  # fmt: skip
    return {
        "roles": roles,
        "log": [{"partition": 0, "start": 0, "end": 7, "size_bytes": 100, "indexers": ["i"]}],
        "indexers": [{"indexer": "indexer-a-1", "status": {"partitions": {"0": held}}}],
    }


def text_of(status: Status) -> str:
    """Every trouble's text; each has a remedy."""
    found = troubles(status, NOW_NS)
    assert all(one.remedy for one in found), found
    assert judge(status, NOW_NS) is not Verdict.OK or not found
    return "\n".join(one.text for one in found)


def test_a_healthy_system_has_no_troubles() -> None:
    status = read_status(document(), NOW_NS)
    assert troubles(status, NOW_NS) == []
    assert judge(status, NOW_NS) is Verdict.OK
    assert status.roles[0].up_s == 5
    assert status.log_bytes == 100
    assert status.indexers[0].live_rows == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stopped_reason": "newer record"}, "has stopped: newer record"),
        ({"lag_records": 5_000}, "5,000 records behind"),
        ({"gaps": [{}]}, "1 gaps"),
        ({"alarms": {"damaged_records": "2 damaged records are missing"}}, "2 damaged records"),
        ({"last_cut": {"end_offset": 1, "time_ns": NOW_NS - 10**13}}, "has not cut for 166 min"),
    ],
)
def test_what_is_wrong_with_a_partition_is_said(change: dict[str, Any], words: str) -> None:
    found = document()
    found["indexers"][0]["status"]["partitions"]["0"] |= change
    assert words in text_of(read_status(found, NOW_NS))


def test_compaction_that_waits_is_said_and_is_no_trouble() -> None:
    found = document()
    held = found["indexers"][0]["status"]["partitions"]["0"]
    held["compaction"] = {"due": 3, "waits_for": "the requests of this day are used up"}
    status = read_status(found, NOW_NS)
    assert judge(status, NOW_NS) is Verdict.OK
    (note,) = notes(status)
    assert "3 objects" in note
    assert "the requests of this day are used up" in note
    held["compaction"] = {"due": 3, "waits_for": ""}
    assert notes(read_status(found, NOW_NS)) == []


def test_summaries_are_counted_and_what_has_none_is_no_trouble() -> None:
    found = document()
    summaries = {"on": True, "held": 7, "made": 2, "waiting": 3, "failed": 1, "no_room": 5,
                 "not_here": 4, "waits_for": "the store does not answer"}  # fmt: skip
    found["indexers"][0]["status"]["summaries"] = summaries
    status = read_status(found, NOW_NS)
    assert judge(status, NOW_NS) is Verdict.OK
    waiting, failed = notes(status)
    assert "3 segments have no summary yet" in waiting
    assert "the store does not answer" in waiting
    assert "could be made of 1 segments" in failed
    (shown,) = (str(line) for line in summary_lines(status))
    assert shown.endswith(
        "7 in memory, 2 made, 3 waiting, 1 failed, 5 too old for memory, 4 not on this disk"
    )
    summaries["on"] = False
    assert read_status(found, NOW_NS).summaries == ()


def test_what_is_missing_is_said() -> None:
    found = document()
    found["roles"] = []
    found["indexers"] = [{"indexer": "indexer-a-1", "error": "TimeoutError()"}]
    text = text_of(read_status(found, NOW_NS))
    for words in ("does not answer", "no indexer holds partition 0", "no shepherd", "no query"):
        assert words in text


def test_fewer_copies_than_wanted_are_said() -> None:
    found = document()
    found["indexers"][0]["status"]["claims"] = {"copies_wanted": 2, "copies": 1}
    (text,) = troubles(read_status(found, NOW_NS), NOW_NS)
    assert "1 of 2 copies" in text.text
    assert "start one in another zone" in text.remedy


def test_a_partition_that_is_still_starting_can_be_shown() -> None:
    found = document()
    found["indexers"][0]["status"]["partitions"]["0"] = {"ready": False, "lag_records": 1,
                                                         "last_cut": None}  # fmt: skip
    (held,) = read_status(found, NOW_NS).indexers
    assert (held.end_offset, held.last_cut_ns, held.lag_records) == (None, None, 1)


def test_whom_a_shepherd_avoids_is_said_with_reason_and_since_when() -> None:
    found = document()
    found["log"][0]["error"] = "no answer"
    one = {"state": "avoided", "reason": "no acknowledgement", "since_ns": NOW_NS - 12 * 10**9}
    placement = {
        "pressure": "nothing was acknowledged for 2.0 s",
        "brokers": [{"broker": "1", "state": "healthy"}, {"broker": "2"} | one],
        "partitions": [{"partition": 4} | one],
    }
    found["shepherds"] = [
        {"shepherd": "shepherd-a-1", "placement": placement},
        {"shepherd": "shepherd-b-2", "error": "TimeoutError()"},
    ]
    text = text_of(read_status(found, NOW_NS))
    for words in (
        "shepherd-a-1 avoids broker 2 since 12 s: no acknowledgement",
        "avoids partition 4",
        "shepherd-a-1 pushes back: nothing was acknowledged",
        "shepherd-b-2 does not answer",
        "partition 0 of the log does not answer",
    ):
        assert words in text


def test_without_locks_the_last_known_roles_are_shown_with_their_age() -> None:
    found = document()
    found["locks"] = {"error": "ZooKeeper cannot be reached", "age_s": 12.4}
    status = read_status(found, NOW_NS)
    [text] = troubles(status, NOW_NS)
    assert text.text.startswith("the locks do not answer; roles are shown as they were 12 s ago")
    assert "doctor" in text.remedy
    assert judge(status, NOW_NS) is Verdict.TROUBLE
    assert [r.role for r in status.roles] == ["shepherd", "indexer", "query"]


def test_what_was_never_known_is_unknown_and_no_role_is_called_missing() -> None:
    found = document()
    found |= {"locks": {"error": "ZooKeeper cannot be reached", "age_s": None}}
    found |= {"roles": [], "indexers": []}
    status = read_status(found, NOW_NS)
    assert judge(status, NOW_NS) is Verdict.UNKNOWN
    [text] = troubles(status, NOW_NS)
    assert "which roles run is not known" in text.text


def test_an_alarm_of_a_partition_and_of_a_process_come_with_their_own_remedies() -> None:
    found = document()
    held = found["indexers"][0]["status"]["partitions"]["0"]
    held["alarms"] = {"snapshot_late": "nothing published for 3 h", "of_a_newer_version": "what?"}
    found["indexers"][0]["status"]["alarms"] = [
        {"alarm": "disk_full", "partition": None, "text": "no room", "remedy": "free space"}
    ]
    text = {one.text: one.remedy for one in troubles(read_status(found, NOW_NS), NOW_NS)}
    assert text["indexer-a-1: no room"] == "free space"
    assert text["indexer-a-1 partition 0: nothing published for 3 h"]
    assert "docs/alarms.md" in text["indexer-a-1 partition 0: what?"]


def test_memory_is_told_of_our_processes_alone(tmp_path: Path) -> None:
    def process(pid: int, parent: int, command: bytes) -> None:
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(command)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (a b) c) S {parent} 1 1")
        (tmp_path / str(pid) / "smaps_rollup").write_text(
            "0-1 ---p 00000000 00:00 0 [rollup]\nRss:     2048 kB\nPss:     1024 kB\n"
        )

    process(10, 1, b"python\0-m\0bellwether\0up")
    process(11, 10, b"python\0-m\0bellwether\0all-roles")
    process(12, 1, b"sleep\0100")
    one = read_memory(11, tmp_path)
    assert one is not None
    assert (one.resident_bytes, one.proportional_bytes) == (2 * 2**20, 2**20)
    assert read_memory(12, tmp_path) is None
    assert read_memory(13, tmp_path) is None
    assert with_supervisors([11, 11, 12], tmp_path) == [11, 10, 12]
