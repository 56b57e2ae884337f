"""EQUALS, LT and its kind, IN, SWITCH's cases, MIN and MAX.

A comparison of values of different types is false, and so is an order where one is absent; two
absent values are equal. Integers and doubles are compared exactly.
"""

from collections.abc import Sequence
from typing import Final

from query.expressions.sql.builder import FALSE, Builder, Sql, real_literal, whole_literal
from query.expressions.sql.values import (
    BOOL,
    FLOAT,
    INT,
    STRING,
    Span,
    Typed,
    absent,
    are_doubles,
    bound,
    chosen,
    condition,
    first,
    present,
    span_of,
)
from segment.columns import FieldType

_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_INT64_BOUND: Final = 2**63


def equal(b: Builder, left: Typed, right: Typed) -> Sql:
    """Whether both are the same value, or both absent; never NULL."""
    found = _number_tests(b, "=", left, right)
    for kind in (STRING, BOOL):
        if kind in left.parts and kind in right.parts:
            found.append(b.sql("{} = {}", left.parts[kind], right.parts[kind]))
    if left.certain or right.certain:
        return _never_null(b, found, left, right)
    neither = b.join(" AND ", [absent(b, left), absent(b, right)])
    return first(b, [*found, neither])


def ordered(b: Builder, op: str, left: Typed, right: Typed) -> Sql:
    """Whether two numbers, or two strings, are in this order; never NULL."""
    found = _number_tests(b, op, left, right)
    if STRING in left.parts and STRING in right.parts:
        found.append(b.sql(f"{{}} {op} {{}}", left.parts[STRING], right.parts[STRING]))
    return _never_null(b, found, left, right)


def _never_null(b: Builder, tests: Sequence[Sql], left: Typed, right: Typed) -> Sql:
    """The test that is not NULL, FALSE where all are."""
    if len(tests) == 1 and left.is_sure and right.is_sure:
        return tests[0]
    return first(b, [*tests, FALSE])


def one_of(b: Builder, args: Sequence[Typed]) -> Typed:
    """IN: whether the first value equals one of the others."""
    value = bound(b, args[0]) if len(args) > 2 else args[0]
    found: list[Sql] = []
    texts = [one.parts[STRING] for one in args[1:] if one.is_literal and STRING in one.parts]
    if STRING in value.parts and texts:  # in one step
        listed = ", ".join(["{}"] * len(texts))
        test = b.sql(f"{{}} IN ({listed})", value.parts[STRING], *texts)
        found.append(test if value.is_sure else first(b, [test, FALSE]))
    for one in args[1:]:
        if not (one.is_literal and STRING in one.parts):
            found.append(equal(b, value, one))
    return condition(b.join(" OR ", found or [FALSE]))


def switch(b: Builder, args: Sequence[Typed]) -> Typed:
    """SWITCH: the result of the first case that equals the value."""
    value = bound(b, args[0])
    pairs = args[1:]
    whens = [(equal(b, value, pairs[at]), pairs[at + 1]) for at in range(0, len(pairs) - 1, 2)]
    return chosen(b, whens, pairs[-1] if len(pairs) % 2 else Typed({}))


def extreme(b: Builder, args: Sequence[Typed], *, least: bool) -> Typed:
    """MIN and MAX: of the values of the type that the first value has, numbers being one type."""
    groups = {INT: 0, FLOAT: 0, BOOL: 1, STRING: 2}
    args = [bound(b, one) for one in args if one.parts]
    kinds = [kind for kind in groups if any(kind in one.parts for one in args)]
    # not only cheaper: DuckDB 2.0 fails on some tests of constants alone
    if args and args[0].certain and len({groups[kind] for kind in args[0].parts}) == 1:
        first_group = {groups[kind] for kind in args[0].parts}
        kinds = [kind for kind in kinds if groups[kind] in first_group]
    name = "least" if least else "greatest"
    parts = {}
    for kind in kinds:
        some = list(dict.fromkeys(one.parts[kind] for one in args if kind in one.parts))
        parts[kind] = some[0] if len(some) == 1 else b.call(name, some)
    span = span_of(one for one in args if INT in one.parts)
    otherwise = None
    if INT in parts and FLOAT in parts:
        sure = all(one.is_sure for one in args)
        if sure and kinds == [INT, FLOAT] and span is not None and span[0] == span[1]:
            otherwise = span[0]
        parts |= _of_both(b, parts[INT], parts[FLOAT], span, least=least, sure=sure)
    if len({groups[kind] for kind in kinds}) > 1:
        which = b.bind(_first_group(b, args, groups))
        parts = {
            kind: b.sql(f"CASE WHEN {{}} = {groups[kind]:d} THEN {{}} END", which, one)
            for kind, one in parts.items()
        }
    return Typed(parts, any(one.certain for one in args), otherwise=otherwise, span=span)


