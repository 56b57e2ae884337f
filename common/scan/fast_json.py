"""The fast path for well-formed JSON bodies, with exactly the results of the reference scanner.

It accepts only what it proves valid with C parsers and byte counts; any other body or event goes to
`common.scan.json_events`. A property test compares the two.
"""

from typing import Any, Final

import msgspec
import orjson

from common import limits
from common.scan import json_events, value_repair
from common.scan.events import (
    Accepted,
    Data,
    EventFault,
    Mended,
    Refused,
    too_large,
    too_many_events,
)
from common.scan.rates import Rate
from common.scan.work_budget import Work

_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
_ONE: Final[Rate] = (1, ())
_FAULT_UNITS: Final = 2  # of a refused event, in addition to what is read of it


class _Envelope(msgspec.Struct):
    """One element of a batch, its members as the bytes they came as."""

    data: msgspec.Raw = msgspec.Raw(b"")
    time: msgspec.Raw = msgspec.Raw(b"null")
    samplerate: msgspec.Raw = msgspec.Raw(b"null")


_decoder = msgspec.json.Decoder(list[_Envelope])


def split_batch(
    body: bytes,
    depth: int,
    arrival_ns: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> list[Accepted | Refused]:
    """As `json_events.split_batch`."""
    work = work or Work()
    try:
        parsed = orjson.loads(body)  # UTF-8, finite numbers, paired surrogates: all or nothing
        if type(parsed) is list and len(parsed) > limits.BATCH_EVENTS_MAX:
            raise too_many_events()  # nothing before them is broken
        envelopes = _decoder.decode(body)
    except (ValueError, RecursionError):
        return json_events.split_batch(body, depth, arrival_ns, work, string_max)
    return [
        _event(envelope, member, depth, arrival_ns, work, string_max)
        for envelope, member in zip(envelopes, parsed, strict=True)
    ]


def _event(
    envelope: _Envelope,
    parsed: dict[str, Any],
    depth: int,
    arrival_ns: int,
    work: Work,
    string_max: int,
) -> Accepted | Refused:
    data = bytes(envelope.data)
    rate_raw = bytes(envelope.samplerate)
    try:
        if (
            len(data) > limits.EVENT_BYTES_MAX
            and isinstance(parsed.get("data"), dict)
            and not value_repair.has_long_string(data, work)
        ):
            raise too_large()  # its syntax was checked; other faults do not matter
        mended: tuple[Mended, ...] = ()
        if not (parsed.get("data") and counts_prove(data, depth)):
            data, mended = json_events.check_data(data, depth, work, string_max)
        rate, rated = _ONE if rate_raw in (b"null", b"1") else json_events.sample_rate(rate_raw)
        time_ns = json_events.event_time(bytes(envelope.time), arrival_ns)
    except EventFault as fault:
        work.spend(_FAULT_UNITS)
        return fault.refused()
    return Accepted(time_ns, rate, data.translate(_ONE_LINE), mended + rated)


def check_event(
    body: bytes,
    depth: int,
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
) -> Data:
    """As `json_events.check_event`."""
    work = work or Work()
    if counts_prove(body, depth):
        try:
            parsed = orjson.loads(body)
        except ValueError:
            return json_events.check_event(body, depth, work, string_max)
        if parsed and isinstance(parsed, dict):
            return Data(body.strip(b" \t\r\n").translate(_ONE_LINE))
    return json_events.check_event(body, depth, work, string_max)


def counts_prove(data: bytes, depth: int) -> bool:
    """Whether counts alone prove that no limit is passed: strings, fields, nesting, names."""
    members = data.count(b":")
    objects = data.count(b"{")
    return (
        data[:1] == b"{"
        and len(data) <= limits.STRING_BYTES_MAX
        and members <= limits.EVENT_FIELDS_MAX
        and objects + data.count(b"[") <= limits.NESTING_DEPTH_MAX
        and (depth == 0 or objects == 1 or members * len(data) <= limits.UNPACKED_NAME_BYTES_MAX)
    )
