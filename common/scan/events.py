"""Outcomes of scanning a request: events that can be stored, and events that cannot (I9).

One event's fault never affects other events: the event's outcome is a Refused, which names the
field and the rule. A fault of the whole body is MalformedBody.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from common import limits
from common.errors import BadRequest


class Rule(StrEnum):
    """The rule that refused an event or mended a value: a label of metrics and of the counts in
    the `bellwether` dataset.
    """

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


class Mended(NamedTuple):
    """A field that is not stored as it was sent, and the rule. It holds no values."""

    rule: Rule
    field: str


class Data(NamedTuple):
    """The text of an event's data as it can be stored, and the fields that were mended."""

    text: bytes
    mended: tuple[Mended, ...] = ()


class Accepted(msgspec.Struct, frozen=True):
    """An event that can be stored.

    time_ns: unix ns.
    rate: sample rate.
    data: its JSON object on one line.
    mended: fields that are not stored as they were sent; usually none.
    """

    time_ns: int
    rate: int
    data: bytes
    mended: tuple[Mended, ...] = ()

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
    """The error of a batch with too many events."""
    return MalformedBody(f"more than {limits.BATCH_EVENTS_MAX} events")


class EventFault(Exception):
    """Raised inside the scanners; becomes a Refused."""

    def __init__(self, rule: Rule, field_name: str, why: str) -> None:
        shown = field_name[: limits.FIELD_SHOWN_CHARS_MAX]
        super().__init__(f"{shown}: {why}" if shown else why)
        self.rule = rule

    def refused(self) -> Refused:
        """As the event's outcome."""
        return Refused(self.rule, str(self))


def too_large() -> EventFault:
    """The event's data has too many bytes."""
    return EventFault(
        Rule.TOO_LARGE,
        "data",
        f"is larger than {limits.EVENT_BYTES_MAX} bytes; send less of it, or several events",
    )


def too_many_fields() -> EventFault:
    """The event has too many fields after unpacking."""
    return EventFault(
        Rule.TOO_MANY_FIELDS,
        "data",
        f"Event has too many columns. (the limit is {limits.EVENT_FIELDS_MAX} fields; send fewer,"
        " or an object of them, which is one field)",
    )


def names_too_long() -> EventFault:
    """The names that unpacking makes of the event's fields have too many bytes together."""
    return EventFault(
        Rule.NAMES_TOO_LONG,
        "data",
        f"names of unpacked fields have more than {limits.UNPACKED_NAME_BYTES_MAX} bytes together;"
        " shorten the names of objects",
    )
