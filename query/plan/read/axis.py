"""Reads by which time of an event a range and its steps run."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from query.faults import SpecError
from query.plan.spec import TimeAxis

QUERY_AXES: Final = (TimeAxis.START, TimeAxis.END)
ROW_AXES: Final = (*QUERY_AXES, TimeAxis.OVERLAP)


def read_axis(spec: Mapping[str, Any], axes: Sequence[TimeAxis]) -> TimeAxis:
    """The member `time_axis`; START unless given. axes: the possible ones. Raises SpecError."""
    value = spec.get("time_axis")
    if value is None:
        return TimeAxis.START
    if not isinstance(value, str):
        raise SpecError("time_axis", "incorrect_type", "must be a string")
    for one in axes:
        if value == one.value:
            return one
    if value == TimeAxis.OVERLAP and TimeAxis.END in axes:
        why = "is of events alone, which may lie in several steps: calculations take start or end"
        raise SpecError("time_axis", "invalid", why)
    known = ", ".join(one.value for one in axes)
    raise SpecError("time_axis", "invalid", f"must be one of {known} here")
