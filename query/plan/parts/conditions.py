"""Conditions of a plan: the vendor's operators, expressions, searches, groups of them."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

Scalar = int | float | bool | str
GroupKey = tuple[Scalar | None, ...]  # a value per breakdown; None: the field is missing


class FilterOp(StrEnum):
    """The vendor's filter operators, regular expressions, and groups of filters."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    STARTS = "starts-with"
    NOT_STARTS = "does-not-start-with"
    ENDS = "ends-with"
    NOT_ENDS = "does-not-end-with"
    EXISTS = "exists"
    NOT_EXISTS = "does-not-exist"
    CONTAINS = "contains"
    NOT_CONTAINS = "does-not-contain"
    IN = "in"
    NOT_IN = "not-in"
    MATCHES = "matches"  # a regular expression (RE2) somewhere in the text
    NOT_MATCHES = "does-not-match"
    SEARCH = "search"  # any text of the event holds it; without a field
    ALL_OF = "all-of"  # groups: every filter inside, at least one, or none of them
    ANY_OF = "any-of"
    NONE_OF = "none-of"


GROUP_OPS = (FilterOp.ALL_OF, FilterOp.ANY_OF, FilterOp.NONE_OF)


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition, or a group of conditions.

    field: empty for a search and for a group.
    values: one value; several for in and not-in; empty for exists and for a group.
    inside: the filters of a group.

    A group is recognized by its operator, so that also a program that ignores unknown fields
    refuses a plan with one.
    """

    field: str
    op: FilterOp
    values: tuple[Scalar, ...] = ()
    inside: tuple["Filter", ...] = ()


def filter_fields(filters: Iterable[Filter]) -> set[str]:
    """Every field that the filters name, those inside groups included."""
    named: set[str] = set()
    for one in filters:
        if one.op in GROUP_OPS:
            named |= filter_fields(one.inside)
        elif one.op is not FilterOp.SEARCH:
            named.add(one.field)
    return named


def searched_texts(filters: Iterable[Filter]) -> Iterator[str]:
    """The text of every search among the filters, those inside groups included."""
    for one in filters:
        if one.op is FilterOp.SEARCH:
            yield str(one.values[0])
        yield from searched_texts(one.inside)
