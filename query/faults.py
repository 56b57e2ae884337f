"""Faults of a body that could be parsed, each with the member that has the fault (422)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from common.errors import Unprocessable

T = TypeVar("T")


class Fault(NamedTuple):
    """One entry of the vendor's `type_detail`.

    field: the member of the body, as a path; empty for the whole body.
    code: invalid, missing, incorrect_type or already_exists.
    """

    field: str
    code: str
    description: str

    def __str__(self) -> str:
        return f"{self.field}: {self.description}" if self.field else self.description


class InvalidValues(Unprocessable):
    """Values of a body are refused; `faults` lists every one that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class SpecError(InvalidValues):
    """One fault, of a query specification or of another body. Arguments as in `Fault`."""

    def __init__(self, field: str, code: str, description: str) -> None:
        super().__init__([Fault(field, code, description)])
        self.field = field
        self.code = code
        self.description = description


class BadReference(SpecError):
    """A body names something that is not there or is not the same as before: 400 like the vendor's,
    where other faults of values are 422.
    """

    status = 400

    def __init__(self, field: str, description: str) -> None:
        super().__init__(field, "invalid", description)


class FaultCollector:
    """Reads members of a body and collects their faults."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def read(self, read: Callable[[], T], otherwise: T) -> T:
        """The result of `read`; `otherwise` if it raises InvalidValues: `check` then raises."""
        try:
            return read()
        except InvalidValues as error:
            self._faults += error.faults
            return otherwise

    def check(self) -> None:
        """Raises InvalidValues with every fault that was collected."""
        if self._faults:
            raise InvalidValues(self._faults)
