"""Times and lengths as people write them, in the zone of who asks; what is unclear is refused."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from query.text.parser import parse_query
from query.tokens.errors import QueryTextError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 21, 16, 13, 20, tzinfo=BERLIN)  # a Monday
NOW_S = int(NOW.timestamp())


def spec(clauses: str) -> dict[str, Any]:
    found = parse_query(f"COUNT {clauses}", NOW_S * 10**9, BERLIN).spec
    return {name: value for name, value in found.items() if name != "calculations"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1 day", 86_400),
        ("hour", 3600),
        ("an hour", 3600),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2 hours and 30 minutes", 9000),
        ("90 SECS", 90),
        ("2 weeks 1d", 1_296_000),
        ("1 month", 31 * 86_400),
        ("1 year", 365 * 86_400),
    ],
)
def test_lengths(text: str, seconds: int) -> None:
    assert spec(f"LAST {text}") == {"time_range": seconds}
    assert spec(f"PAST {text} LIMIT 5") == {"time_range": seconds, "limit": 5}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("48h ago", "2026-09-19T16:13:20"),
        ("-48h", "2026-09-19T16:13:20"),
        ("2 days ago", "2026-09-19T16:13:20"),
        ("now-1d", "2026-09-20T16:13:20"),
        ("1 month ago", "2026-08-21T16:13:20"),
        ("today", "2026-09-21T00:00:00"),
        ("yesterday", "2026-09-20T00:00:00"),
        ("yesterday 14:00", "2026-09-20T14:00:00"),
        ("yesterday at 2:30pm", "2026-09-20T14:30:00"),
        ("monday", "2026-09-21T00:00:00"),
        ("last monday", "2026-09-14T00:00:00"),
        ("tuesday", "2026-09-15T00:00:00"),
        ("Sunday noon", "2026-09-20T12:00:00"),
        ("12:30", "2026-09-21T12:30:00"),
        ("23:00:05", "2026-09-20T23:00:05"),
        ("9am", "2026-09-21T09:00:00"),
        ("2015", "2015-01-01T00:00:00"),
        ("2015-05", "2015-05-01T00:00:00"),
        ("2015-05-01", "2015-05-01T00:00:00"),
        ("20150501", "2015-05-01T00:00:00"),
        ("2015-05-01 12:00", "2015-05-01T12:00:00"),
        ('"2015-05-01 12:00"', "2015-05-01T12:00:00"),
        ("2015-05-01 12:00 America/New_York", "2015-05-01T18:00:00"),
        ("2015-05-01T12:00:00Z", "2015-05-01T14:00:00"),
        ("2015-05-01T12:00:00.999+05:30", "2015-05-01T08:30:00"),
        ("1430438400", "2015-05-01T02:00:00"),
        ("1430438400123", "2015-05-01T02:00:00"),
        ("1430438400123456", "2015-05-01T02:00:00"),
        ("1430438400123456789", "2015-05-01T02:00:00"),
        ("13/05/2015", "2015-05-13T00:00:00"),
        ("1 May 2015 10:00 UTC", "2015-05-01T12:00:00"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    start_s = int(datetime.fromisoformat(moment).replace(tzinfo=BERLIN).timestamp())
    assert spec(f"SINCE {text}") == {"start_time": start_s, "end_time": NOW_S}
    assert spec(f"SINCE {text} UNTIL now GROUP BY a")["start_time"] == start_s


def test_a_range_includes_what_its_ends_cut_through() -> None:
    found = spec("SINCE 1430438400123 UNTIL 1430438401001")
    assert found == {"start_time": 1_430_438_400, "end_time": 1_430_438_402}


def test_ranges() -> None:
    day = {
        "start_time": int(datetime(2026, 9, 20, tzinfo=BERLIN).timestamp()),
        "end_time": int(datetime(2026, 9, 21, tzinfo=BERLIN).timestamp()),
    }
    for text in (
        "SINCE yesterday UNTIL today",
        "UNTIL today SINCE yesterday",
        "BETWEEN yesterday AND today",
        "BETWEEN 2026-09-20 AND 2026-09-21",
        "BETWEEN 2026-09-20 TO 2026-09-21",
    ):
        assert spec(text) == day
    hours = spec("WHERE a = 1 BETWEEN 2 hours ago AND 1 hour ago")
    assert (hours["start_time"], hours["end_time"]) == (NOW_S - 7200, NOW_S - 3600)
    assert spec("LAST 2h UNTIL today") == {"time_range": 7200, "end_time": day["end_time"]}
    assert spec("EVERY 5 minutes LAST 1 day") == {"granularity": 300, "time_range": 86_400}


def test_days_are_as_long_as_the_zone_makes_them() -> None:
    after = int(datetime(2026, 10, 26, tzinfo=BERLIN).timestamp())  # the day before had 25 hours
    found = parse_query("COUNT SINCE yesterday UNTIL today", after * 10**9, BERLIN).spec
    assert found["end_time"] - found["start_time"] == 25 * 3600
    assert parse_query("COUNT SINCE today", after * 10**9 + 1, UTC).spec["start_time"] < after


@pytest.mark.parametrize(
    ("clauses", "marked", "hint"),
    [
        ("LAST 5", "5", "a duration has a unit: 5s, 5m, 5h or 5d"),
        ("LAST soon", "soon", "expected a duration"),
        ("LAST 500ms", "500ms", "at least one second"),
        ("LAST 1500ms", "1500ms", "whole seconds"),
        ("LAST 0h", "0h", "at least one second"),
        ("LAST 99999 years", "99999 years", "longer than there are events"),
        ("EVERY 60", "60", "60s"),
        ("LAST 1M", "1M", "write 1m for minutes, or 1mo for months"),
        ("LAST 30 M", "30 M", "write 30m for minutes"),
        ("EVERY 5M", "5M", "5mo for months"),
        ("SINCE -1M", "-1M", "1mo for months"),
        ("SINCE 2M ago", "2M ago", "2mo for months"),
        ("SINCE now-1M", "now-1M", "1mo for months"),
        ("EVERY 1 month", "1 month", "write 30d"),
        ("SINCE", "", "expected a time, but the query ends here"),
        ("SINCE yestrday", "yestrday", "did you mean yesterday?"),
        ("SINCE 5", "5", "5m, 5h, 5d"),
        ("SINCE hour", "hour", "did you mean 1 hour ago"),
        ("SINCE 05/06/2026", "05/06/2026", "year-month-day"),
        ("SINCE 2015-02-30", "2015-02-30", "expected a time"),
        ("SINCE 99999-01-01", "99999-01-01", "expected a time"),
        ("SINCE tomorrow", "tomorrow", "it ends now"),
        ("SINCE today UNTIL yesterday", "yesterday", "ends before it begins"),
        ("UNTIL yesterday SINCE today", "yesterday", "ends before it begins"),
        ("SINCE today UNTIL today", "today", "ends before it begins"),
        ("BETWEEN today", "", "expected AND"),
        ("LAST 2h SINCE yesterday", "LAST", "LAST or SINCE"),
        ("FROM 2h ago", "ago", "did not expect"),
    ],
)
def test_what_is_not_clear_is_refused_in_its_place(clauses: str, marked: str, hint: str) -> None:
    text = f"COUNT {clauses}"
    with pytest.raises(QueryTextError) as caught:
        parse_query(text, NOW_S * 10**9, BERLIN)
    assert text[caught.value.start : caught.value.end] == marked
    assert hint in str(caught.value)
