"""Status reads the document and says in words what needs attention."""

from typing import Any

import pytest

from ops.status import read_status, troubles

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


def test_a_healthy_system_has_no_troubles() -> None:
    status = read_status(document(), NOW_NS)
    assert troubles(status, NOW_NS) == []
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
    assert any(words in line for line in troubles(read_status(found, NOW_NS), NOW_NS))


def test_what_is_missing_is_said() -> None:
    found = document()
    found["roles"] = []
    found["indexers"] = [{"indexer": "indexer-a-1", "error": "TimeoutError()"}]
    said = "\n".join(troubles(read_status(found, NOW_NS), NOW_NS))
    for words in ("does not answer", "no indexer holds partition 0", "no shepherd", "no query"):
        assert words in said


def test_fewer_copies_than_wanted_are_said() -> None:
    found = document()
    found["indexers"][0]["status"]["claims"] = {"copies_wanted": 2, "copies": 1}
    (said,) = troubles(read_status(found, NOW_NS), NOW_NS)
    assert "1 of 2 copies" in said


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
    said = "\n".join(troubles(read_status(found, NOW_NS), NOW_NS))
    for words in (
        "shepherd-a-1 avoids broker 2 since 12 s: no acknowledgement",
        "avoids partition 4",
        "shepherd-a-1 pushes back: nothing was acknowledged",
        "shepherd-b-2 does not answer",
        "partition 0 of the log does not answer",
    ):
        assert words in said
