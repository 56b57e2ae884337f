"""Decodes bodies to events as plain values."""

from typing import Any, NamedTuple

import orjson

from common import limits
from common.scan.work_budget import Work
from shepherd.zipkin.decode import Wire, decode
from shepherd.zipkin.media import Form

ARRIVAL_NS = 1_700_000_000_000_000_000


class Event(NamedTuple):
    """One stored event."""

    dataset: str
    time_ns: int
    rate: int
    fields: dict[str, Any]


class Read(NamedTuple):
    """What a body becomes. refused: (index among all events, rule); mended: (rule, field)."""

    events: list[Event]
    refused: list[tuple[int, str]]
    mended: list[tuple[str, str]]


def read(
    body: object,
    dataset: str = "",
    work: Work | None = None,
    string_max: int = limits.STRING_BYTES_MAX,
    form: Form = Form.JSON_V2,
) -> Read:
    """The events of a body, in the request's order. body: bytes, or what is JSON of it."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    events: dict[int, Event] = {}
    refused: list[tuple[int, str]] = []
    mended: list[tuple[str, str]] = []
    given = Wire(form, raw, "", "env", ARRIVAL_NS, dataset, string_max)
    for group in decode(given, work).groups:
        found = group.events
        no_line = {index for index, _ in found.refused}
        refused += [(int(group.indexes[index]), why.rule) for index, why in found.refused]
        mended += [(one.rule, one.field) for _, ones in found.mended for one in ones]
        places = [at for index, at in enumerate(group.indexes.tolist()) if index not in no_line]
        lines = [orjson.loads(line) for line in found.lines.text.splitlines()]
        assert found.events == len(group.indexes)
        for at, line in zip(places, lines, strict=True):
            events[at] = Event(group.dataset, line["t"], line["r"], line["d"])
    return Read([events[at] for at in sorted(events)], sorted(refused), mended)


def one(span: dict[str, Any], **how: Any) -> Event:
    """The event of a single span."""
    found = read([span], **how)
    assert found.refused == []
    return found.events[-1]
