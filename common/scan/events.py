"""What scanning a request gives: events that can be stored, and events that cannot (I9).

One event's fault never reaches its neighbours: it becomes a Refused in the event's place, which
names the field and the rule. A fault of the whole body is MalformedBody.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from common import limits
from common.errors import BadRequest

_FIELD_SHOWN_CHARS: Final = 100  # a field's name in an error text is cut after this


class Rule(StrEnum):
    """Why an event was refused: a label of metrics and of the own dataset's counts."""

    NOT_AN_OBJECT = "not_an_object"
    DATA_MISSING = "data_missing"
    DATA_NOT_AN_OBJECT = "data_not_an_object"
    DATA_EMPTY = "data_empty"
    TOO_LARGE = "too_large"
    TOO_MANY_FIELDS = "too_many_fields"
    NAMES_TOO_LONG = "names_too_long"
    STRING_TOO_LONG = "string_too_long"
    KEY_TOO_LONG = "key_too_long"
    TOO_DEEP = "too_deep"
    NOT_UTF8 = "not_utf8"
    NOT_FINITE = "not_finite"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    UNSUPPORTED_VALUE = "unsupported_value"
    TIME = "time"
    SAMPLE_RATE = "samplerate"


class Accepted(msgspec.Struct, frozen=True):
    """An event that can be stored: unix ns, sample rate, its JSON object on one line."""

    time_ns: int
    rate: int
    data: bytes

    def __repr__(self) -> str:
        return f"Accepted(time_ns={self.time_ns}, rate={self.rate}, data=<{len(self.data)} bytes>)"


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that cannot be stored. `error` is shown to the client; it holds no values."""

    rule: Rule
    error: str


class MalformedBody(BadRequest):
    """The whole body cannot be read; nothing of it is stored."""

    def __init__(self, why: str = "") -> None:
        text = "Request body is malformed and cannot be read."
        super().__init__(f"{text} ({why})" if why else text)


def too_many_events() -> MalformedBody:
    """A batch of more events than are taken at once."""
    return MalformedBody(f"more than {limits.BATCH_EVENTS_MAX} events")


class EventFault(Exception):
    """Raised inside the scanners; becomes a Refused."""

    def __init__(self, rule: Rule, field_name: str, why: str) -> None:
        shown = field_name[:_FIELD_SHOWN_CHARS]
        super().__init__(f"{shown}: {why}" if shown else why)
        self.rule = rule

    def refused(self) -> Refused:
        """As the event's outcome."""
        return Refused(self.rule, str(self))


def too_large() -> EventFault:
    """The event's data has too many bytes."""
    return EventFault(
        Rule.TOO_LARGE, "data", f"is larger than {limits.EVENT_BYTES_MAX} bytes; send less"
    )


def too_many_fields() -> EventFault:
    """The event has too many fields after unpacking."""
    return EventFault(
        Rule.TOO_MANY_FIELDS,
        "data",
        f"Event has too many columns. (the limit is {limits.EVENT_FIELDS_MAX} fields)",
    )


def names_too_long() -> EventFault:
    """The names that unpacking makes of the event's fields have too many bytes together."""
    return EventFault(
        Rule.NAMES_TOO_LONG,
        "data",
        f"names of unpacked fields have more than {limits.UNPACKED_NAME_BYTES_MAX} bytes together;"
        " shorten the names of objects",
    )
