"""Functions of strings and regular expressions. What is no string has no prefix, no match and no
length.
"""

from collections.abc import Sequence
from typing import Final

from common import limits
from query.expressions.sql.builder import FALSE, Builder, Sql, null_of, text_literal, whole_literal
from query.expressions.sql.values import (
    INT,
    STRING,
    Typed,
    condition,
    first,
    text,
    typed_literal,
)
from query.patterns import has_groups

_LENGTH_MAX: Final = 2**32  # no text is longer
_TESTS: Final = {"STARTS_WITH": "starts_with", "ENDS_WITH": "suffix", "CONTAINS": "contains"}


def concatenated(b: Builder, args: Sequence[Typed]) -> Typed:
    """CONCAT: of the texts of all values that there are."""
    return Typed({STRING: b.call("concat", [_short(b, one) for one in args])}, certain=True)


def _short(b: Builder, value: Typed) -> Sql:
    """A text no longer than a field's can be, so that texts do not grow with each use."""
    found = text(b, value)
    is_stored = found.nest == 0 and found.layer == 0
    return found if is_stored else b.sql(f"left({{}}, {limits.STRING_BYTES_MAX:d})", found)


def as_text(b: Builder, value: Typed) -> Typed:
    """STRING: empty where there is no value."""
    found = text(b, value)
    sure = value.certain and bool(value.parts)
    return Typed({STRING: found if sure else first(b, [found, text_literal("")])}, certain=True)


def tested(b: Builder, function: str, value: Typed, part: Typed) -> Typed:
    """STARTS_WITH, ENDS_WITH, CONTAINS: false unless both are strings."""
    if STRING not in value.parts or STRING not in part.parts:
        return condition(FALSE)
    found = b.call(_TESTS[function], [value.parts[STRING], part.parts[STRING]])
    sure = value.is_sure and part.is_sure
    return condition(found if sure else first(b, [found, FALSE]))


def lower(b: Builder, value: Typed) -> Typed:
    """TO_LOWER: absent unless it is a string."""
    if STRING not in value.parts:
        return typed_literal(None)
    return Typed({STRING: b.call("lower", [value.parts[STRING]])}, value.is_sure)


def length(b: Builder, args: Sequence[Typed]) -> Typed:
    """LENGTH: in characters, or bytes of UTF-8; absent unless it is a string."""
    value = args[0]
    if STRING not in value.parts:
        return typed_literal(None)
    in_bytes = len(args) > 1 and args[1].literal == "bytes"
    function = "strlen" if in_bytes else "length"
    found = b.sql(f"{function}({{}})::BIGINT", value.parts[STRING])
    return Typed({INT: found}, value.is_sure, span=(0, _LENGTH_MAX))


def matched(b: Builder, value: Typed, pattern: Typed) -> Typed:
    """REG_MATCH: whether the pattern matches somewhere in the string."""
    if STRING not in value.parts:
        return condition(FALSE)
    found = b.call("regexp_matches", [value.parts[STRING], pattern.parts[STRING]])
    return condition(found if value.is_sure else first(b, [found, FALSE]))


def extracted(b: Builder, value: Typed, pattern: Typed) -> Typed:
    """REG_VALUE: the first group of the first match, or the match of a pattern without groups."""
    if STRING not in value.parts:
        return typed_literal(None)
    held, expression = b.bind(value.parts[STRING]), pattern.parts[STRING]
    group = whole_literal(int(has_groups(str(pattern.literal))))
    return Typed({
        STRING: b.sql(
            "CASE WHEN regexp_matches({}, {}) THEN regexp_extract({}, {}, {}::INTEGER) END",
            held, expression, held, expression, group,
        )
    })  # fmt: skip


def counted(b: Builder, value: Typed, pattern: Typed) -> Typed:
    """REG_COUNT: matches that do not overlap; 0 unless it is a string."""
    if STRING not in value.parts:
        return typed_literal(0)
    found = b.sql(
        "len(regexp_extract_all({}, {}))::BIGINT", value.parts[STRING], pattern.parts[STRING]
    )
    return Typed({INT: first(b, [found, whole_literal(0)])}, certain=True)


def hashed(b: Builder, value: Typed) -> Typed:
    """METRO_HASH: an integer of 0 or more that follows from the value's text alone."""
    if not value.parts:
        return Typed({INT: null_of(INT)})
    found = b.sql("(md5_number_lower({}) >> 1)::BIGINT", text(b, value))
    return Typed({INT: found}, value.certain)
