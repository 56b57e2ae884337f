"""From what a reader found to what is sent: the event's own time, its sample rate, its depth.

Pure: the same file with the same choices gives the same events, so a batch that is sent twice is
the same batch.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple, cast

import orjson

from bellwether.send.event import Members, Parsed
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.flatten import flatten, flatten_valid, members
from bellwether.send.prepare.own_time import NoTime, TimeChoices, TimeFinder
from common import limits
from common.model.times.api import format_rfc3339
from common.scan.json_tokens import BadValue, JsonSyntaxError, TokenKind, string_value
from common.scan.rates import UNREADABLE, read_rate

LOAD_FIELD = "meta.load_id"
SAMPLE_EVENTS = 256  # from which the order of numeric dates is learned
# What one request holds beside the rest of an event; the store judges what becomes of it
_SENT_BYTES_MAX = limits.BATCH_BODY_BYTES_MAX - 100_000
_INTEGER_NS_MIN = 10**18  # 2001-09-09: from then on the API takes nanoseconds as an integer


@dataclass(frozen=True, slots=True)
class Choices:
    """The user's options. added: fields that every event gets. Raises ValueError for a depth that
    is none.
    """

    times: TimeChoices = field(default_factory=TimeChoices)
    sample_rate_field: str | None = None
    depth: int = 0
    options: ReadOptions = field(default_factory=ReadOptions)
    added: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.depth <= limits.EXPAND_DEPTH_MAX:
            raise ValueError(f"--depth must be between 0 and {limits.EXPAND_DEPTH_MAX}")

    def fingerprint(self) -> str:
        """What makes batches of the same file differ."""
        parts = (self.times, self.sample_rate_field, self.depth, self.added)
        return f"{parts!r} {self.options.fingerprint()}"


class Ready(NamedTuple):
    """An event to send, or the reason why it cannot be (`error`).

    data: its JSON object as it stands in the file; part: the event as a member of a batch's array.
    time_ns: its own time, None to let the store use its arrival. time_from: where the time was.
    unfinished: the file ends within it, so it may be read another time.
    bad_time: it is refused because its time cannot be read.
    """

    line: int
    end: int
    data: bytes = b""
    time_ns: int | None = None
    time_from: str = ""
    sample_rate: int = 1
    error: str | None = None
    source: bytes = b""
    part: bytes = b""
    unfinished: bool = False
    bad_time: bool = False


class _Refused(Exception):
    pass


def prepare(
    parsed: Iterable[Parsed],
    choices: Choices,
    now_ns: int,
    load_id: str | None = None,
    sample: Sequence[Parsed] | None = None,
    finder: TimeFinder | None = None,
) -> Iterator[Ready]:
    """Every event, ready to be sent or refused.

    now_ns: for times without a year; load_id: becomes a field of each event; sample: the first
    events of the file, where `parsed` begins later; finder: finds the times, and keeps what it
    learns of them.
    """
    items = iter(parsed)
    finder = finder or TimeFinder(choices.times, now_ns)
    if sample is None:
        sample = list(islice(items, SAMPLE_EVENTS))
        items = chain(sample, items)
    finder.learn(_readable(sample))
    make = _Maker(choices, finder, load_id).ready
    for item in items:
        if item.error is not None:
            yield _refused(item, item.error)
            continue
        try:
            ready = make(item)
        except NoTime as error:
            ready = _refused(item, str(error), bad_time=True)
        except (_Refused, BadValue, JsonSyntaxError) as error:
            ready = _refused(item, str(error))
        yield ready


def _refused(item: Parsed, reason: str, bad_time: bool = False) -> Ready:
    return Ready(
        item.line, item.end, error=reason, source=item.source, unfinished=item.unfinished,
        bad_time=bad_time,
    )  # fmt: skip


def _readable(items: Sequence[Parsed]) -> Iterator[tuple[Parsed, Members]]:
    for item in items:
        if item.error is None:
            try:
                yield item, _values(item.data) if item.members is None else item.members
            except (BadValue, JsonSyntaxError):
                continue  # is refused when its turn comes


class _Maker:
    """Makes the events of one load."""

    def __init__(self, choices: Choices, finder: TimeFinder, load_id: str | None) -> None:
        self._rate_field = choices.sample_rate_field
        self._depth = choices.depth
        self._find = finder.find
        self._added = choices.added
        self._load = () if load_id is None else ((LOAD_FIELD, load_id),)
        self._tail = _tail((*self._added, *self._load))
        self._fields_max = limits.EVENT_FIELDS_MAX - len(self._added) - len(self._load)

    def ready(self, item: Parsed) -> Ready:
        """Raises NoTime, and what else is a reason to refuse it."""
        line, end, data, _, rate, _, source, values, _ = item
        if not data:
            data = _written(values or {})
        if self._depth:
            unpack = flatten if values is None else flatten_valid
            data = unpack(data, self._depth)
            values = None
            item = item._replace(data=data)
        if len(data) > _SENT_BYTES_MAX:
            raise _Refused(f"the event has {len(data)} bytes, more than can be sent at once")
        if values is None:
            values = _values(data)
        if not values or data == b"{}":
            raise _Refused("the event has no fields")
        time_ns, time_from = self._find(item, values)
        if rate is None:
            rate = 1 if self._rate_field is None else _sample_rate(values, self._rate_field)
        # a field more than the store takes would cost the event
        tail = self._tail if len(values) <= self._fields_max else b"}}"
        if self._added and any(name in values for name, _ in self._added):
            tail = _tail((*(a for a in self._added if a[0] not in values), *self._load))
        part = b"%b%b%b" % (_head(time_ns, rate), data[:-1], tail)
        return Ready(line, end, data, time_ns, time_from, rate, None, source, part)


def _tail(named: tuple[tuple[str, str], ...]) -> bytes:
    """The JSON text after an event's data: more fields, and its end."""
    return b"".join(b",%b:%b" % (orjson.dumps(n), orjson.dumps(v)) for n, v in named) + b"}}"


