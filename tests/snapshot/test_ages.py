"""An append time of a wrong clock makes no segment older than it is (I13)."""

from dataclasses import dataclass

import msgspec

from snapshot.documents.manifest import SegmentEntry
from snapshot.retention.ages import appended_ns
from tests.snapshot.test_retention import entry


@dataclass
class Stamp:
    name: str
    offset: int
    append_ns: int


def aged(*stamps: Stamp, now_ns: int = 1000) -> dict[str, int]:
    entries: list[SegmentEntry] = [
        msgspec.structs.replace(entry(s.name, s.append_ns), end_offset=s.offset) for s in stamps
    ]
    return {name[0]: at for name, at in appended_ns(entries, now_ns).items()}


def test_stamps_in_order_are_believed() -> None:
    assert aged(Stamp("a", 1, 5), Stamp("b", 2, 9)) == {"a": 5, "b": 9}


def test_clock_that_was_behind_makes_nothing_older_than_what_came_before_it() -> None:
    found = aged(Stamp("a", 1, 500), Stamp("b", 2, 3), Stamp("c", 3, 600), Stamp("d", 4, 7))
    assert found == {"a": 500, "b": 500, "c": 600, "d": 600}


def test_stamp_in_the_future_says_nothing_of_what_follows_it() -> None:
    found = aged(Stamp("a", 1, 500), Stamp("b", 2, 9999), Stamp("c", 3, 600))
    assert found == {"a": 500, "b": 9999, "c": 600}
