"""What a specification asks of other spans: conditions about them, and values of their fields.

Conditions may be about any of them. Values are those of one span: a trace's root, an event's
parent; of the others a trace may have many, and which one's value is meant nobody can know.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from query.faults import SpecError
from query.plan.calculated import uses_of
from query.plan.parts.conditions import Filter, filter_fields
from query.plan.relations import About, RelatedConditions, about_of, split_conditions
from query.plan.spec import QuerySpec

_ONE: Final = (About.ROOT, About.PARENT)  # of which an event has one


@dataclass(frozen=True, slots=True)
class Related:
    """conditions: the filters of a specification. fields: whose values are asked for, by the span
    that they are of, without prefixes.
    """

    conditions: RelatedConditions
    fields: Mapping[About, tuple[str, ...]]

    @property
    def own(self) -> tuple[Filter, ...]:
        """The filters about events themselves."""
        return self.conditions.of(About.OWN)


def named_relations(spec: QuerySpec) -> list[str]:
    """The fields of a specification that mean another span's, unless they are stored."""
    named = filter_fields(spec.filters) | _valued(spec).keys() | _calculated_with(spec)
    calculated = {one.name for one in spec.calculated}
    return sorted(name for name in named - calculated if about_of(name) is not About.OWN)


def _calculated_with(spec: QuerySpec) -> set[str]:
    """The fields that the specification's own expressions name."""
    return {name for one in spec.calculated for name in uses_of(one.expression)}


def related_to(spec: QuerySpec, stored: Collection[str]) -> Related | None:
    """What is asked of other spans; None: nothing.

    stored: the fields of `named_relations` that events have. Raises SpecError where the answer
    would not be determined.
    """
    stored = {*stored, *(one.name for one in spec.calculated)}
    for name in sorted(_calculated_with(spec)):
        if about_of(name, stored) is not About.OWN:
            why = f"expressions read fields of the event itself, and `{name}` is another span's"
            raise SpecError("calculated_fields", "invalid", why)
    fields: dict[About, list[str]] = {}
    for name, member in _valued(spec).items():
        about = about_of(name, stored)
        if about is About.OWN:
            continue
        if about not in _ONE:
            raise SpecError(
                member,
                "invalid",
                f"{about.value} may be any of several spans of a trace, so that `{name}` is no one"
                " value: it stands in filters alone; root. and parent. stand here too",
            )
        fields.setdefault(about, []).append(name.removeprefix(about.value))
    conditions = split_conditions(spec.filters, spec.any_filter, stored)
    if conditions.is_plain and not fields:
        return None
    return Related(
        conditions, {about: tuple(dict.fromkeys(names)) for about, names in fields.items()}
    )


def _valued(spec: QuerySpec) -> dict[str, str]:
    """The fields whose values are asked for, each with the member that names it."""
    found = {name: f"breakdowns[{at}]" for at, name in enumerate(spec.breakdowns)}
    for at, one in enumerate(spec.calculations):
        columns: Iterable[str] = () if one.column is None else (one.column,)
        for name in (*columns, *sorted(filter_fields(one.filters))):
            found.setdefault(name, f"calculations[{at}]")
    for name in sorted(filter_fields(spec.per_filters)):
        found.setdefault(name, "havings")
    if spec.per is not None:
        found.setdefault(spec.per, "per")
    return found
