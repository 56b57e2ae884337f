"""Values of a node in SQL: an expression per type, and how they are read as another type.

Integers and doubles are numbers, and equal where they are the same number. JSON is text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from query.expressions.nodes import Value
from query.expressions.sql.builder import (
    FALSE,
    TRUE,
    Builder,
    Sql,
    null_of,
    real_literal,
    text_literal,
    whole_literal,
)
from segment.columns import FieldType

INT, FLOAT, BOOL, STRING = FieldType.INT, FieldType.FLOAT, FieldType.BOOL, FieldType.STRING
KINDS: Final = (INT, FLOAT, BOOL, STRING)
# The same texts as in filters (`query.share.sources.filters.number_of`).
_NUMBER: Final = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_INT64_BOUND: Final = "9223372036854775808.0"
_INT64_END: Final = 2**63
_DOUBLES_END: Final = 2**53
Span = tuple[int, int]
_NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Typed:
    """A value: by type its SQL, NULL where the value has another type or there is none.

    certain: whether each row has one.
    literal: the value, of a literal.
    otherwise: of what is a double: the integer that it is in rows where there is no double.
    span: no integer of it is less than the first or greater than the second; None: not known.
    """

    parts: Mapping[FieldType, Sql]
    certain: bool = False
    literal: object = field(default=_NOTHING)
    otherwise: int | None = None
    span: Span | None = None

    @property
    def is_literal(self) -> bool:
        """Whether it is the same value for each row, and known."""
        return self.literal is not _NOTHING

    @property
    def is_sure(self) -> bool:
        """Whether each row has a value, and all are of one type."""
        return self.certain and len(self.parts) == 1

    @property
    def is_numeric(self) -> bool:
        """Whether it may be a number."""
        return INT in self.parts or FLOAT in self.parts


def typed_literal(value: Value) -> Typed:
    """The value of a literal."""
    if value is None:
        return Typed({}, literal=None)
    if isinstance(value, bool):
        return Typed({BOOL: TRUE if value else FALSE}, True, value)
    if isinstance(value, int):
        return Typed({INT: whole_literal(value)}, True, value, span=(value, value))
    if isinstance(value, float):
        return Typed({FLOAT: real_literal(value)}, True, value)
    return Typed({STRING: text_literal(value)}, True, value)


def condition(sql: Sql) -> Typed:
    """A boolean that is never NULL."""
    return Typed({BOOL: sql}, certain=True)


def bound(b: Builder, value: Typed) -> Typed:
    """The value with its parts as columns, for more than one use."""
    return replace(value, parts={kind: b.bind(one) for kind, one in value.parts.items()})


def absent(b: Builder, value: Typed) -> Sql:
    """Whether the row has no value; never NULL."""
    if value.certain:
        return FALSE
    return b.join(" AND ", [b.sql("{} IS NULL", one) for one in value.parts.values()] or [TRUE])


def present(b: Builder, value: Typed) -> Sql:
    """Whether the row has a value; never NULL."""
    if value.certain:
        return TRUE
    found = [b.sql("{} IS NOT NULL", one) for one in value.parts.values()]
    return b.join(" OR ", found or [FALSE])


def first(b: Builder, parts: Iterable[Sql]) -> Sql:
    """The first of one or more parts that is not NULL."""
    found = list(parts)
    return found[0] if len(found) == 1 else b.call("coalesce", found)


def truth(b: Builder, value: Typed) -> Sql:
    """Whether the value counts as true: true, a number that is not 0, or "true"; never NULL."""
    tests = {BOOL: "{}", INT: "{} <> 0", FLOAT: "{} <> 0", STRING: "{} = 'true'"}
    found = [b.sql(tests[kind], one) for kind, one in value.parts.items()]
    if list(value.parts) == [BOOL]:
        found = [value.parts[BOOL]]
    return first(b, found if value.certain and found else [*found, FALSE])


def parsed(b: Builder, text: Sql) -> Sql:
    """SQL DOUBLE: the finite number that a text denotes, else NULL."""
    if text.text == "NULL":
        return null_of(FLOAT)
    text = b.bind(text)
    number = b.bind(
        b.sql("CASE WHEN regexp_full_match({}, '" + _braced(_NUMBER) + "')"
              " THEN TRY_CAST({} AS DOUBLE) END", text, text)
    )  # fmt: skip
    return b.sql("CASE WHEN isfinite({}) THEN {} END", number, number)


def reals(b: Builder, value: Typed) -> list[Sql]:
    """SQL DOUBLE of what is a double, or a text that denotes a number; each NULL elsewhere."""
    found = [value.parts[FLOAT]] if FLOAT in value.parts else []
    if STRING in value.parts:
        found.append(parsed(b, value.parts[STRING]))
    return found


def number_text(b: Builder, kind: FieldType, number: Sql) -> Sql:
    """A number as text, as a field's: whole doubles like integers."""
    if kind is INT:
        return b.sql("{}::VARCHAR", number)
    number = b.bind(number)
    fits = f"{{}} >= -{_INT64_BOUND} AND {{}} < {_INT64_BOUND}"
    return b.sql(
        f"CASE WHEN {{}} = trunc({{}}) AND {fits}"
        " THEN TRY_CAST({} AS BIGINT)::VARCHAR ELSE {}::VARCHAR END",
        *[number] * 6,
    )


def text(b: Builder, value: Typed) -> Sql:
    """SQL VARCHAR: the value as text, NULL where there is none."""
    found = [value.parts[STRING]] if STRING in value.parts else []
    found += [number_text(b, k, value.parts[k]) for k in (INT, FLOAT) if k in value.parts]
    if BOOL in value.parts:
        found.append(b.sql("{}::VARCHAR", value.parts[BOOL]))
    return first(b, found) if found else null_of(STRING)


def chosen(b: Builder, whens: list[tuple[Sql, Typed]], otherwise: Typed) -> Typed:
    """The value of the first condition that holds. The conditions are never NULL."""
    kinds = [
        kind for kind in KINDS if any(kind in value.parts for _, value in [*whens, (0, otherwise)])
    ]
    if len(kinds) > 1:
        whens = [(b.bind(test), value) for test, value in whens]
    parts: dict[FieldType, Sql] = {}
    for kind in kinds:
        tests: list[Sql] = []
        template = "CASE"
        for test, value in whens:
            template += " WHEN {} THEN {}"
            tests += [test, value.parts.get(kind, null_of(kind))]
        if kind in otherwise.parts:
            template += " ELSE {}"
            tests.append(otherwise.parts[kind])
        parts[kind] = b.sql(template + " END", *tests)
    every = [*(value for _, value in whens), otherwise]
    certain = all(value.certain for value in every)
    return Typed(parts, certain, span=span_of(value for value in every if INT in value.parts))


def span_of(values: Iterable[Typed]) -> Span | None:
    """What holds the integers of all of these values; None: not known, or there are none."""
    spans = [value.span for value in values]
    known = [span for span in spans if span is not None]
    if not known or len(known) < len(spans):
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def are_doubles(span: Span) -> bool:
    """Whether each integer of it is a double, too."""
    return span[0] >= -_DOUBLES_END and span[1] <= _DOUBLES_END


def in_64_bits(span: Span) -> bool:
    """Whether BIGINT has room for all of it."""
    return span[0] >= -_INT64_END and span[1] < _INT64_END


def _braced(pattern: str) -> str:
    return pattern.replace("{", "{{").replace("}", "}}")
