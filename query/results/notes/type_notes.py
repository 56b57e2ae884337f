"""Notes of an answer about values whose types the query could not use.

Only for types that change the result: a mix of integers and floats needs no note.
"""

from collections.abc import Iterable
from typing import Final

from query.plan.parts.conditions import GROUP_OPS, Filter, FilterOp
from query.plan.plan import State
from query.plan.spec import QuerySpec
from query.share.sources.filters import number_of
from segment.columns import FieldType

_NUMBERS: Final = (FieldType.INT.value, FieldType.FLOAT.value)
_BOOL: Final = FieldType.BOOL.value
_TEXTS: Final = (FieldType.STRING.value, FieldType.JSON.value)
_ORDERED: Final = (FilterOp.LT, FilterOp.LE, FilterOp.GT, FilterOp.GE)
_EQUAL: Final = (FilterOp.EQ, FilterOp.NE, FilterOp.IN, FilterOp.NOT_IN)


def notes_on_types(spec: QuerySpec, types: dict[str, str]) -> list[str]:
    """Each note once. types: by field, the letters of its types; empty if no event has it."""
    notes = [
        *_on_calculations(spec, types),
        *_on_filters(spec.filters, types),
        *(note for c in spec.calculations for note in _on_filters(c.filters, types)),
        *_on_groups(spec, types),
    ]
    return list(dict.fromkeys(notes))


def _on_calculations(spec: QuerySpec, types: dict[str, str]) -> Iterable[str]:
    for calculation in spec.calculations:
        if calculation.column is None or calculation.need.state in (State.COUNT, State.DISTINCT):
            continue
        held = types.get(calculation.column, "")
        if any(t in _TEXTS for t in held):
            only = not any(t in _NUMBERS or t == _BOOL for t in held)
            rest = "which holds only text" if only else "some of whose values are text"
            label = f"{calculation.op}({calculation.column})"
            notes = "there is no number" if only else "those are left out"
            yield f"{label} reads the numbers of `{calculation.column}`, {rest}: {notes}"


def _on_filters(filters: Iterable[Filter], types: dict[str, str]) -> Iterable[str]:
    for one in filters:
        if one.op in GROUP_OPS:
            yield from _on_filters(one.inside, types)
            continue
        held = types.get(one.field, "")
        texts = any(t in _TEXTS for t in held)
        numbers = any(t in _NUMBERS or t == _BOOL for t in held)
        for value in one.values:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and texts and one.op in (*_ORDERED, *_EQUAL):
                yield _number_note(one, value, only=not numbers)
            elif (
                isinstance(value, str)
                and one.op in _ORDERED
                and held
                and not any(t == FieldType.STRING.value for t in held)
                and number_of(value) is None
            ):
                yield (
                    f'{one.op.value} "{value[:40]}" compares text, and `{one.field}` holds none: '
                    "no event matches; write a number without quotes"
                )
            elif isinstance(value, str) and one.op in _EQUAL and _equals_nothing(value, held):
                yield (
                    f'`{one.field}` holds no text: nothing equals "{value[:40]}"; write a number, '
                    "or MATCHES for a pattern"
                )


def _equals_nothing(value: str, held: str) -> bool:
    """Whether a field of these types has no value that a text could equal."""
    if not held or any(t in _TEXTS for t in held):
        return False
    if _BOOL in held and value in ("true", "false"):
        return False
    return number_of(value) is None


def _number_note(one: Filter, value: object, *, only: bool) -> str:
    if one.op in _ORDERED:
        rest = "which holds only text: no event matches" if only else "whose text is left out"
        return f"{one.op.value} {value} compares the numbers of `{one.field}`, {rest}"
    which = "holds only text" if only else "also holds text"
    note = f"`{one.field}` {which}, which the number {value} does not equal"
    if isinstance(value, float):  # written as 1.10 or 1e5, which differ from the shortest form
        return f"{note}; a text stands in quotes, as it was sent"
    return f'{note}; "{value}" does'


def _on_groups(spec: QuerySpec, types: dict[str, str]) -> Iterable[str]:
    for field in spec.breakdowns:
        held = types.get(field, "")
        if any(t in _TEXTS for t in held) and any(t in _NUMBERS or t == _BOOL for t in held):
            yield f'`{field}` holds numbers and text: 200 and "200" are two groups'
