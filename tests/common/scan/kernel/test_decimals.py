"""Integers and doubles are written as Python writes them, for every sort of double (I3)."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from common.kernels.compile import Bytes, Int64s, compiled
from common.kernels.intrinsics import store8, widened
from common.scan.kernel.decimals import TEXT_ROOM, write_double, write_integer, write_unsigned
from common.scan.kernel.numbers import power_of_ten

_CHARS_MAX = 26  # "-1.2345678901234567e-100" and a line break
_EXPONENTS = 0x7FF
_RANDOM = 30_000  # of each sort; `tests.fuzz.decimals` tries hundreds of millions


@compiled
def _write_doubles(values: Int64s, out: Bytes) -> int:
    to = 0
    for at in range(values.shape[0]):
        to = write_double(out, to, values[at])
        store8(out, to, 10)
        to += 1
    return to


@compiled
def _write_integers(values: Int64s, signed: bool, out: Bytes) -> int:
    to = 0
    for at in range(values.shape[0]):
        to = write_integer(out, to, values[at]) if signed else write_unsigned(out, to, values[at])
        store8(out, to, 10)
        to += 1
    return to


@compiled
def _power(power: int) -> tuple[int, int]:
    return power_of_ten(power)


@compiled
def _widen(bits: int) -> int:
    return int(widened(bits))


def doubles_as_text(values: Int64s) -> list[str]:
    out = np.zeros(len(values) * _CHARS_MAX + TEXT_ROOM, np.uint8)
    return out[: _write_doubles(values, out)].tobytes().decode().splitlines()


def integers_as_text(values: Int64s, *, signed: bool) -> list[str]:
    out = np.zeros(len(values) * _CHARS_MAX + TEXT_ROOM, np.uint8)
    return out[: _write_integers(values, signed, out)].tobytes().decode().splitlines()


def assert_written(values: Int64s) -> None:
    """Of these bits those that are finite, and their negatives."""
    finite = values[(values >> 52) & _EXPONENTS != _EXPONENTS]
    for bits in (finite, finite ^ np.int64(-(2**63))):
        found, wanted = doubles_as_text(bits), list(map(repr, bits.view(np.float64).tolist()))
        differing = [pair for pair in zip(found, wanted, strict=True) if pair[0] != pair[1]]
        assert not differing, differing[:5]


def sorts_of_doubles(dice: np.random.Generator, size: int) -> Iterator[Int64s]:
    """Random bits; then what telemetry holds, subnormals, few bits set, floats, whole numbers."""
    yield dice.integers(0, 2**63 - 1, size, np.int64)
    yield np.round(dice.lognormal(2, 3, size), int(dice.integers(0, 8))).view(np.int64)
    yield dice.random(size).view(np.int64)
    yield dice.integers(0, 2**52, size, np.int64) >> dice.integers(0, 52, size)
    yield np.ldexp(dice.integers(1, 2**6, size), dice.integers(-1079, 1017, size)).view(np.int64)
    yield dice.integers(0, 0x7F80_0000, size).astype(np.int32).view(np.float32).astype(
        np.float64
    ).view(np.int64)  # fmt: skip
    near = 10 ** dice.integers(0, 19, size) + dice.integers(-2, 3, size)
    yield np.abs(near).astype(np.float64).view(np.int64)
    scale = 10.0 ** dice.integers(-300, 290, size)
    yield (dice.integers(0, 10 ** dice.integers(1, 18, size)) * scale).view(np.int64)


def test_random_doubles_of_every_sort() -> None:
    for values in sorts_of_doubles(np.random.default_rng(3), _RANDOM):
        assert_written(values)


def test_powers_of_two_and_of_ten_and_their_neighbours() -> None:
    fractions = (0, 1, 2, 3, 1 << 51, (1 << 51) - 1, (1 << 52) - 2, (1 << 52) - 1)
    assert_written(np.array([e << 52 | f for e in range(_EXPONENTS) for f in fractions], np.int64))
    texts = ("1", "2", "3", "5", "25", "9.999999999999999", "1.7976931348623157", "4.9")
    values = np.array([float(f"{t}e{e}") for e in range(-324, 309) for t in texts], np.float64)
    bits = values.view(np.int64)
    for more in range(-3, 4):
        assert_written(np.abs(bits + more))


def test_a_decimal_between_two_doubles_is_written_as_the_one_it_reads_as() -> None:
    """Half-way cases: of the shortest decimals the nearest one, of ties the even one."""
    lower = np.random.default_rng(5).integers(0, _EXPONENTS << 52, 2_000, np.int64) & ~np.int64(1)
    halves = [Fraction(a) + (Fraction(b) - Fraction(a)) / 2 for a, b in _pairs(lower)]
    read = np.array([float(half) for half in halves], np.float64).view(np.int64)
    assert (read == lower).all()  # the even one
    assert_written(read)
    assert_written(lower + 1)


def _pairs(lower: Int64s) -> Iterator[tuple[float, float]]:
    return zip(lower.view(np.float64).tolist(), (lower + 1).view(np.float64).tolist(), strict=True)


def test_integers_of_every_length() -> None:
    near = [sign * (base**n + more) for base, most in ((2, 63), (10, 19)) for n in range(most)
            for more in (-1, 0, 1) for sign in (1, -1)]  # fmt: skip
    near += [-(2**63), 2**63 - 1, *range(-300, 300)]
    dice = np.random.default_rng(7)
    some = dice.integers(-(2**63), 2**63 - 1, _RANDOM) >> dice.integers(0, 63, _RANDOM)
    values = np.concatenate((np.array(near, np.int64), some))
    assert integers_as_text(values, signed=True) == list(map(str, values.tolist()))


def test_unsigned_integers_beyond_63_bits() -> None:
    near = [2**63, 2**64 - 1, 10**19, 10**19 - 1, 18_446_744_073_709_551_615 // 10**8 * 10**8]
    some = np.random.default_rng(9).integers(0, 2**64 - 1, _RANDOM, np.uint64)
    values: npt.NDArray[np.uint64] = np.concatenate((np.array(near, np.uint64), some))
    assert integers_as_text(values.view(np.int64), signed=False) == list(map(str, values.tolist()))


def test_powers_of_ten_are_rounded_up_to_128_bits() -> None:
    for power in range(-292, 325):
        upper, lower = _power(power)
        found = (upper % 2**64) << 64 | lower % 2**64
        ten: int = 10 ** abs(power)
        bits = ten.bit_length()
        over, under = (ten << 128, 1 << bits) if power >= 0 else (1 << (127 + bits), ten)
        assert found == -(-over // under), power


def test_floats_are_widened_exactly() -> None:
    bits = np.random.default_rng(11).integers(0, 2**32, 2_000, np.uint64).astype(np.uint32)
    with np.errstate(invalid="ignore"):  # NaN, which may change its bits
        wanted = bits.view(np.float32).astype(np.float64)
    found = np.array([_widen(int(one)) for one in bits], np.int64).view(np.float64)
    assert np.array_equal(found, wanted, equal_nan=True)
