"""Numbers as decimal text: integers, and doubles in the shortest form that reads as the same one.

- Eight digits are made at once with three multiplications, the way `numbers` reads them (SWAR),
  without a branch per digit: 6 ns for a usual integer.
- Doubles: the algorithm of Giulietti ("The Schubfach way to render doubles", 2020): three 128-bit
  products with the table of powers of five that numbers are read with, one comparison for the
  digits less one, one for all of them. The text is laid out as Python's `repr` lays it out,
  which is what the reference writes. 25 to 45 ns each.
"""

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import (
    below,
    copy32,
    high_product,
    leading_zeros,
    shift_right,
    store8,
    store32,
    store64,
    trailing_zeros,
)
from common.scan.kernel.ascii_codes import (
    EIGHT_ZEROS,
    LOWER_E,
    MINUS,
    PLUS,
    POINT,
    ZERO,
)
from common.scan.kernel.numbers import power_of_ten

TEXT_ROOM = 128  # from where a number is written: its text, and what is overwritten after it
MILLIONTHS_MIN, MILLIONTHS_MAX = 100, 10**15 - 1  # for `write_millionths`: no exponent, 15 digits
_MILLION = 1_000_000
_FRACTION_BITS = 52
_HIDDEN = 1 << _FRACTION_BITS
_BIAS = 1075  # a normal double is its 53-bit integer times 2**(exponent - this)
_DIGITS = 17
_SCRATCH = 64  # after the text: where its digits are made
_FIXED_MIN, _FIXED_MAX = -4, 16  # digits before the point for which no exponent is written
_ZERO_POINT = int.from_bytes(b"0.000000", "little")
_POINT_ZERO = int.from_bytes(b".0  ", "little")
_MAGNITUDE = 2**63 - 1
SMALL_MAX = 100_000_000  # what eight digits can write
# Quotients by products with rounded-up reciprocals: right for all unsigned 64-bit integers.
_PER_TEN = 0xCCCCCCCCCCCCCCCD - 2**64
_PER_EIGHT = 0xABCC77118461CEFD - 2**64


@inlined
def _tenth(number: int) -> int:
    return int(shift_right(high_product(number, _PER_TEN), 3))


@inlined
def _without_eight(number: int) -> int:
    """number // 10**8, as unsigned integers."""
    return int(shift_right(high_product(number, _PER_EIGHT), 26))


@inlined
def _digits_of(number: int) -> int:
    """The eight decimal digits of a number below 10**8, a byte each, the first the lowest."""
    upper = (number * 109951163) >> 40  # number // 10000
    fours = upper | (number - upper * 10000) << 32
    upper = ((fours * 10486) >> 20) & 0x0000007F0000007F
    twos = upper | (fours - upper * 100) << 16
    upper = ((twos * 103) >> 10) & 0x000F000F000F000F
    return int(upper | (twos - upper * 10) << 8)


@inlined
def write_small(out: Bytes, to: int, number: int) -> int:
    """Write a number below SMALL_MAX without leading zeros; returns the position after it.

    Changes up to 7 bytes more.
    """
    digits = _digits_of(number)
    zeros = min(trailing_zeros(digits) >> 3, 7)
    store64(out, to, shift_right(digits | EIGHT_ZEROS, 8 * zeros))
    return int(to + 8 - zeros)


@compiled
def write_unsigned(out: Bytes, to: int, number: int) -> int:
    """Write an unsigned 64-bit integer; returns where it ends. Changes up to 7 bytes more."""
    if 0 <= number < SMALL_MAX:
        return write_small(out, to, number)
    upper = _without_eight(number)
    if upper < SMALL_MAX:
        to = write_small(out, to, upper)
    else:
        first = _without_eight(upper)
        to = write_small(out, to, first)
        store64(out, to, _digits_of(upper - first * SMALL_MAX) | EIGHT_ZEROS)
        to += 8
    store64(out, to, _digits_of(number - upper * SMALL_MAX) | EIGHT_ZEROS)
    return to + 8


@inlined
def write_integer(out: Bytes, to: int, number: int) -> int:
    """Write a signed 64-bit integer; returns the position after it. Changes up to 7 bytes more."""
    if number < 0:
        store8(out, to, MINUS)
        to += 1
        number = -number  # of -2**63 too: the same bits as unsigned
    return write_unsigned(out, to, number)


@inlined
def write_millionths(out: Bytes, to: int, number: int) -> int:
    """Write number / 10**6 as `write_double` would; returns the position after it.

    number: 0, or from MILLIONTHS_MIN to MILLIONTHS_MAX. Of a decimal of at most 15 digits the
    nearest double has no shorter text: two such decimals never have the same double. So no digits
    are searched, a fifth of the time. Changes up to 7 bytes more.
    """
    whole = number // _MILLION
    digits = _digits_of(number - whole * _MILLION)  # two zeros, then six digits
    to = write_integer(out, to, whole)
    store8(out, to, POINT)
    store64(out, to + 1, shift_right(digits | EIGHT_ZEROS, 16))
    return int(to + 7 - min(leading_zeros(digits) >> 3, 5))