def _head(time_ns: int | None, rate: int) -> bytes:
    """The JSON text before an event's data."""
    before = b"{" if rate == 1 else b'{"samplerate":%d,' % rate
    if time_ns is None:
        return before + b'"data":'
    if time_ns >= _INTEGER_NS_MIN:
        return b'%b"time":%d,"data":' % (before, time_ns)
    return b'%b"time":"%b","data":' % (before, format_rfc3339(time_ns).encode())


def _written(values: Members) -> bytes:
    try:
        return orjson.dumps(values)
    except TypeError as error:  # what orjson raises for a lone surrogate
        raise _Refused("text is not valid UTF-8") from error


def _values(data: bytes) -> Members:
    """The members of a JSON object; of one that only the store can read, texts and numbers have
    their values.
    """
    try:
        found: Members = orjson.loads(data)
    except orjson.JSONDecodeError:  # stricter than the store: read it exactly
        return {name: _value(kind, raw) for name, kind, raw in members(data, 0)}
    return found


def _value(kind: TokenKind, raw: bytes) -> object:
    """A text, an object, or what else stands there as it is written; None for null."""
    if kind is TokenKind.NULL:
        return None
    if kind is TokenKind.STRING:
        return string_value(raw, 0, len(raw))
    if kind is TokenKind.OBJECT_START:
        with suppress(orjson.JSONDecodeError):
            return cast(object, orjson.loads(raw))
    return orjson.Fragment(raw)


def _sample_rate(values: Members, name: str) -> int:
    """The rate in the field that the user named: read as the API reads it, but what is no number
    is refused, as the field is hardly the one that was meant.
    """
    value = values.get(name)
    if value is None:
        return 1
    text = orjson.dumps(value).decode() if isinstance(value, orjson.Fragment) else str(value)
    read = read_rate(text)
    if read == UNREADABLE and not text.strip().startswith("-"):
        raise _Refused(f"{name}: {text[:40]!r} is no sample rate (1 or more)")
    return read[0]
