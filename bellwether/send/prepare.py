"""From what a reader found to what is sent: the event's own time, its sample rate, its depth.

Pure: the same file with the same choices gives the same events, so a batch that is sent twice is
the same batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from bellwether.send.event import Members, Parsed
from bellwether.send.event_time import CANDIDATES, Reader, format_time, reader_for
from bellwether.send.flatten import flatten, members
from bellwether.send.options import ReadOptions
from common import limits
from common.scan.json_tokens import BadValue, JsonSyntaxError, TokenKind, string_value

_TIMES = (TokenKind.STRING, TokenKind.NUMBER)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user said. Raises ValueError for a time format that is none."""

    time_field: str | None = None
    time_format: str | None = None
    sample_rate_field: str | None = None
    depth: int = 0
    options: ReadOptions = field(default_factory=ReadOptions)
    read_time: Reader = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= limits.EXPAND_DEPTH_MAX:
            raise ValueError(f"--depth must be between 0 and {limits.EXPAND_DEPTH_MAX}")
        object.__setattr__(self, "read_time", reader_for(self.time_format))

    def fingerprint(self) -> str:
        """What makes batches of the same file differ."""
        parts = (self.time_field, self.time_format, self.sample_rate_field, self.depth)
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
        time = b"" if self.time_ns is None else b'"time":"%b",' % format_time(self.time_ns).encode()
        rate = b"" if self.sample_rate == 1 else b'"samplerate":%d,' % self.sample_rate
        return b'{%b%b"data":%b}' % (time, rate, self.data)


class _Refused(Exception):
    pass


def prepare(parsed: Iterator[Parsed], choices: Choices) -> Iterator[Ready]:
    """Every event, ready to be sent or refused."""
    for item in parsed:
        if item.error is not None:
            yield Ready(item.line, item.end, error=item.error, source=item.source)
            continue
        try:
            yield _ready(item, choices)
        except (_Refused, BadValue, JsonSyntaxError) as error:
            yield Ready(item.line, item.end, error=str(error), source=item.source)


def _ready(item: Parsed, choices: Choices) -> Ready:
    data = item.data or _written(item.members or {})
    values = item.members
    if choices.depth:
        data = flatten(data, choices.depth)
        values = None
    if len(data) > limits.EVENT_BYTES_MAX:
        raise _Refused(f"the event has {len(data)} bytes, more than {limits.EVENT_BYTES_MAX}")
    names = _scalars(data, values)
    time_ns, time_from = _time(item, names, choices)
    rate = item.sample_rate or _sample_rate(names, choices)
    return Ready(item.line, item.end, data, time_ns, time_from, rate, source=item.source)


def _written(values: Members) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError as error:  # what orjson raises for a lone surrogate
        raise _Refused("text is not valid UTF-8") from error


Names = dict[str, str]


def _scalars(data: bytes, values: Members | None) -> Names:
    """The texts of the members that are a string or a number."""
    try:
        quick: Members = orjson.loads(data) if values is None else values
    except orjson.JSONDecodeError:  # stricter than the store: read it exactly
        return {
            name: string_value(raw, 0, len(raw)) if kind is TokenKind.STRING else raw.decode()
            for name, kind, raw in members(data, 0)
            if kind in _TIMES
        }
    return {
        name: str(value)
        for name, value in quick.items()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    }


def _time(item: Parsed, names: Names, choices: Choices) -> tuple[int | None, str]:
    if choices.time_field is not None:
        text = names.get(choices.time_field)
        if text is None:
            raise _Refused(f"the time field {choices.time_field!r} is missing")
        time_ns = choices.read_time(text)
        if time_ns is None:
            raise _Refused(f"{choices.time_field}: {text[:60]!r} is not a time that can be read")
        return time_ns, choices.time_field
    if item.time is not None:
        time_ns = choices.read_time(str(item.time))
        if time_ns is None:
            raise _Refused(f"time {str(item.time)[:60]!r} cannot be read")
        return time_ns, "the log line" if names.get("remote_host") else "the envelope"
    lower: dict[str, str] = {}
    for name in names:
        lower.setdefault(name.lower(), name)
    for candidate in CANDIDATES:
        found = lower.get(candidate)
        text = names.get(found) if found is not None else None
        if found is None or text is None:
            continue
        time_ns = choices.read_time(text)
        if time_ns is not None:
            return time_ns, found
    return None, ""


def _sample_rate(names: Names, choices: Choices) -> int:
    if choices.sample_rate_field is None:
        return 1
    text = names.get(choices.sample_rate_field)
    if text is None:
        return 1
    if not (text.isdecimal() and 1 <= int(text) <= limits.SAMPLE_RATE_MAX):
        raise _Refused(f"{choices.sample_rate_field}: {text[:40]!r} is no sample rate (1 or more)")
    return int(text)
