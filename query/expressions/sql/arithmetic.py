"""SUM, SUB, MUL, DIV, MOD, LOG10, BUCKET and the casts to numbers.

Numbers are read out of strings; what is no number counts as 0. A result is an integer where every
argument is, unless it does not fit 64 bits: it is a double then.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Final

from query.expressions.sql.builder import Builder, Sql, null_of, real_literal, whole_literal
from query.expressions.sql.values import (
    BOOL,
    FLOAT,
    INT,
    STRING,
    Span,
    Typed,
    are_doubles,
    bound,
    first,
    in_64_bits,
    number_text,
    reals,
)

_OPERATORS: Final = {"SUM": "+", "SUB": "-", "MUL": "*"}
_ZERO: Final = whole_literal(0)
_REAL_ZERO: Final = real_literal(0.0)


def combined(b: Builder, function: str, args: Sequence[Typed]) -> Typed:
    """SUM, SUB or MUL."""
    op = f" {_OPERATORS[function]} "
    args = [_number_literal(one) for one in args]
    if any(FLOAT in one.parts and one.certain and len(one.parts) == 1 for one in args):
        return Typed({FLOAT: b.join(op, [_as_real(b, one) for one in args])}, certain=True)
    made = _of_bounded(b, op, args) or _of_doubles(b, op, args)
    if made is not None:
        return made
    args = [bound(b, one) for one in args]
    is_real = _is_real(b, args)
    whole = _whole_result(b, op, args)
    if not is_real:
        if whole.nest == 0:
            return Typed({INT: whole}, certain=True)
        whole = b.bind(whole)
        real = b.join(op, [_as_real(b, one) for one in args])
        beyond = b.sql("CASE WHEN {} IS NULL THEN {} END", whole, real)
        return Typed({INT: whole, FLOAT: beyond}, certain=True)
    any_real = b.join(" OR ", [b.sql("{} IS NOT NULL", one) for one in is_real])
    whole = b.bind(b.sql("CASE WHEN {} THEN NULL ELSE {} END", any_real, whole))
    real = b.join(op, [_as_real(b, one) for one in args])
    real = b.sql("CASE WHEN {} IS NULL THEN {} END", whole, real)
    return Typed({INT: whole, FLOAT: real}, certain=True)


def _of_bounded(b: Builder, op: str, args: Sequence[Typed]) -> Typed | None:
    """The result where each argument is an integer, or counts as 0, and no step of the computation
    is beyond 64 bits; None: that is not known.
    """
    spans = [_span_of_whole(one) for one in args]
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    span = known[0]
    for one in known[1:]:
        span = _SPANS[op.strip()](span, one)
        if not in_64_bits(span):
            return None
    if span[0] == span[1]:
        return Typed({INT: whole_literal(span[0])}, certain=True, span=span)
    whole = b.join(op, [_as_whole(b, one) for one in args])
    return Typed({INT: whole}, certain=True, span=span)


def _span_of_whole(value: Typed) -> Span | None:
    """What holds the integers that a value counts as; None: not known, or it may be a double."""
    if FLOAT in value.parts or STRING in value.parts:
        return None
    if INT not in value.parts:
        return 0, 0
    if value.span is None or value.is_sure:
        return value.span
    return min(value.span[0], 0), max(value.span[1], 0)


def _span_of_products(one: Span, two: Span) -> Span:
    ends = [a * c for a in one for c in two]
    return min(ends), max(ends)


_SPANS: Final[Mapping[str, Callable[[Span, Span], Span]]] = {
    "+": lambda one, two: (one[0] + two[0], one[1] + two[1]),
    "-": lambda one, two: (one[0] - two[1], one[1] - two[0]),
    "*": _span_of_products,
}


def _of_doubles(b: Builder, op: str, args: Sequence[Typed]) -> Typed | None:
    """The result where each argument is a literal integer, or else a double or a known integer in
    its place: the integers need not be computed. None: some are others, or the result is too large.
    """
    wholes: list[int] = []
    for one in args:
        whole = _known_whole(one)
        if whole is None:
            return None
        wholes.append(whole)
    result = reduce(_PYTHON[op.strip()], wholes)
    doubles = sum(FLOAT in one.parts for one in args)
    if not doubles or not -(2**63) <= result < 2**63:
        return None
    several = doubles > 1
    args = [bound(b, one) for one in args] if several else args
    reals = [
        one.parts[FLOAT] if FLOAT in one.parts and not several else _as_real(b, one)
        for one in args
    ]  # fmt: skip
    real = b.join(op, reals)
    if several:
        held = [b.sql("{} IS NOT NULL", one.parts[FLOAT]) for one in args if FLOAT in one.parts]
        real = b.sql("CASE WHEN {} THEN {} END", b.join(" OR ", held), real)
    real = b.bind(real)
    missing = b.sql("CASE WHEN {} IS NULL THEN {} END", real, whole_literal(result))
    return Typed({INT: missing, FLOAT: real}, certain=True, otherwise=result)


def _known_whole(value: Typed) -> int | None:
    """The integer that an argument is in rows where it is no double; None: it may be any."""
    if value.otherwise is not None:
        return value.otherwise
    if set(value.parts) == {FLOAT}:
        return None if value.certain else 0
    if not value.parts:
        return 0
    is_whole = isinstance(value.literal, int) and not isinstance(value.literal, bool)
    return value.literal if is_whole and isinstance(value.literal, int) else None


def divided(b: Builder, left: Typed, right: Typed) -> Typed:
    """DIV: always a double; absent where the right one is 0."""
    left, right = _number_literal(left), _number_literal(right)
    by = _as_real(b, right)
    by = by if _is_not_zero(right) else b.sql(f"nullif({{}}, {_REAL_ZERO})", by)
    return Typed({FLOAT: b.sql("{} / {}", _as_real(b, left), by)}, _is_not_zero(right))


def remainder(b: Builder, left: Typed, right: Typed) -> Typed:
    """MOD: with the sign of the left one; absent where the right one is 0."""
    args = [_number_literal(one) for one in (left, right)]
    made = _by_literal(b, *args)
    if made is not None:
        return made
    args = [bound(b, one) for one in args]
    is_real = _is_real(b, args)
    over, by = (_as_whole(b, one) for one in args)
    over, by = b.bind(over), b.bind(by)
    # the remainder by -1 is 0, but of the least integer DuckDB cannot compute it
    whole = b.sql("CASE WHEN {} = -1 THEN 0 ELSE {} % nullif({}, 0) END", by, over, by)
    if not is_real:
        return Typed({INT: whole})
    over, by = (_as_real(b, one) for one in args)
    real = b.sql(f"({{}} % nullif({{}}, {_REAL_ZERO}))", over, by)
    always = any(FLOAT in one.parts and one.certain and len(one.parts) == 1 for one in args)
    if always:
        return Typed({FLOAT: real})
    any_real = b.bind(b.join(" OR ", [b.sql("{} IS NOT NULL", one) for one in is_real]))
    return Typed({
        INT: b.sql("CASE WHEN NOT {} THEN {} END", any_real, whole),
        FLOAT: b.sql("CASE WHEN {} THEN {} END", any_real, real),
    })  # fmt: skip


def _by_literal(b: Builder, left: Typed, right: Typed) -> Typed | None:
    """The remainder by a literal that is not 0, of what is surely an integer, or a double; None:
    it is another one.
    """
    if not _is_not_zero(right):
        return None
    if FLOAT in right.parts or (left.is_sure and FLOAT in left.parts):
        if STRING in left.parts:
            return None
        return Typed({FLOAT: b.sql("{} % {}", _as_real(b, left), _as_real(b, right))}, certain=True)
    if FLOAT in left.parts or STRING in left.parts:
        return None
    by = right.literal
    assert isinstance(by, int)
    if by == -1:  # of the least integer DuckDB cannot compute it
        return Typed({INT: _ZERO}, certain=True, span=(0, 0))
    most, of = abs(by) - 1, _span_of_whole(left) or (-1, 1)
    span = (-most if of[0] < 0 else 0, most if of[1] > 0 else 0)
    whole = b.sql("{} % {}", _as_whole(b, left), whole_literal(by))
    return Typed({INT: whole}, certain=True, span=span)


def _is_not_zero(value: Typed) -> bool:
    """Whether it is a literal number other than 0."""
    return isinstance(value.literal, int | float) and value.literal != 0


def logarithm(b: Builder, value: Typed) -> Typed:
    """LOG10: absent unless the number is more than 0."""
    number = b.bind(_as_real(b, _number_literal(value)))
    return Typed({FLOAT: b.sql("CASE WHEN {} > 0 THEN log10({}) END", number, number)})


def as_whole(b: Builder, value: Typed) -> Typed:
    """INT: through a double; what is no number is 0, what does not fit 64 bits is absent."""
    if value.span is not None and value.is_sure and are_doubles(value.span):
        return value
    value = bound(b, value)
    numbers = reals(b, value)
    if INT in value.parts:
        numbers.append(b.sql("{}::DOUBLE", value.parts[INT]))
    others = b.sql("coalesce({}::BIGINT, 0)", value.parts[BOOL]) if BOOL in value.parts else _ZERO
    if not numbers:
        return Typed({INT: others}, certain=True)
    number = b.bind(first(b, numbers))
    whole = b.sql("TRY_CAST(trunc({}) AS BIGINT)", number)
    if value.certain and STRING not in value.parts and BOOL not in value.parts:
        return Typed({INT: whole})
    return Typed({INT: b.sql("CASE WHEN {} IS NULL THEN {} ELSE {} END", number, others, whole)})


def as_real(b: Builder, value: Typed) -> Typed:
    """FLOAT: what is no number is 0."""
    value = bound(b, value)
    numbers = reals(b, value)
    numbers += [b.sql("{}::DOUBLE", value.parts[k]) for k in (INT, BOOL) if k in value.parts]
    if not (numbers and value.certain and STRING not in value.parts):
        numbers.append(_REAL_ZERO)
    return Typed({FLOAT: first(b, numbers)}, certain=True)


def bucket(b: Builder, args: Sequence[Typed]) -> Typed:
    """BUCKET: `10 - 20`, a value at an edge in the lower one; `< 0` and `> 30` beyond the ends."""
    value, (size, *ends) = args[0], [_float_of(one) for one in args[1:]]
    held = [value.parts[FLOAT]] if FLOAT in value.parts else []
    held += [b.sql("{}::DOUBLE", value.parts[INT])] if INT in value.parts else []
    if not held:
        return Typed({STRING: null_of(STRING)})
    number = b.bind(first(b, held))
    least = ends[0] if ends else 0.0
    steps = b.bind(
        b.sql(f"ceil(({{}} - {real_literal(least)}) / {real_literal(size)}) - 1", number)
    )
    if ends:
        steps = b.bind(b.sql(f"greatest({{}}, {_REAL_ZERO})", steps))
    low = b.sql(f"({real_literal(least)} + {{}} * {real_literal(size)})", steps)
    high = b.sql(f"({real_literal(least)} + ({{}} + 1) * {real_literal(size)})", steps)
    if len(ends) == 2:
        high = b.sql(f"least({{}}, {real_literal(ends[1])})", high)
    inside = b.sql("concat({}, ' - ', {})", number_text(b, FLOAT, low), number_text(b, FLOAT, high))
    template, parts = "CASE WHEN {} IS NULL OR isnan({}) THEN NULL", [number, number]
    if ends:
        template += f" WHEN {{}} < {real_literal(least)} THEN concat('< ', {{}})"
        parts += [number, number_text(b, FLOAT, real_literal(least))]
    if len(ends) == 2:
        template += f" WHEN {{}} > {real_literal(ends[1])} THEN concat('> ', {{}})"
        parts += [number, number_text(b, FLOAT, real_literal(ends[1]))]
    template += " WHEN isfinite({}) THEN {} END"
    return Typed({STRING: b.sql(template, *parts, steps, inside)})


def _number_literal(value: Typed) -> Typed:
    """A literal as the number that it counts as."""
    if not value.is_literal or value.is_numeric:
        return value
    return Typed({INT: _ZERO}, True, 0) if STRING not in value.parts else value


def _is_real(b: Builder, args: Sequence[Typed]) -> list[Sql]:
    """SQL DOUBLE that are not NULL where an argument is a double, or a text that denotes one."""
    return [b.bind(first(b, found)) for one in args if (found := reals(b, one))]


def _whole_result(b: Builder, op: str, args: Sequence[Typed]) -> Sql:
    """The result of the arguments as integers; NULL if it does not fit 64 bits."""
    if all(one.is_literal or INT not in one.parts for one in args):
        literals = [one.literal if INT in one.parts else 0 for one in args]
        values = [one for one in literals if isinstance(one, int)]
        made = reduce(_PYTHON[op.strip()], values)
        if -(2**63) <= made < 2**63:
            return whole_literal(made)
        return Sql(null_of(INT).text, nest=1)
    if len(args) == 1:
        return _as_whole(b, args[0])
    return b.sql("TRY({})", b.join(op, [_as_whole(b, one) for one in args]))


_PYTHON: Final[Mapping[str, Callable[[int, int], int]]] = {
    "+": lambda a, c: a + c,
    "-": lambda a, c: a - c,
    "*": lambda a, c: a * c,
}


def _as_whole(b: Builder, value: Typed) -> Sql:
    """SQL BIGINT: the integer, 0 where there is none."""
    if INT not in value.parts:
        return _ZERO
    if value.certain and len(value.parts) == 1:
        return value.parts[INT]
    return b.sql("coalesce({}, 0)", value.parts[INT])


def _as_real(b: Builder, value: Typed) -> Sql:
    """SQL DOUBLE: the number, 0 where there is none."""
    if value.otherwise is not None:
        return b.call("coalesce", [value.parts[FLOAT], real_literal(float(value.otherwise))])
    if value.is_literal and isinstance(value.literal, int | float):
        return real_literal(float(value.literal))
    numbers = reals(b, value)
    if INT in value.parts:
        numbers.append(b.sql("{}::DOUBLE", value.parts[INT]))
    is_sure = value.certain and STRING not in value.parts and BOOL not in value.parts
    if not numbers:
        return _REAL_ZERO
    if is_sure:
        return first(b, numbers)
    return first(b, [*numbers, _REAL_ZERO])


def _float_of(value: Typed) -> float:
    assert isinstance(value.literal, int | float)
    return float(value.literal)
