"""The notes that the kernel wrote in a pass: outcomes of events, errors of bodies (I9).

The texts are those of the reference. Most faults of a body are equal, so each text is made once.
"""

from common import limits
from common.scan import json_data, json_events
from common.scan.events import (
    Accepted,
    EventFault,
    MalformedBody,
    Refused,
    Rule,
    names_too_long,
    too_large,
    too_many_events,
    too_many_fields,
)
from common.scan.json_events import Reading
from common.scan.rates import NO_RATE, Rate
from shepherd.honeycomb.split.kernel import element_faults, scan
from shepherd.honeycomb.split.kernel import memory as m
from shepherd.honeycomb.split.kernel.memory import Memory

_KEPT_MAX = 1_024  # faults and times that are cached while a body is read
_NAME_BYTES = 100  # of a field name in a fault's path; as in the reference
_SYNTAX = {
    element_faults.UNEXPECTED: "unexpected character",
    element_faults.UNEXPECTED_END: "unexpected end",
    element_faults.COLON_WANTED: "expected a colon after the key",
    element_faults.KEY_WANTED: "expected a key",
    element_faults.VALUE_WANTED: "expected a value",
    element_faults.COMMA_WANTED: "expected a comma or a closing bracket",
    element_faults.NESTED_TOO_DEEP: f"nested deeper than {limits.BODY_NESTING_MAX}",
}
_FIXED = {
    scan.NOT_AN_OBJECT: json_events.not_an_object(),
    scan.NAME_NOT_UTF8: json_events.name_not_utf8().refused(),
    scan.DATA_MISSING: json_events.data_missing().refused(),
    scan.DATA_NOT_AN_OBJECT: json_data.data_not_an_object().refused(),
    scan.DATA_EMPTY: json_data.data_empty().refused(),
    scan.TOO_LARGE: too_large().refused(),
    scan.TOO_MANY_FIELDS: too_many_fields().refused(),
    scan.NAMES_TOO_LONG: names_too_long().refused(),
}
_NAMED = {
    scan.KEY_TOO_LONG: (Rule.KEY_TOO_LONG, json_data.TOO_LONG),
    scan.TOO_DEEP: (Rule.TOO_DEEP, json_data.TOO_DEEP),
    scan.NOT_UTF8: (Rule.NOT_UTF8, json_data.NOT_UTF8),
}


def error_of(memory: Memory) -> MalformedBody:
    """The error of a body that a pass found malformed."""
    rule, at = int(memory.words[m.ERROR_RULE]), int(memory.words[m.ERROR_AT])
    if rule == element_faults.NOT_AN_ARRAY:
        return json_events.not_an_array()
    if rule == element_faults.TOO_MANY_EVENTS:
        return too_many_events()
    if rule == element_faults.TEXT_AFTER:
        return json_events.text_after(at)
    return MalformedBody(f"{_SYNTAX[rule]} at byte {at}")


class Entries:
    """Reads the entries of the passes over one body."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._body = reading.body
        self._arrival_ns = reading.arrival_ns
        self._faults: dict[tuple[int, tuple[bytes, ...]], Refused] = {}
        self._times: dict[bytes, int | Refused] = {}
        self._rates: dict[bytes, Rate] = {b"null": NO_RATE}

    def read(
        self, words: list[int]
    ) -> tuple[list[tuple[int, Refused]], list[tuple[int, int, Accepted]]]:
        """Of one pass: (index, reason) of each refused event, and (index, line that it precedes,
        event) of each accepted one, both in order.
        """
        refused: list[tuple[int, Refused]] = []
        accepted: list[tuple[int, int, Accepted]] = []
        at = 0
        size = len(words)
        while at < size:
            fault = words[at + 2]
            if fault not in (scan.NO_FAULT, scan.TO_MEND):
                end = at + 4 + 2 * words[at + 3]
                why = _FIXED.get(fault) or self._named(fault, words[at + 4 : end])
                refused.append((words[at], why))
                at = end
                continue
            outcome = self._read(words[at + 3 : at + 9], mends=fault == scan.TO_MEND)
            if isinstance(outcome, Refused):
                refused.append((words[at], outcome))
            else:
                accepted.append((words[at], words[at + 1], outcome))
            at += 9
        return refused, accepted

    def _named(self, fault: int, spans: list[int]) -> Refused:
        names = tuple(
            [
                self._body[begin + 1 : min(end - 1, begin + 1 + _NAME_BYTES)]
                for begin, end in zip(spans[::2], spans[1::2], strict=True)
                if end
            ]
        )
        known = self._faults.get((fault, names))
        if known is None:
            rule, why = _NAMED[fault]
            path = ".".join(("data", *(name.decode(errors="replace") for name in names)))
            known = EventFault(rule, path, why).refused()
            if len(self._faults) < _KEPT_MAX:
                self._faults[fault, names] = known
        return known

    def _read(self, spans: list[int], *, mends: bool) -> Accepted | Refused:
        """An event that the kernel proved good except for its time, its rate and its mends."""
        data, data_end, time, time_end, rate, rate_end = spans
        _, depth, _, work, string_max = self._reading
        text = self._body[data:data_end]
        try:
            text, mended = json_events.data_of(text, mends, depth, work, string_max)
        except EventFault as fault:
            return fault.refused()
        rated, rate_mended = self._rate(self._body[rate:rate_end] if rate >= 0 else b"null")
        timed = self._time(self._body[time:time_end]) if time >= 0 else self._arrival_ns
        if isinstance(timed, Refused):
            return timed
        return Accepted(timed, rated, text, mended + rate_mended)

    def _rate(self, raw: bytes) -> Rate:
        known = self._rates.get(raw)
        if known is None:
            known = json_events.sample_rate(raw)
            if len(self._rates) < _KEPT_MAX and len(raw) <= _NAME_BYTES:
                self._rates[raw] = known
        return known

    def _time(self, raw: bytes) -> int | Refused:
        known = self._times.get(raw)
        if known is None:
            try:
                known = json_events.event_time(raw, self._arrival_ns)
            except EventFault as fault:
                known = fault.refused()
            if len(self._times) < _KEPT_MAX and len(raw) <= _NAME_BYTES:
                self._times[raw] = known
        return known
