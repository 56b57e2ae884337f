"""Numbers are what Python reads: integers exactly, doubles correctly rounded (I3)."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernels.compile import FAIL, SENTINEL_BYTES
from common.scan.json_tokens import BadValue, number_value
from common.scan.kernel.numbers import DOUBLE, INTEGER, nearest_double, read_number

TORTURE = [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "-0e-5",
    "1",
    "-1",
    "10",
    "12345678",
    "123456789",
    "1234567890123456",
    "12345678901234567",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "9999999999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "1e0",
    "1E+2",
    "1e-2",
    "123456789012345678901234567890",
    "1.0",
    "1.5",
    "0.1",
    "0.2",
    "0.3",
    "1e22",
    "1e23",
    "1e-22",
    "1e-23",
    "9007199254740991.0",
    "9007199254740992.0",
    "9007199254740993.0",
    "9007199254740993",
    "9007199254740995.0",
    "1e308",
    "1e309",
    "-1e309",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "2.2250738585072009e-308",
    "4.9406564584124654e-324",
    "5e-324",
    "3e-324",
    "2e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "1e-400",
    "1e400",
    "1e99999999999999999999",
    "0e99999999999",
    "1e-99999999999999999999",
    "0.000000000000000000000000000000000000000000000000001234567890123456789",
    "6.02214076e23",
    "1.6160301e-35",
    "0.1234567890123456789",
    "0.12345678901234567890123456789",
    "7.038531e-26",
    "1090544144181609348671888949248",
    "1090544144181609348835077142190",
    "9355950000000000000.0",
    "3.1415926535897932384626433832795028841971693993751",
    "8.533e+68",
    "4.1006e-184",
    "9.998e+307",
    "6.9294956446009195e15",
    "8.988465674311581e307",
    "9007199254740992.5",
    "9007199254740993.5",
    "2.00000000000000011102230246251565",
    "1.00000000000000011102230246251565",
    "1.00000000000000011102230246251566",
    "0.500000000000000166533453693773481063544750213623046875",
    "3.518437208883201171875e13",
    "62.5364939768271845828",
    "8.10109172351e-10",
    "1.50000000000000011102230246251565",
]
NOT_NUMBERS = [
    "-",
    "01",
    "-01",
    "1.",
    "-1.",
    "1.e5",
    "1e",
    "1e+",
    "1E-",
    "00",
    "0123456789",
    "-a",
    "+1",
]


def read(text: str, before: int = 0) -> int | float | None:
    raw = b" " * before + text.encode()
    buffer = np.frombuffer(raw + bytes(SENTINEL_BYTES), np.uint8)
    end, kind, value = read_number(buffer, before)
    if end == FAIL:
        return None
    assert end == len(raw)
    if kind == INTEGER:
        return int(value)
    assert kind == DOUBLE
    return float(struct.unpack("<d", struct.pack("<q", value))[0])


def expected(text: str) -> int | float | None:
    try:
        return number_value(text.encode(), 0, len(text))
    except BadValue:
        return None


def same(found: int | float | None, wanted: int | float | None) -> bool:
    return type(found) is type(wanted) and repr(found) == repr(wanted)


@pytest.mark.parametrize("text", TORTURE)
def test_numbers_that_broke_other_parsers(text: str) -> None:
    for spelled in (text, f"-{text}" if text[0] != "-" else text[1:], text.replace("e", "E")):
        found = read(spelled)
        assert found is None or same(found, expected(spelled)), spelled
        assert found is not None or expected(spelled) is None or len(text) > 20


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_is_no_number_is_not_proved(text: str) -> None:
    assert read(text) is None


def test_digits_at_every_alignment_and_length() -> None:
    for before in range(9):
        for digits in range(1, 26):
            for text in (("123456789" * 3)[:digits], "0." + ("987654321" * 3)[:digits]):
                assert same(read(text, before), expected(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_in_its_shortest_form_reads_back(value: float) -> None:
    assert same(read(repr(value)), value)


@given(st.integers(-(2**64), 2**64))
def test_every_integer_around_64_bits(value: int) -> None:
    assert same(read(str(value)), expected(str(value)))


@given(
    st.integers(0, 10**19 - 1),
    st.integers(-360, 330),
    st.sampled_from(["{}e{}", "-{}E{}", "{}.0e{}"]),
)
def test_any_19_digits_with_any_power_of_ten(whole: int, power: int, form: str) -> None:
    text = form.format(whole, power)
    wanted = expected(text)
    found = read(text)
    assert same(found, wanted) or (found is None and len(str(whole)) == 19 and ".0" in form)


@given(st.integers(0, 2**53 - 1), st.integers(1, 2046), st.integers(17, 60))
def test_the_middle_between_two_doubles_goes_to_the_even_one(
    mantissa: int, exponent: int, digits: int
) -> None:
    """Decimal texts around the exact middle of neighbours: the hardest cases there are."""
    (low,) = struct.unpack("<d", struct.pack("<Q", exponent << 52 | (mantissa & (2**52 - 1))))
    (high,) = struct.unpack(
        "<d", struct.pack("<Q", (exponent << 52 | (mantissa & (2**52 - 1))) + 1)
    )
    if high == float("inf"):
        return
    numerator, denominator = low.as_integer_ratio()
    other_numerator, other_denominator = high.as_integer_ratio()
    top = numerator * other_denominator + other_numerator * denominator
    bottom = 2 * denominator * other_denominator
    scale = max(0, digits - len(str(top // bottom)))
    text = f"{top * 10**scale // bottom}e-{scale}"
    found = read(text)
    assert found is None or same(found, expected(text))


@given(st.integers(1, 2**64 - 1), st.integers(-400, 400))
def test_the_double_nearest_to_a_decimal(whole: int, power: int) -> None:
    signed = whole - 2**64 if whole >= 2**63 else whole
    bits = nearest_double(signed, power)
    wanted = float(f"{whole}e{power}")
    if wanted == float("inf"):
        assert bits == FAIL
    else:
        assert struct.pack("<q", bits) == struct.pack("<d", wanted)
