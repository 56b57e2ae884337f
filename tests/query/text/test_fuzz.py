"""Whatever is typed, the reader answers with a specification or with an error at its place."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from query.faults import SpecError
from query.plan.read.spec import read_spec
from query.text.parser import TextQuery, parse_query
from query.tokens.errors import QueryTextError
from query.tokens.quoting import quote_name, quote_text

NOW_NS = 1_790_000_000 * 10**9
PLAIN_WORDS = r"""
    SELECT * COUNT SUM AVG P99 P99.9 percentile COUNT_DISTINCT DISTINCT ( ) , ; . = == === != <>
    =~ !~ ~ ~* < <= > >= ! && || AND OR NOT IN IS NULL LIKE ILIKE BETWEEN MATCHES CONTAINS EXISTS
    STARTS WITH FROM WHERE GROUP BY HAVING ORDER LIMIT EVERY LAST SINCE UNTIL AS OF DESC TOP TRUE
    null status duration_ms `a`b` `a "b c" 'd' E"\n" E"\q" " ' ` 0 1 -5 2.5 1e9 1e999 / 日本
    99999999999999999999 1s 10k 5% 1.5MB 1 day hours 2h -48h ago yesterday monday noon now now-2h
    12:30 2026-01-31 2026-01-31T12:00:00Z 20260131 1700000000 Europe/Berlin ٣ ² “x” -- [1, 1,000
"""
ODD_WORDS = ["%", "_", "\\", "last", "\u200b", "\0", "\ud800", "", "\n"]
PIECES = st.one_of(st.sampled_from([*PLAIN_WORDS.split(), *ODD_WORDS]), st.text(max_size=5))
TEXTS = st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join)
CHARS = 20_000
# What the text form leaves to the API to refuse
ALLOWED = ("granularity", "regular expression", "give the calculation a name", "must be between")


def read(text: str) -> TextQuery | QueryTextError:
    try:
        return parse_query(text, NOW_NS, ZoneInfo("Europe/Berlin"))
    except QueryTextError as error:
        return error


def fault_of(spec: dict[str, Any]) -> str:
    """What the API refuses it for; empty if it does not."""
    try:
        read_spec(spec)
    except SpecError as error:
        return str(error)
    return ""


def assert_read_or_refused(text: str) -> None:
    """Read it; what is read is what the API takes, or refuses for a reason that only it knows."""
    asked = read(text)
    if isinstance(asked, QueryTextError):
        assert 0 <= asked.start <= asked.end <= len(text) + 1
        marks = [line for line in str(asked).split("\n") if "^" in line and not line.strip(" ^")]
        assert marks
        return
    fault = fault_of({name: value for name, value in asked.spec.items() if name != "rows"})
    assert not fault or any(part in fault for part in ALLOWED), (text, asked.spec, fault)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_any_text_is_read_or_refused_at_its_place(text: str) -> None:
    assert_read_or_refused(text)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_is_quoted_so_that_it_reads_back(text: str) -> None:
    if any(0xD800 <= ord(char) < 0xE000 for char in text):
        return
    where = f"COUNT WHERE {quote_name(text)} = {quote_text(text)}"
    assert parse_query(where, NOW_NS, UTC).spec["filters"] == [
        {"column": text, "op": "=", "value": text}
    ]


REPEATED = (
    *("(", "((", "NOT ", "!", '"', "`", 'E"\\', "'", '""', "a=1 OR ", "COUNT,", "a(", "1", "1d"),
    *("%", "LAST ", "[", "\\", "a.", "x" * 50 + " ", "12:", "é", "and ", "a BETWEEN 1 AND "),
)


@pytest.mark.parametrize("piece", REPEATED)
def test_repetition_costs_one_pass_over_the_text(piece: str) -> None:
    """Each of these would take minutes if the work grew with the square, or with two to it."""
    for head in ("", "COUNT WHERE a = ", "COUNT SINCE "):
        assert_read_or_refused((head + piece * CHARS)[:CHARS])


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(QueryTextError, match="at most 65,536 characters"):
        parse_query("COUNT " + " " * limits.QUERY_TEXT_CHARS_MAX, NOW_NS)
