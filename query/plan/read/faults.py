"""Every fault of a specification, for who shows it while it is written.

What is read stops at the first fault; here it is replaced by something harmless, and read again.
"""

import re
from typing import Any, Final

from common import limits
from query.faults import Fault, InvalidValues
from query.plan.read.axis import QUERY_AXES
from query.plan.read.spec import read_spec

_ITEM: Final = re.compile(r"(filters|calculated_fields)\[([0-9]+)\]")
# Nothing else of a specification is about these.
_ALONE: Final = ("granularity", "limit", "compare_time_offset_seconds", "usage_mode")


def faults_of(spec: dict[str, Any]) -> list[Fault]:
    """The faults, at most QUERY_TEXT_FAULTS_MAX; the axes are those of a query's range."""
    given, found = dict(spec), list[Fault]()
    while len(found) < limits.QUERY_TEXT_FAULTS_MAX:
        try:
            read_spec(given, QUERY_AXES)
            break
        except InvalidValues as error:
            found += error.faults
            if not _without(given, error.faults[0].field):
                break
    return found


def _without(spec: dict[str, Any], path: str) -> bool:
    """Leave out the member or the item of this path; False: others may depend on it."""
    if path in _ALONE:
        del spec[path]
        return True
    item = _ITEM.match(path)
    if item is None:
        return False
    member, at = item[1], int(item[2])
    items = list(spec[member])
    items[at] = _HARMLESS[member](at)
    spec[member] = items
    return True


_HARMLESS: Final = {
    "filters": lambda at: {"column": f"_{at}", "op": "exists"},
    "calculated_fields": lambda at: {"name": f"_{at}", "expression": "1"},
}