def _of_both(
    b: Builder, whole: Sql, real: Sql, span: Span | None, *, least: bool, sure: bool
) -> dict[FieldType, Sql]:
    """The smaller or larger one of an integer and a double; equal ones are the integer.

    span: of the integers. sure: whether there are both in each row.
    """
    whole, real = b.bind(whole), b.bind(real)
    test = _mixed(b, ">" if least else "<", whole, real, span)
    if not sure:
        test = b.sql("coalesce({}, {} IS NOT NULL AND {} IS NULL)", test, real, whole)
    better = b.bind(test)
    return {
        INT: b.sql("CASE WHEN NOT {} THEN {} END", better, whole),
        FLOAT: b.sql("CASE WHEN {} THEN {} END", better, real),
    }


def _first_group(b: Builder, args: Sequence[Typed], groups: dict[FieldType, int]) -> Sql:
    """The group of types of the first value."""
    template, tests = "CASE", list[Sql]()
    for value in args:
        for group in sorted({groups[kind] for kind in value.parts}):
            held = {kind: one for kind, one in value.parts.items() if groups[kind] == group}
            template += f" WHEN {{}} THEN {group:d}"
            tests.append(present(b, Typed(held, value.certain and len(held) == len(value.parts))))
    return b.sql(template + " END", *tests)


def _number_tests(b: Builder, op: str, left: Typed, right: Typed) -> list[Sql]:
    """A test for each pair of types of numbers, NULL where the values are of others."""
    if _is_number(right) and not _is_number(left):
        return _number_tests(b, _FLIPPED[op], right, left)
    found = []
    for kind in (INT, FLOAT):
        if kind in right.parts:
            found += _tests_of(b, op, left, kind, right)
    return found


def _tests_of(b: Builder, op: str, left: Typed, kind: FieldType, value: Typed) -> list[Sql]:
    """The tests of numbers of one type. A literal is compared as that type, if that is exact."""
    number, right = left.literal, value.parts[kind]
    if isinstance(number, int | float) and _is_number(left):
        is_whole = number == number // 1
        if kind is INT and is_whole and -_INT64_BOUND <= number < _INT64_BOUND:
            return [b.sql(f"{whole_literal(int(number))} {op} {{}}", right)]
        if kind is FLOAT and float(number) == number:
            return [b.sql(f"{real_literal(float(number))} {op} {{}}", right)]
        if kind is INT and not is_whole:  # no double that is an integer is between them
            return [b.sql(f"{real_literal(float(number))} {op} {{}}::DOUBLE", right)]
    found = []
    if kind in left.parts:
        found.append(b.sql(f"{{}} {op} {{}}", left.parts[kind], right))
    if kind is FLOAT and INT in left.parts:
        found.append(_mixed(b, op, left.parts[INT], right, left.span))
    if kind is INT and FLOAT in left.parts:
        found.append(_mixed(b, _FLIPPED[op], right, left.parts[FLOAT], value.span))
    return found


def _is_number(value: Typed) -> bool:
    """Whether it is a literal number."""
    return isinstance(value.literal, int | float) and not isinstance(value.literal, bool)


def _mixed(b: Builder, op: str, whole: Sql, real: Sql, span: Span | None) -> Sql:
    """A comparison of an integer with a double: exact also where no double is the integer.

    span: of the integers.
    """
    if span is not None and are_doubles(span):
        return b.sql(f"{{}}::DOUBLE {op} {{}}", whole, real)
    whole, real = b.bind(whole), b.bind(real)
    beyond = "TRUE" if op in ("<", "<=") else "FALSE"  # the double is 2^63
    return b.sql(
        f"CASE WHEN {{}}::DOUBLE = {{}} THEN coalesce({{}} {op} TRY_CAST({{}} AS BIGINT), {beyond})"
        f" ELSE {{}}::DOUBLE {op} {{}} END",
        *(whole, real) * 3,
    )
