"""Who edits a text is told everything that is wrong with it, each at its words, and what it says of
its time in its own words.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from query.plan.read.faults import faults_of
from query.text.parser import parse_query, read_text
from query.text.places import RANGE, place_of
from query.text.written import SaidRange, written
from query.tokens.errors import QueryTextError
from tests.query.text.test_written import NAMES_SAID, sayable

NOW_NS = 1_800_000_000 * 10**9


def faults(text: str) -> list[str]:
    return [text[one.start : one.end] for one in read_text(text, NOW_NS).faults]


def test_several_words_that_are_not_understood_are_all_marked() -> None:
    text = "COUNT WHERE a = GROUP BY a, , b LIMIT x LAST 5 EVERY 1m"
    assert faults(text) == ["GROUP", ",", "x", "5"]
    read = read_text(text, NOW_NS)
    assert read.spec is None
    with pytest.raises(QueryTextError) as first:
        parse_query(text, NOW_NS)
    assert first.value.start == read.faults[0].start


def test_each_name_that_is_no_part_of_the_result_is_marked() -> None:
    assert faults("COUNT GROUP BY a ORDER BY b, P99(c) HAVING MAX(d) > 1") == ["b", "P99", "MAX"]


def test_a_fault_hides_no_clause_and_makes_up_none() -> None:
    assert faults("COUNT WHERE a b c BETWEEN 1 AND 2 GROUP BY d") == ["b"]
    assert len(faults(" ".join(["LIMIT x"] * 50))) == 10


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("calculations[1].column", "P99(duration_ms) AS slow"),
        ("formulas[0].expression", "slow / COUNT AS ratio"),
        ("calculated_fields[0]", "x = $y + 1"),
        ("filters[0].value", "a = 1"),
        ("filters[1].value", 'b MATCHES "("'),
        ("filters[2].filters[0]", "(c = 1 OR d = 2)"),
        ("breakdowns[1]", "f"),
        ("havings[0]", "COUNT > 5"),
        ("orders[1].op", "f ASC"),
        ("limit", "LIMIT 5"),
        ("granularity", "EVERY 1s"),
        ("start_time", "SINCE yesterday BY END"),
        ("compare_time_offset_seconds", "COMPARE 1d"),
        ("per", "PER t"),
    ],
)
def test_every_member_is_known_by_its_words(path: str, words: str) -> None:
    text = (
        "LET x = $y + 1 SELECT COUNT, P99(duration_ms) AS slow, slow / COUNT AS ratio "
        'WHERE a = 1 AND b MATCHES "(" AND (c = 1 OR d = 2) PER t GROUP BY e, f '
        "HAVING COUNT > 5 ORDER BY COUNT DESC, f ASC LIMIT 5 EVERY 1s SINCE yesterday BY END "
        "COMPARE 1d"
    )
    place = place_of(path, read_text(text, NOW_NS).places)
    assert place is not None
    assert text[place.start : place.end] == words


def test_what_only_the_whole_specification_tells_is_all_found() -> None:
    text = 'COUNT WHERE a = 1 AND b MATCHES "(" AND c MATCHES "[" LAST 90d EVERY 1s'
    read = read_text(text, NOW_NS)
    assert read.spec is not None
    found = [place_of(one.field, read.places) for one in faults_of(read.spec)]
    words = [text[one.start : one.end] for one in found if one is not None]
    assert words == ['b MATCHES "("', 'c MATCHES "["', "EVERY 1s"] or words == [
        "EVERY 1s", 'b MATCHES "("', 'c MATCHES "["',
    ]  # fmt: skip
    assert faults_of(parse_query("COUNT LAST 1h BY END", NOW_NS).spec) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("COUNT SINCE yesterday", "SINCE yesterday"),
        (
            "COUNT SINCE  yesterday\n14:00 EVERY 1m UNTIL now-2h",
            "SINCE yesterday 14:00 UNTIL now-2h",
        ),
        ("COUNT BETWEEN monday AND today BY END", "BETWEEN monday AND today BY END"),
        ("COUNT LAST 2 hours and 30 minutes COMPARE 1d", "LAST 2 hours and 30 minutes"),
        ("COUNT GROUP BY a", None),
    ],
)
def test_a_range_keeps_its_words(text: str, words: str | None) -> None:
    read = read_text(text, NOW_NS)
    assert read.range_words == words
    assert read.spec is not None
    changed: dict[str, Any] = {**read.spec, "breakdowns": ["z"]}
    if words is None:
        return
    shown = written(changed, None, SaidRange(words, NOW_NS))
    assert shown is not None
    assert f" {words}" in shown
    assert parse_query(shown, NOW_NS).spec == changed


@settings(max_examples=15)
@given(
    sayable(NAMES_SAID), st.sampled_from(["SINCE yesterday", "LAST 1 month", "UNTIL now-2h BY END"])
)
def test_any_question_keeps_the_words_of_its_range(spec: dict[str, Any], words: str) -> None:
    untimed = {name: value for name, value in spec.items() if name not in RANGE}
    shown = written(spec, None, SaidRange(words, NOW_NS))
    assert shown is not None
    read = read_text(shown, NOW_NS)
    assert read.range_words == words
    assert read.spec is not None
    assert {name: value for name, value in read.spec.items() if name not in RANGE} == untimed


@settings(max_examples=15)
@given(sayable(NAMES_SAID))
def test_every_part_of_any_question_has_its_words(spec: dict[str, Any]) -> None:
    text = written(spec)
    assert text is not None
    places = read_text(text, NOW_NS).places
    for member, value in spec.items():
        if member == "filter_combination":
            continue
        items = range(len(value)) if isinstance(value, list) else [None]
        for at in items:
            place = place_of(member if at is None else f"{member}[{at}]", places)
            assert place is not None, (member, at)
            assert text[place.start : place.end].strip() == text[place.start : place.end] != ""
    said = [place_of(f"breakdowns[{at}]", places) for at in range(len(spec.get("breakdowns", [])))]
    groups = ", ".join(text[one.start : one.end] for one in said if one is not None)
    assert not groups or f"GROUP BY {groups}" in text


def test_words_that_are_no_range_are_not_written() -> None:
    spec = {"calculations": [{"op": "COUNT"}]}
    for words in ("GROUP BY a", "SINCE", "LAST 2h GROUP BY a", "LAST 2h, 3h"):
        assert written(spec, None, SaidRange(words, NOW_NS)) is None
