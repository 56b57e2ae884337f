"""Times of files are read to the nanosecond in every known form, or refused; never guessed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model.times.api import format_rfc3339
from common.model.times.formats import BadTimeFormat
from common.model.times.reader import TimeReader, is_date, is_time_of_day
from common.model.times.zones import UnknownZone, read_zone

NOW_NS = int(datetime(2026, 11, 28, 19, 0, tzinfo=UTC).timestamp()) * 10**9

KNOWN = {
    "2015-05-17T10:05:03.123Z": "2015-05-17T10:05:03.123Z",
    "2015-05-17 10:05:03,123": "2015-05-17T10:05:03.123Z",
    "2015-05-17T10:05:03.123456789+02:00[Europe/Berlin]": "2015-05-17T08:05:03.123456789Z",
    "2015-05-17 10:05:03.123 +0000 UTC m=+0.01": "2015-05-17T10:05:03.123Z",
    "2015-05-17T10:05:03 Europe/Berlin": "2015-05-17T08:05:03Z",
    "2015-05-17 10:05:03 CEST": "2015-05-17T08:05:03Z",
    "2015/05/17 10:05": "2015-05-17T10:05:00Z",
    "2015.05.17": "2015-05-17T00:00:00Z",
    "2015-05-17 at 10:05": "2015-05-17T10:05:00Z",
    "2026-11-28-19.00.36.123456": "2026-11-28T19:00:36.123456Z",
    "20150517T100503Z": "2015-05-17T10:05:03Z",
    "20150517T100503.5+0200": "2015-05-17T08:05:03.5Z",
    "20150517": "2015-05-17T00:00:00Z",
    "20150517100503": "2015-05-17T10:05:03Z",
    "20150517 10:05:03": "2015-05-17T10:05:03Z",
    "2015-137": "2015-05-17T00:00:00Z",
    "17.05.2015 10:05:03": "2015-05-17T10:05:03Z",
    "17.5.15": "2015-05-17T00:00:00Z",
    "17/May/2015:10:05:03 +0000": "2015-05-17T10:05:03Z",
    "17/May/2015:10:05:03.123 +0200": "2015-05-17T08:05:03.123Z",
    "7/May/2015:10:05:60 +0000": "2015-05-07T10:06:00Z",
    "17-MAY-15 07.05.03.000000 PM": "2015-05-17T19:05:03Z",
    "Sun, 17 May 2015 10:05:03 GMT": "2015-05-17T10:05:03Z",
    "Sunday, 17-May-15 10:05:03 GMT": "2015-05-17T10:05:03Z",
    "Sun, 17 May 2015 10:05:03 +0200 (CEST)": "2015-05-17T08:05:03Z",
    "May 17, 2015 12:05:03 AM": "2015-05-17T00:05:03Z",
    "May 17, 2015, 10:05:03 PM": "2015-05-17T22:05:03Z",
    "Sun May 17 2015 10:05:03 GMT+0200 (Some Summer Time)": "2015-05-17T08:05:03Z",
    "Sun May 17 10:05:03 2015": "2015-05-17T10:05:03Z",
    "Sun May 17 10:05:03.123456 2015": "2015-05-17T10:05:03.123456Z",
    "Sun May 17 10:05:03 PDT 2015": "2015-05-17T17:05:03Z",
    "2015 May 17 10:05:03": "2015-05-17T10:05:03Z",
    "081109 203615": "2008-11-09T20:36:15Z",
    "150517 10:05:03": "2015-05-17T10:05:03Z",
    "13/06/2015 10:05": "2015-06-13T10:05:00Z",
    "06/13/2015 7:05:03 PM": "2015-06-13T19:05:03Z",
    "11/28/2026, 7:00:36 PM": "2026-11-28T19:00:36Z",
    "17-05-2015 10:05": "2015-05-17T10:05:00Z",
    "May 17 10:05:03": "2026-05-17T10:05:03Z",
    "Jun  9 06:06:01": "2026-06-09T06:06:01Z",
    "Nov 30 10:00:00": "2025-11-30T10:00:00Z",
    "Dec 31 23:59:59": "2025-12-31T23:59:59Z",
    "Feb 29 03:04:05": "2024-02-29T03:04:05Z",
    "05-17 10:05:03.123": "2026-05-17T10:05:03.123Z",
    "0517 10:05:03.123456": "2026-05-17T10:05:03.123456Z",
    "946684800": "2000-01-01T00:00:00Z",
    "946684800.5": "2000-01-01T00:00:00.5Z",
    "946684800000": "2000-01-01T00:00:00Z",
    "946684800000000": "2000-01-01T00:00:00Z",
    "946684800000000001": "2000-01-01T00:00:00.000000001Z",
    "1700000000.123456789": "2023-11-14T22:13:20.123456789Z",
    "1700000000123.456789": "2023-11-14T22:13:20.123456789Z",
    "1.700000000123456789e18": "2023-11-14T22:13:20.123456789Z",
    "1.7000000001e9": "2023-11-14T22:13:20.1Z",
    "-86400": "1969-12-31T00:00:00Z",
    "/Date(1700000000000+0100)/": "2023-11-14T22:13:20Z",
}
UNKNOWN = (
    "", "noon", "May", "12-25", "1,2", "1.2.3", "10.0.0.1", "03:04:05", "2015-05-17 25:00:00",
    "2015-02-30", "9999-01-01", "17/06/09 20:10:40", "05/06/2015 10:05", "2015-05-17 10:05 XYZ",
    "00/00/2015", "1e99", "x" * 200, "٢٠١٥-٠٥-١٧", "Sun May 17 10:05:61 2015", "13:00 PM",
)  # fmt: skip


def written(time_ns: int | None) -> str | None:
    return None if time_ns is None else format_rfc3339(time_ns)


@pytest.mark.parametrize("text", KNOWN)
def test_every_form_is_read_to_the_nanosecond(text: str) -> None:
    assert written(TimeReader(NOW_NS).read(text)) == KNOWN[text]


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_no_time_or_may_be_several_is_refused(text: str) -> None:
    assert TimeReader(NOW_NS).read(text) is None


def test_what_was_read_before_changes_no_reading() -> None:
    for first in (*KNOWN, *UNKNOWN):
        reader = TimeReader(NOW_NS)
        reader.read(first)
        for text in KNOWN:
            assert written(reader.read(text)) == KNOWN[text], (first, text)
        assert reader.read("03:04:05") is None


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2260, 1, 1)),
    st.integers(0, 10**9 - 1),
    st.sampled_from(["%d/%b/%Y:%H:%M:%S{} +0130", "%Y-%m-%d %H:%M:%S{}", "%b %d, %Y %H:%M:%S{}"]),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 999)), max_size=4),
)
def test_lines_of_one_minute_are_read_as_if_each_stood_alone(
    when: datetime, nanos: int, form: str, others: list[tuple[int, int]]
) -> None:
    reader = TimeReader(NOW_NS)
    texts = [when.strftime(form).format(f".{nanos:09d}"), when.strftime(form).format("")]
    texts += [
        when.replace(second=second).strftime(form).format(f",{milli:03d}")
        for second, milli in others
    ]
    for text in (*texts, *texts):
        assert reader.read(text) == TimeReader(NOW_NS).read(text)
    expected = int(when.replace(tzinfo=UTC, microsecond=0).timestamp()) - 5400 * ("+0130" in form)
    assert reader.read(texts[0]) == expected * 10**9 + nanos


def test_the_order_of_numeric_dates_is_learned_from_other_values() -> None:
    reader = TimeReader(NOW_NS)
    assert reader.read("05/06/2015 10:05:03") is None
    assert "--time-format" in reader.why_not("05/06/2015 10:05:03")
    reader.learn(["05/06/2015 10:05:03", "noon", "05/31/2015 10:05:03"])
    assert written(reader.read("05/06/2015 10:05:03")) == "2015-05-06T10:05:03Z"
    reader = TimeReader(NOW_NS)
    reader.learn(["31/05/2015", "05/06/2015"])
    assert written(reader.read("05/06/2015")) == "2015-06-05T00:00:00Z"
    logs = TimeReader(NOW_NS)
    logs.learn(["17/06/09 20:10:40"], short_year_first=True)
    assert written(logs.read("17/06/09 20:10:40")) == "2017-06-09T20:10:40Z"
    sheet = TimeReader(NOW_NS)
    sheet.learn(["11/28/26 7:00 PM"], short_year_first=True)
    assert written(sheet.read("11/28/26 7:00 PM")) == "2026-11-28T19:00:00Z"


def test_times_without_a_zone_are_of_the_zone_given() -> None:
    berlin = TimeReader(NOW_NS, read_zone("Europe/Berlin"))
    assert written(berlin.read("2015-05-17 10:05:03")) == "2015-05-17T08:05:03Z"
    assert written(berlin.read("2015-01-17 10:05:03")) == "2015-01-17T09:05:03Z"
    assert written(berlin.read("2015-05-17 10:05:03Z")) == "2015-05-17T10:05:03Z"
    assert written(berlin.read("Nov 28 19:59:59")) == "2026-11-28T18:59:59Z"
    assert written(berlin.read("Nov 28 20:30:00")) == "2025-11-28T19:30:00Z"
    fixed = TimeReader(NOW_NS, read_zone("+05:30"))
    assert written(fixed.read("2015-05-17 05:30")) == "2015-05-17T00:00:00Z"
    with pytest.raises(UnknownZone, match="Europe/Berlin"):
        read_zone("Mars/Olympus")


def test_without_a_zone_the_clock_of_another_zone_is_not_taken_for_last_years() -> None:
    assert written(TimeReader(NOW_NS).read("Nov 29 08:00:00")) == "2026-11-29T08:00:00Z"
    assert written(TimeReader(NOW_NS).read("Nov 29 10:00:00")) == "2025-11-29T10:00:00Z"


@pytest.mark.parametrize(
    ("time_format", "text", "expected"),
    [
        ("%b %d %H:%M:%S", "Nov  5 03:04:05", "2026-11-05T03:04:05Z"),
        ("%b %d %H:%M:%S", "Dec 25 03:04:05", "2025-12-25T03:04:05Z"),
        ("%b %d %H:%M:%S", "Feb 29 03:04:05", "2024-02-29T03:04:05Z"),
        ("%H:%M:%S", "03:04:05", "2026-11-28T03:04:05Z"),
        ("%H:%M:%S", "23:04:05", "2026-11-27T23:04:05Z"),
        ("%d/%b %H:%M", "05/Nov 03:04", "2026-11-05T03:04:00Z"),
        ("%d/%m/%Y %H:%M", "05/06/2015 10:05", "2015-06-05T10:05:00Z"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", "2015-05-17T10:05:03.123456789Z",
         "2015-05-17T10:05:03.123456789Z"),
        ("%Y%m%d %I:%M %p", "20150517 12:05 am", "2015-05-17T00:05:00Z"),
        ("%s.%f", "1700000000.123456789", "2023-11-14T22:13:20.123456789Z"),
        ("%D %T", "05/17/15 10:05:03", "2015-05-17T10:05:03Z"),
        ("%Y-%j", "2016-366", "2016-12-31T00:00:00Z"),
        ("[%A %d %B %Y %T %Z]", "[Sunday 17 May 2015 10:05:03 UTC]", "2015-05-17T10:05:03Z"),
        ("epoch_s", "-1.5", "1969-12-31T23:59:58.5Z"),
        ("epoch_ms", "5", "1970-01-01T00:00:00.005Z"),
        ("epoch_us", "1700000000123456", "2023-11-14T22:13:20.123456Z"),
        ("epoch_ns", "1.700000000123456789e18", "2023-11-14T22:13:20.123456789Z"),
        ("%Y-%m-%d", "2015-02-30", None),
        ("%Y-%j", "2015-366", None),
        ("%Y-%m-%d", "2015-02-03 10:00", None),
        ("%I:%M %p", "13:00 PM", None),
    ],
)  # fmt: skip
def test_given_formats_need_no_year_and_keep_nanoseconds(
    time_format: str, text: str, expected: str | None
) -> None:
    assert written(TimeReader(NOW_NS, None, time_format).read(text)) == expected


@pytest.mark.parametrize(
    ("time_format", "hint"),
    [
        ("yyyy-MM-dd HH:mm:ss", "yyyy is %Y"),
        ("epoch_minutes", "epoch_ms"),
        ("%Y-%Q", "%Q is not known"),
        ("%d %H:%M", "no month"),
        ("%I:%M", "%p"),
        ("%Y %Y", "twice"),
        ("%%", "no part of a time"),
        ("%Y%", "lone %"),
    ],
)
def test_what_is_no_format_says_what_one_is(time_format: str, hint: str) -> None:
    with pytest.raises(BadTimeFormat) as caught:
        TimeReader(NOW_NS, None, time_format)
    assert hint in str(caught.value)


def test_small_numbers_in_a_field_that_is_merely_called_time_are_no_times() -> None:
    reader = TimeReader(NOW_NS)
    assert reader.read_found("5") is None
    assert reader.read_found("12345678.5") is None
    assert written(reader.read_found("20150517")) == "2015-05-17T00:00:00Z"
    assert written(reader.read_found("946684800")) == "2000-01-01T00:00:00Z"
    assert written(reader.read("5")) == "1970-01-01T00:00:05Z"


def test_dates_and_times_of_day_are_told_apart() -> None:
    assert is_date("2015-05-17")
    assert is_date("05/06/15")
    assert not is_date("10:05:03")
    assert not is_date("2015-05-17 10:05:03")
    assert not is_date("web-01")
    assert is_time_of_day("10:05:03.123")
    assert is_time_of_day("7:05 pm")
    assert not is_time_of_day("2015-05-17 10:05")


@given(st.text(max_size=30) | st.from_regex(r"[0-9/.:T +-]{0,30}", fullmatch=True))
def test_no_text_breaks_the_reader(text: str) -> None:
    reader = TimeReader(NOW_NS)
    found = reader.read(text)
    assert found is None or -(2**63) <= found < 2**63
    reader.learn([text])
    is_date(text)
    is_time_of_day(text)
    assert reader.why_not(text)
