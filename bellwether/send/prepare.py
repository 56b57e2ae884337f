"""From what a reader found to what is sent: the event's own time, its sample rate, its depth.

Pure: the same file with the same choices gives the same events, so a batch that is sent twice is
the same batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

import orjson

from bellwether.send.event import Members, Parsed
from bellwether.send.flatten import flatten, members
from bellwether.send.options import ReadOptions
from bellwether.send.own_time import NoTime, TimeChoices, TimeFinder
from common import limits
from common.scan.json_tokens import BadValue, JsonSyntaxError, TokenKind, string_value
from common.times.api import format_rfc3339

_TIMES = (TokenKind.STRING, TokenKind.NUMBER)
_SAMPLE_EVENTS = 256  # that tell in which order numeric dates are written


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user said. Raises ValueError for a depth that is none."""

    times: TimeChoices = field(default_factory=TimeChoices)
    sample_rate_field: str | None = None
    depth: int = 0
    options: ReadOptions = field(default_factory=ReadOptions)

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= limits.EXPAND_DEPTH_MAX:
            raise ValueError(f"--depth must be between 0 and {limits.EXPAND_DEPTH_MAX}")

    def fingerprint(self) -> str:
        """What makes batches of the same file differ."""
        parts = (self.times, self.sample_rate_field, self.depth)
        return f"{parts!r} {self.options.fingerprint()}"


class Ready(NamedTuple):
    """An event to send, or the reason why it cannot be (`error`).

    time_ns: its own time, None to let the store use its arrival. time_from: where the time was.
    """

    line: int
    end: int
    data: bytes = b""
    time_ns: int | None = None
    time_from: str = ""
    sample_rate: int = 1
    error: str | None = None
    source: bytes = b""

    def envelope(self) -> bytes:
        """The event as a member of a batch's array."""
        time = (
            b"" if self.time_ns is None else b'"time":"%b",' % format_rfc3339(self.time_ns).encode()
        )
        rate = b"" if self.sample_rate == 1 else b'"samplerate":%d,' % self.sample_rate
        return b'{%b%b"data":%b}' % (time, rate, self.data)


class _Refused(Exception):
    pass


def prepare(parsed: Iterator[Parsed], choices: Choices, now_ns: int) -> Iterator[Ready]:
    """Every event, ready to be sent or refused. `now_ns`: for times without a year."""
    finder = TimeFinder(choices.times, now_ns)
    first = list(islice(parsed, _SAMPLE_EVENTS))
    finder.learn(_readable(first))
    for item in chain(first, parsed):
        if item.error is not None:
            yield Ready(item.line, item.end, error=item.error, source=item.source)
            continue
        try:
            yield _ready(item, choices, finder)
        except (_Refused, NoTime, BadValue, JsonSyntaxError) as error:
            yield Ready(item.line, item.end, error=str(error), source=item.source)


def _readable(items: list[Parsed]) -> Iterator[tuple[Parsed, Members]]:
    for item in items:
        if item.error is None:
            try:
                yield item, _values(item.data) if item.members is None else item.members
            except (BadValue, JsonSyntaxError):
                continue  # is refused when its turn comes


def _ready(item: Parsed, choices: Choices, finder: TimeFinder) -> Ready:
    values = item.members
    data = item.data or _written(values or {})
    if choices.depth:
        data = flatten(data, choices.depth)
        values = None
        item = item._replace(data=data)
    if len(data) > limits.EVENT_BYTES_MAX:
        raise _Refused(f"the event has {len(data)} bytes, more than {limits.EVENT_BYTES_MAX}")
    if values is None:
        values = _values(data)
    time_ns, time_from = finder.find(item, values)
    rate = item.sample_rate or _sample_rate(values, choices)
    return Ready(item.line, item.end, data, time_ns, time_from, rate, source=item.source)


def _written(values: Members) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError as error:  # what orjson raises for a lone surrogate
        raise _Refused("text is not valid UTF-8") from error


def _values(data: bytes) -> Members:
    """The members of a JSON object; of one that only the store can read, texts and numbers."""
    try:
        found: Members = orjson.loads(data)
    except orjson.JSONDecodeError:  # stricter than the store: read it exactly
        return {
            name: string_value(raw, 0, len(raw))
            if kind is TokenKind.STRING
            else orjson.Fragment(raw)
            for name, kind, raw in members(data, 0)
            if kind in _TIMES
        }
    return found


def _sample_rate(values: Members, choices: Choices) -> int:
    if choices.sample_rate_field is None:
        return 1
    value = values.get(choices.sample_rate_field)
    if value is None:
        return 1
    text = str(value)
    if not (text.isdecimal() and 1 <= int(text) <= limits.SAMPLE_RATE_MAX):
        raise _Refused(f"{choices.sample_rate_field}: {text[:40]!r} is no sample rate (1 or more)")
    return int(text)
