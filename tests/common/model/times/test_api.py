"""Every time form of the contract is read, exactly to the nanosecond, or refused with its forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.model.times.api import (
    BadTime,
    format_rfc3339,
    format_timestamp,
    parse_time,
    time_or_arrival,
    timestamp_or_arrival,
)

S = 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-21T08:05:41.801165+00:00", 1795248341_801165000),
        ("2026-11-21T08:05:28.44788Z", 1795248328_447880000),
        ("2026-11-21T10:05:28.123456789+02:00", 1795248328_123456789),
        ("2026-11-21t03:05:28.1234567899-05:00", 1795248328_123456789),
        ("2026-11-21 08:05:28Z", 1795248328 * S),
        ("2016-12-31T23:59:60Z", 1483228800 * S),
        ("1969-12-31T23:59:59.5Z", -S // 2),
        ("2200-01-01T00:00:00Z", 7258118400 * S),
        ("1700000000", 1700000000 * S),
        ("1700000000123", 1700000000_123000000),
        ("1700000000123456", 1700000000_123456000),
        ("1700000000123456789", 1700000000_123456789),
        ("0", 0),
        ("1700000000.123456789", 1700000000_123456789),
        ("1700000000.1234567899", 1700000000_123456789),
        ("1.7000000001e9", 1700000000_100000000),
        ("17E8", 1700000000 * S),
        ("0.5", S // 2),
        ("0e999", 0),
        ("5e-999", 0),
    ],
)
def test_every_form_is_exact(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    "text",
    ["", "x", "-1", "+1", "12345678901", "170000000012", "17000000001234", "1_700_000_000",
     "2026-11-21", "2026-11-21T08:05:41", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
     "2026-11-21T24:00:00Z", "2026-11-21T08:60:00Z", "2026-11-21T08:05:61Z",
     "2026-11-21T08:05:41+25:00", "2026-11-21T08:05:41.Z", "1e10", "1e400", "NaN", "0x10",
     "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9" * 5000, "٣" * 10, "9999999999999999999"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        parse_time(text)


NEVER = [
    "", " \t", "0", "00", "0.0", "0e0", "-0", "-0.0", "0.0000000001", "1970-01-01T00:00:00Z",
    "1970-01-01T01:00:00+01:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00.000000000+00:00", "0001-01-01T01:00:00+01:00", "0001-01-01t00:00:00z",
    "0000-12-31T19:03:58-04:56", "0000-12-31T19:03:58-04:56:02", "0001-01-01T00:00:00",
    "0001-01-01 00:00:00", "0001-01-01", "0001-01-01 00:00:00 +0000 UTC", "0000-00-00 00:00:00",
    "0000-00-00T00:00:00Z", "-62135596800", "-62135596800.0", "-6.21355968e+10", "-6.21355968e10",
    "-62135596800000", "-62135596800000000", "-6795364578871345152", " 0001-01-01T00:00:00Z ",
]  # fmt: skip


@pytest.mark.parametrize("text", NEVER)
def test_a_time_that_was_never_set_is_the_time_of_arrival(text: str) -> None:
    assert time_or_arrival(text, 7) == 7


@pytest.mark.parametrize(
    "text",
    ["0002-01-01T00:00:00Z", "0001-1-1", "-1", "-62135596801", "-621355968000", "0.", "1677-01-01",
     "0001-01-01T00:00:00Zx", "-", "-0x0", "٠", "0" * 81, "no", "null", "false"],
)  # fmt: skip
def test_what_only_looks_like_it_is_refused(text: str) -> None:
    with pytest.raises(BadTime):
        time_or_arrival(text, 7)


def test_times_near_those_that_mean_none_are_times() -> None:
    assert time_or_arrival("1", 7) == S
    assert time_or_arrival("0.000000001", 7) == 1
    assert time_or_arrival("1969-12-31T23:59:59Z", 7) == -S
    assert timestamp_or_arrival(0, 1, 7) == 1
    assert timestamp_or_arrival(-62_135_596_800, 0, 7) == 7
    assert timestamp_or_arrival(-62_104_060_801, 999_999_999, 7) == 7
    for seconds in (-62_104_060_800, -62_167_219_201, -(2**63), 2**40):
        with pytest.raises(BadTime):
            timestamp_or_arrival(seconds, 0, 7)


def test_timestamps_of_all_years_can_be_written() -> None:
    assert format_timestamp(-62_135_596_800, 0) == "0001-01-01T00:00:00Z"
    assert format_timestamp(253_402_300_799, 999_999_999) == "9999-12-31T23:59:59.999999999Z"
    for seconds in (-62_135_596_801, 253_402_300_800, 2**63 - 1, -(2**63)):
        with pytest.raises(BadTime, match="years 1 to 9999"):
            format_timestamp(seconds, 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_written_times_are_read_back(time_ns: int) -> None:
    assert parse_time(format_rfc3339(time_ns)) == time_ns


@given(st.integers(10**9, 9_223_372_035), st.integers(0, S - 1))
def test_all_forms_of_one_instant_agree(seconds: int, nanos: int) -> None:
    expected = seconds * S + nanos
    assert parse_time(f"{seconds}{nanos:09d}") == expected
    assert parse_time(f"{seconds}.{nanos:09d}") == expected