@inlined
def _scaled(upper: int, lower: int, number: int) -> int:
    """The product with a 128-bit power of ten less its last 128 bits, odd if those are not 0."""
    more = high_product(lower, number)
    rest = upper * number + more
    found = high_product(upper, number)
    if below(rest, more):
        found += 1
    return int(found | (1 if rest & ~1 != 0 else 0))


@compiled
def shortest(bits: int) -> tuple[int, int]:
    """(digits, power): the decimal of fewest digits that reads as this double, the nearest of them.

    bits: of a finite double above 0. There may be zeros at the end of the digits. The steps are
    those of the paper: the double and the two halves of the ways to its neighbours, four times
    each, become integers by one power of ten; what is between the halves reads as the double.
    """
    exponent = shift_right(bits, _FRACTION_BITS)
    fraction = bits & (_HIDDEN - 1)
    if exponent != 0:
        whole = fraction | _HIDDEN
        binary = exponent - _BIAS
        if -_FRACTION_BITS <= binary <= 0 and whole & ((1 << -binary) - 1) == 0:
            return whole >> -binary, 0
    else:
        whole = fraction
        binary = 1 - _BIAS
    narrow = 1 if fraction == 0 and exponent > 1 else 0  # the neighbour below is half as far away
    power = (binary * 1262611 - narrow * 524031) >> 22  # floor of the logarithm to base ten
    shift = binary + ((-power * 1741647) >> 19) + 1
    upper, lower = power_of_ten(-power)
    least = _scaled(upper, lower, (4 * whole - 2 + narrow) << shift)
    middle = _scaled(upper, lower, (4 * whole) << shift)
    most = _scaled(upper, lower, (4 * whole + 2) << shift)
    if whole & 1:  # ties are read as the even neighbour
        least += 1
        most -= 1
    digits = middle >> 2
    fewer = _tenth(digits)
    if fewer > 0:
        below_inside = least <= 40 * fewer
        above_inside = 40 * fewer + 40 <= most
        if below_inside != above_inside:
            return fewer + (1 if above_inside else 0), power + 1
    below_inside = least <= 4 * digits
    above_inside = 4 * digits + 4 <= most
    if below_inside != above_inside:
        return digits + (1 if above_inside else 0), power
    half = 4 * digits + 2
    up = middle > half or (middle == half and digits & 1 != 0)
    return digits + (1 if up else 0), power


@inlined
def _write_exponent(out: Bytes, to: int, exponent: int) -> int:
    """Write it with its sign and two digits or three; returns the position after it."""
    store8(out, to, LOWER_E)
    store8(out, to + 1, MINUS if exponent < 0 else PLUS)
    to += 2
    digits = _digits_of(abs(exponent)) | EIGHT_ZEROS
    shown = 3 if abs(exponent) >= 100 else 2
    store32(out, to, shift_right(digits, 8 * (8 - shown)))
    return to + shown


@compiled
def write_double(out: Bytes, to: int, bits: int) -> int:
    """Write a finite double as Python's `repr` does; returns the position after it.

    Up to TEXT_ROOM bytes from `to` on are overwritten.
    """
    if bits < 0:
        store8(out, to, MINUS)
        to += 1
        bits = bits & _MAGNITUDE
    if bits == 0:
        store32(out, to, _ZERO_POINT)
        return to + 3
    number, power = shortest(bits)
    # --- all 17 digits, and sixteen zeros after them
    scratch = to + _SCRATCH
    upper = _without_eight(number)
    first = _without_eight(upper)
    middle = _digits_of(upper - first * SMALL_MAX)
    last = _digits_of(number - upper * SMALL_MAX)
    store8(out, scratch, ZERO + first)
    store64(out, scratch + 1, middle | EIGHT_ZEROS)
    store64(out, scratch + 9, last | EIGHT_ZEROS)
    store64(out, scratch + 17, EIGHT_ZEROS)
    store64(out, scratch + 25, EIGHT_ZEROS)
    # --- those that count: without zeros at either end
    leading = 0
    if first == 0:
        leading = 1 + (trailing_zeros(middle) >> 3)
        if middle == 0:
            leading = 9 + (trailing_zeros(last) >> 3)
    trailing = leading_zeros(last) >> 3
    if last == 0:
        trailing = 8 + (leading_zeros(middle) >> 3)
    shown = _DIGITS - leading - trailing
    point = _DIGITS - leading + power  # digits before the point
    digits = scratch + leading
    if _FIXED_MIN < point <= _FIXED_MAX:
        if point <= 0:
            store64(out, to, _ZERO_POINT)
            to += 2 - point
            copy32(out, to, out, digits)
            return int(to + shown)
        copy32(out, to, out, digits)
        if point >= shown:
            store32(out, to + point, _POINT_ZERO)
            return to + point + 2
        store8(out, to + point, POINT)
        copy32(out, to + point + 1, out, digits + point)
        return int(to + shown + 1)
    copy32(out, to, out, digits)
    to += 1
    if shown > 1:
        store8(out, to, POINT)
        copy32(out, to + 1, out, digits + 1)
        to += shown
    return _write_exponent(out, to, point - 1)
