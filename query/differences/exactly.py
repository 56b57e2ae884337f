"""Conditions that mean one value of a breakdown and nothing else.

`=` takes the text "1" for the number 1, the number 1 for true, and true for the text "true"; as
groups they are three.
"""

from query.plan.parts.conditions import Filter, FilterOp, Scalar
from query.share.sources.filters import number_of


def exactly(field: str, value: Scalar | None) -> tuple[Filter, ...]:
    """Conditions that all hold for the events of the group of this value; None: without one."""
    if value is None:
        return (Filter(field, FilterOp.NOT_EXISTS),)
    same = Filter(field, FilterOp.EQ, (value,))
    if isinstance(value, bool):  # a number equals no text
        return same, Filter(field, FilterOp.EQ, (int(value),))
    if isinstance(value, str):
        other = int(value == "true") if value in ("true", "false") else number_of(value)
    else:
        other = bool(value) if value in (0, 1) else None
    if other is None:
        return (same,)
    return same, Filter(field, FilterOp.NE, (other,))
