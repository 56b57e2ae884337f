"""Numbers with a unit, converted to the unit in the name of the field.

`duration_ms > 1s` is 1000, because the name has the unit milliseconds; `duration > 1s` is refused,
because the unit of the stored values is not known. A multiplier alone (10k) fits any field.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(%|[A-Za-zµμ]{1,7})", re.ASCII)
_DIGITS_MAX: Final = 40

_TIME_NS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "sec": 10**9,
    "secs": 10**9,
    "second": 10**9,
    "seconds": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "mins": 60 * 10**9,
    "minutes": 60 * 10**9,
    "h": 3600 * 10**9,
    "hr": 3600 * 10**9,
    "hours": 3600 * 10**9,
    "d": 86400 * 10**9,
    "minute": 60 * 10**9,
    "hour": 3600 * 10**9,
    "day": 86400 * 10**9,
    "days": 86400 * 10**9,
}
_BYTES: Final = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
    "byte": 1,
    "bytes": 1,
}
_TIMES: Final = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
# Last words of field names that are units of time
_FIELD_TIME: Final = {
    "ns": 1,
    "nano": 1,
    "nanos": 1,
    "nanoseconds": 1,
    "nsec": 1,
    "us": 10**3,
    "usec": 10**3,
    "micros": 10**3,
    "microseconds": 10**3,
    "ms": 10**6,
    "msec": 10**6,
    "millis": 10**6,
    "milliseconds": 10**6,
    "s": 10**9,
    "sec": 10**9,
    "secs": 10**9,
    "seconds": 10**9,
    "min": 60 * 10**9,
    "mins": 60 * 10**9,
    "minutes": 60 * 10**9,
    "hours": 3600 * 10**9,
    "days": 86400 * 10**9,
}
_FIELD_BYTES: Final = {
    "bytes": 1,
    "byte": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_FIELD_PERCENT: Final = ("pct", "percent", "percentage")
_FIELD_RATIO: Final = ("ratio", "fraction")
_NUMBERS: Final = (*_FIELD_TIME, *_FIELD_BYTES, *_FIELD_PERCENT, *_FIELD_RATIO, "count", "total")
_LAST_WORD = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)$", re.ASCII)


class UnclearUnit(ValueError):
    """The unit of a number does not fit the unit of the field. hint: what to write instead."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit. text: as it was written."""

    text: str
    amount: Decimal
    unit: str


def read_quantity(text: str) -> Quantity | None:
    """The number and unit of a bare word; None if it has no number or no known unit."""
    found = _QUANTITY.fullmatch(text)
    if found is None or len(found[1]) > _DIGITS_MAX:
        return None
    unit = found[2]
    known = unit == "%" or unit in _TIMES or unit in _TIME_NS or unit.lower() in _BYTES
    try:
        return Quantity(text, Decimal(found[1]), unit) if known else None
    except InvalidOperation:
        return None


def convert(quantity: Quantity, field: str, *, ordered: bool) -> int | float:
    """The quantity as a number in the unit of the field.

    ordered: whether it is compared by < or >, and so is a number; with = it may be a text.
    Raises UnclearUnit.
    """
    factor = _factor(quantity, field)
    if not ordered and quantity.unit in _TIMES and _last_word(field) not in _NUMBERS:
        number = quantity.amount * factor[0]
        raise UnclearUnit(
            f"{quantity.text} may be a number or a text", f'write {number:f} or "{quantity.text}"'
        )
    number = quantity.amount * factor[0] / factor[1]
    return int(number) if number == int(number) else float(number)


def _factor(quantity: Quantity, field: str) -> tuple[int, int]:
    """(factor to multiply by, factor to divide by)."""
    unit, last = quantity.unit, _last_word(field)
    if unit == "%":
        if last in _FIELD_PERCENT:
            return 1, 1
        if last in _FIELD_RATIO:
            return 1, 100
        raise UnclearUnit(
            f"{quantity.text}: `{field}` does not tell whether it is in percent",
            f"write {quantity.amount} if it is, or {quantity.amount / 100} if it is a part of 1",
        )
    if unit in _TIMES:
        if unit == "M" and last in _FIELD_TIME:
            raise UnclearUnit(f"{quantity.text} may mean minutes or millions", _number_hint(field))
        return _TIMES[unit], 1
    of_time, of_bytes = _TIME_NS.get(unit), _BYTES.get(unit.lower())
    if of_time is not None:
        if last in _FIELD_TIME:
            return of_time, _FIELD_TIME[last]
        raise UnclearUnit(
            f"{quantity.text}: `{field}` does not tell in which unit of time it is",
            _number_hint(field),
        )
    assert of_bytes is not None
    if last in _FIELD_BYTES:
        return of_bytes, _FIELD_BYTES[last]
    raise UnclearUnit(
        f"{quantity.text}: `{field}` does not tell that it is in bytes",
        f"write the number of bytes: {quantity.amount * of_bytes:f}",
    )


def _number_hint(field: str) -> str:
    return f"write the number as it is stored in `{field}`, or the text in quotes"


def _last_word(field: str) -> str:
    """`ms` of duration_ms, http.duration.ms and durationMs."""
    found = _LAST_WORD.search(field)
    return found[1].lower() if found else ""
