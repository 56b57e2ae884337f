"""Comparing two builds: what differs is found, and what may differ is no difference."""

import re
from dataclasses import make_dataclass
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from benchmarks.same_bytes import corpus
from benchmarks.same_bytes.inside import plain
from benchmarks.same_bytes.lookup import Names
from benchmarks.same_bytes.masks import mask, mask_header, shape
from benchmarks.same_bytes.report import Report, first_difference
from benchmarks.two_builds import ROOT


class Rule(StrEnum):
    TIME = "time"


def test_a_difference_is_counted_shown_and_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(folder=tmp_path / "both")
    report.compare("pages", {"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"})
    assert (report.differences, report.compared) == (2, 3)
    shown = capsys.readouterr().out
    assert "DIFFERENT  pages: 2 of 3" in shown
    assert "this:  '2'" in shown
    assert (tmp_path / "both" / "pages.other").read_text() == "==== b\n3\n==== c\n4\n"


def test_no_findings_at_all_are_a_difference(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.compare("pages", {}, {})
    assert report.differences == 1
    report.compare("pages", {"a": ""}, {"a": ""})
    assert report.differences == 1
    assert capsys.readouterr().out.endswith("same       pages: 1\n")


def test_the_first_difference_is_shown_with_what_is_around_it() -> None:
    mine, theirs = first_difference("x" * 500 + "mine", "x" * 500 + "theirs")
    assert mine.endswith("xxmine'")
    assert theirs.endswith("xxtheirs'")
    assert first_difference(None, "all") == ["only in other: 'all'"]


@pytest.mark.parametrize(
    "text", ['{"status":202}', "HTTP/1.1 200 OK", "error: 1234 is not one of 5", '"p99": 17.5']
)
def test_masks_leave_what_must_not_differ(text: str) -> None:
    assert mask(text, {}) == text


def test_masks_hide_times_ids_and_addresses() -> None:
    first = 'http://127.0.0.1:4100 3565faac0a733b37:3:0 "2026-11-28T22:19:47Z" 1795904381183572209'
    other = 'http://127.0.0.1:9 0000aaac0a733b37:1:77 "2027-01-28T02:19:47.5Z" 1795904381183572999'
    assert mask(first, {}) == mask(other, {})
    assert mask_header("Date: Sat") == mask_header("Date: Sun") != mask_header("Server: Sun")
    assert shape({"a": [1, 2], "b": None}) == shape({"a": [3], "b": None}) != shape({"a": [1]})


def test_the_corpus_is_the_same_in_every_run() -> None:
    bodies = corpus.bodies()
    assert bodies == corpus.bodies()
    assert len({one.name for one in bodies}) == len(bodies)


def test_every_name_of_the_table_is_found_in_this_checkout() -> None:
    assert Names(ROOT).missing() == []


def test_values_are_compared_without_the_names_of_their_fields() -> None:
    def kinds(name: str) -> list[object]:
        fields = [(name, object), (f"{name}_too", object)]
        return [make_dataclass("Kept", fields), msgspec.defstruct("Kept", fields)]

    for kept, renamed in zip(kinds("old"), kinds("new"), strict=True):
        assert callable(kept)
        assert callable(renamed)
        assert plain(kept(Rule.TIME, b"\xff")) == plain(renamed(Rule.TIME, b"\xff"))
        assert plain(kept(1, (2,))) == [1, [2]] != plain(renamed(1, (3,)))


def test_what_is_meant_to_differ_is_left_out() -> None:
    report = Report(without=re.compile("new_switch"))
    report.compare("pages", {"new_switch": "x", "a": "1\n| new_switch |\n2"}, {"a": "1\n2"})
    assert report.differences == 0
    report.compare("pages", {"a": "1\n| new_switch |\n3"}, {"a": "1\n2"})
    assert report.differences == 1
