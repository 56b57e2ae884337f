"""Members of a resource's body, declared once: what they are, their bounds, and reading them with
every fault. The published document has its schemas from the same declarations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final

from query.faults import FaultCollector, SpecError

Value = str | int | bool


class MemberType(StrEnum):
    """JSON's name for the type of a member."""

    TEXT = "string"
    WHOLE = "integer"
    FLAG = "boolean"


_SAID: Final = {
    MemberType.TEXT: "must be a string",
    MemberType.WHOLE: "must be a whole number",
    MemberType.FLAG: "must be true or false",
}
_TYPES: Final[dict[MemberType, type]] = {
    MemberType.TEXT: str,
    MemberType.WHOLE: int,
    MemberType.FLAG: bool,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a body.

    about: for people, in the published document.
    required: it must be there and not blank.
    fixed: it cannot be changed: a change may leave it out, or say it again.
    at_least, at_most: of a number; at_most of a text: its characters.
    allowed: the only values, unless it is empty.
    pattern: regular expression that a text that is not empty must match as a whole; `like` says it
        to people.
    default: the value if it is left out, and none where it is null.
    """

    name: str
    type: MemberType = MemberType.TEXT
    about: str = ""
    required: bool = False
    fixed: bool = False
    at_least: int = 0
    at_most: int | None = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    like: str = ""
    default: Value = ""

    def read(self, body: Mapping[str, Any]) -> Value | None:
        """The value in a body; None: it is left out. Raises SpecError."""
        value = body.get(self.name)
        if value is None:
            return None
        if not isinstance(value, Value) or type(value) is not _TYPES[self.type]:  # True: no number
            raise SpecError(self.name, "incorrect_type", _SAID[self.type])
        if isinstance(value, str):
            self._check_text(value)
        elif not isinstance(value, bool):
            self._check_number(value)
        return value

    def read_required(self, body: Mapping[str, Any]) -> Value:
        """The value in a body, which must be there and not blank. Raises SpecError."""
        value = self.read(body)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise SpecError(self.name, "missing", "cannot be blank")
        return value

    def _check_text(self, text: str) -> None:
        if self.at_most is not None and len(text) > self.at_most:
            raise SpecError(self.name, "invalid", f"is longer than {self.at_most} characters")
        if self.allowed and text not in self.allowed:
            raise SpecError(self.name, "invalid", f"must be one of {', '.join(self.allowed)}")
        if text and self.pattern and not re.fullmatch(self.pattern, text):
            raise SpecError(self.name, "invalid", f"must be {self.like}")

    def _check_number(self, value: int) -> None:
        if value < self.at_least or (self.at_most is not None and value > self.at_most):
            raise SpecError(
                self.name, "invalid", f"must be between {self.at_least} and {self.at_most}"
            )


# Set by the server: clients send back what they were shown.
READ_ONLY: Final = ("id", "created_at", "updated_at")


def read_new(
    body: Mapping[str, Any], members: Sequence[Member], read_only: Sequence[str] = READ_ONLY
) -> dict[str, Value]:
    """Every member of a creation, by name. Raises InvalidValues with every fault."""
    return _read(body, members, read_only, None)


def read_change(
    body: Mapping[str, Any],
    members: Sequence[Member],
    before: Mapping[str, Value],
    read_only: Sequence[str] = READ_ONLY,
) -> dict[str, Value]:
    """Every member of a change, by name: it replaces all of them, and what is left out has its
    default; one that is fixed stays. Raises InvalidValues with every fault.
    """
    return _read(body, members, read_only, before)


def _read(
    body: Mapping[str, Any],
    members: Sequence[Member],
    read_only: Sequence[str],
    before: Mapping[str, Value] | None,
) -> dict[str, Value]:
    collector = FaultCollector()

    def read_one(member: Member) -> Value:
        if member.fixed and before is not None:
            if member.read(body) not in (None, before[member.name]):
                raise SpecError(member.name, "invalid", "cannot be changed")
            return before[member.name]
        value = member.read_required(body) if member.required else member.read(body)
        return member.default if value is None else value

    found = {
        member.name: collector.read(partial(read_one, member), member.default) for member in members
    }
    collector.read(lambda: refuse_unknown(body, [m.name for m in members], read_only), None)
    collector.check()
    return found


def refuse_unknown(
    body: Mapping[str, Any], known: Sequence[str], read_only: Sequence[str] = READ_ONLY
) -> None:
    """Raises SpecError for the first member that is not known: what is misspelt is not ignored."""
    for name in body:
        if name not in known and name not in read_only:
            raise SpecError(name, "invalid", f"is not known here: {', '.join(known)} are")
