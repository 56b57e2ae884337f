"""Conditions by the span that they are about: its own, the root's, any other's, none's, kin's.

All conditions with one prefix are about one span: `any.a = 1 AND any.b = 2` is one span with both,
`any.a = 1 AND any2.b = 2` may be two. Conditions of several prefixes are joined by AND alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from query.faults import SpecError
from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp


class About(StrEnum):
    """The span that conditions are about; the value is the prefix of its fields."""

    OWN = ""
    ROOT = "root."
    ANY = "any."
    ANY2 = "any2."
    ANY3 = "any3."
    NONE = "none."
    PARENT = "parent."
    CHILD = "child."


PREFIXES: Final = tuple(one.value for one in About if one is not About.OWN)
POSITIVE: Final = (
    About.ROOT,
    About.ANY,
    About.ANY2,
    About.ANY3,
)  # of which a trace has to have one


@dataclass(frozen=True, slots=True)
class RelatedConditions:
    """Filters by the span that they are about, without the prefixes; all of them must match."""

    by_span: dict[About, tuple[Filter, ...]] = field(default_factory=dict)

    def of(self, about: About) -> tuple[Filter, ...]:
        """The filters about this span; empty if there are none."""
        return self.by_span.get(about, ())

    @property
    def is_plain(self) -> bool:
        """Whether only a span's own fields are named."""
        return not self.by_span.keys() - {About.OWN}


def split_conditions(
    filters: Sequence[Filter], any_filter: bool, stored: Collection[str] = ()
) -> RelatedConditions:
    """The conditions of a specification by the span that they are about.

    stored: names that look like those of other spans' fields, and are fields of events.
    Raises SpecError where those about two spans are joined by OR.
    """
    found: dict[About, list[Filter]] = {}
    if any_filter and len(filters) > 1:
        filters = (Filter("", FilterOp.ANY_OF, (), tuple(filters)),)
    for one in filters:
        _add(one, found, stored)
    return RelatedConditions({about: tuple(some) for about, some in found.items()})


def _add(one: Filter, found: dict[About, list[Filter]], stored: Collection[str]) -> None:
    spans = _spans([one], stored)
    if len(spans) == 1:
        [about] = spans
        found.setdefault(about, []).append(_without(one, about.value))
    elif one.op is FilterOp.ALL_OF:
        for inside in one.inside:
            _add(inside, found, stored)
    elif one.op is FilterOp.NONE_OF:
        for inside in one.inside:
            _add(Filter("", FilterOp.NONE_OF, (), (inside,)), found, stored)
    else:
        names = ", ".join(sorted(about.value or "its own fields" for about in spans))
        raise SpecError(
            "filters",
            "invalid",
            f"conditions about different spans ({names}) are joined by AND, not by OR",
        )


def about_of(name: str, stored: Collection[str] = ()) -> About:
    """The span that a field's name is about. stored: as of `split_conditions`."""
    if name in stored:
        return About.OWN
    for about in About:
        if about is not About.OWN and name.startswith(about.value) and name != about.value:
            return about
    return About.OWN


def _spans(filters: Iterable[Filter], stored: Collection[str]) -> set[About]:
    spans: set[About] = set()
    for one in filters:
        is_group = one.op in GROUP_OPS
        spans |= _spans(one.inside, stored) if is_group else {about_of(one.field, stored)}
    return spans


def _without(one: Filter, prefix: str) -> Filter:
    if one.op in GROUP_OPS:
        return Filter("", one.op, (), tuple(_without(inside, prefix) for inside in one.inside))
    return Filter(one.field.removeprefix(prefix), one.op, one.values)
