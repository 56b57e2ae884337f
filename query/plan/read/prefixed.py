"""Faults of a specification that is a member of a body: they are said to be within that member."""

from typing import Any

from query.faults import Fault, InvalidValues
from query.plan.read.checks import object_of


class Prefixed:
    """Faults inside its block are said to be within a member."""

    def __init__(self, member: str) -> None:
        self._member = member

    def value_of(self, value: object) -> dict[str, Any]:
        """The value of the member. Raises SpecError if it is no object."""
        return object_of(value, self._member)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, InvalidValues):
            raise InvalidValues([self._within(fault) for fault in error.faults]) from error

    def _within(self, fault: Fault) -> Fault:
        where = f"{self._member}.{fault.field}" if fault.field else self._member
        return fault._replace(field=where)
