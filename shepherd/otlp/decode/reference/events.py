"""Builds events of attributes, and gathers the events of a request by dataset.

An event is refused only where nothing of it could be stored: fields that are too many or too large
are left out, and reported.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import orjson

from common import limits
from common.errors import BadRequest
from common.model.times.api import INT64_MAX
from common.scan import fast_json
from common.scan.events import Accepted, EventFault, Mended, Refused, Rule
from common.scan.work_budget import Work
from shepherd.ingest.decoded_events import Sizes, decoded
from shepherd.otlp.decode.interface import DecodedRequest, Group
from shepherd.otlp.decode.reference.values import TOO_MANY, Attributes, Value, add_mended
from shepherd.otlp.decode.reference.wire import text_of
from shepherd.otlp.metrics.column_facts import FactsByHash

_BYTES_PER_UNIT: Final = 1_024  # of an event's text
_TIME: Final = Mended(Rule.TIME, "time")


class TooManyEventBytes(BadRequest):
    """The events of a request have too many bytes with all that they inherit."""

    def __init__(self) -> None:
        super().__init__(
            f"the events of the request have more than {limits.OTLP_EVENTS_BYTES_MAX} bytes with "
            "the attributes of their resources; send fewer items in one request"
        )


class Draft:
    """An event to be: fields by name, of which the first of each name counts.

    own: as the item was sent.
    core: what the mapping makes of the item.
    """

    __slots__ = ("_left_out", "core", "inherited", "mended", "own", "rate", "time_ns")

    def __init__(self, own: Attributes, inherited: Attributes) -> None:
        self.own = own.values
        self.inherited = inherited.values
        self.core: dict[str, Value] = {}
        self.mended = dict(own.mended)
        self.mended.update(inherited.mended)
        self._left_out: frozenset[str] = frozenset()
        self.time_ns = 0
        self.rate = 1

    def put(self, name: str, value: Value) -> None:
        """Add a core field."""
        self.core.setdefault(name, value)

    def put_text(self, name: str, content: memoryview) -> None:
        """Add a core field of the message's own text; an empty one gives no field."""
        if content:
            text, is_utf8 = text_of(content)
            if not is_utf8:
                add_mended(self.mended, Rule.NOT_UTF8, name)
            self.core[name] = text

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave out fields of these names, whoever has them."""
        self._left_out = frozenset(names)

    def put_error(self, *, is_error: bool) -> None:
        """Add `error`, which an own attribute of that name replaces."""
        if is_error:
            self.put("error", True)

    def put_dropped(self, count: int) -> None:
        """Add the number of attributes that the client dropped, if any."""
        if count:
            self.put("meta.dropped_attributes_count", count)

    def set_time(self, time_ns: int, otherwise_ns: int) -> None:
        """Set the event's time. otherwise_ns: for one that is absent (0) or out of range."""
        if time_ns > INT64_MAX:
            self.mended[_TIME] = None
        self.time_ns = time_ns if 0 < time_ns <= INT64_MAX else otherwise_ns

    def finish(self, string_max: int, work: Work) -> Accepted | Refused:
        """The event. Raises TooMuchWork."""
        values = self._values()
        text = bytes(memoryview(orjson.dumps(values)))  # orjson's own take 4 kB each
        work.spend(1 + len(text) // _BYTES_PER_UNIT)
        try:
            try:
                data = fast_json.check_event(text, 0, work, string_max)
            except EventFault as fault:
                if fault.rule is not Rule.TOO_LARGE:
                    raise
                self._fit(values)
                data = fast_json.check_event(orjson.dumps(values), 0, work, string_max)
        except EventFault as fault:
            return fault.refused()
        mended = dict.fromkeys((*self.mended, *data.mended))
        return Accepted(self.time_ns, self.rate, data.text, tuple(mended))

    def _values(self) -> dict[str, Value]:
        """All fields: own ones before those of the mapping, of the scope and of the resource.

        Of too many, those of the mapping are kept, then the first ones.
        """
        core, left_out = self.core, self._left_out
        room = limits.EVENT_FIELDS_MAX - len(core)
        values: dict[str, Value] = {}
        for name, value in self.own.items():
            if name in core:
                values[name] = value
            elif name not in left_out:
                room -= 1
                if room >= 0:
                    values[name] = value
        for name, value in core.items():
            values.setdefault(name, value)
        for name, value in self.inherited.items():
            if name not in values and name not in left_out:
                room -= 1
                if room >= 0:
                    values[name] = value
        if room < 0:
            self.mended[TOO_MANY] = None
        return values

    def _fit(self, values: dict[str, Value]) -> None:
        """Remove the largest fields, other than those of the mapping, until the rest fits."""
        sizes = {name: len(orjson.dumps({name: value})) for name, value in values.items()}
        left = sum(sizes.values())
        for name in sorted(sizes.keys() - self.core.keys(), key=lambda name: (-sizes[name], name)):
            if left <= limits.EVENT_BYTES_MAX:
                break
            left -= sizes[name]
            del values[name]
            add_mended(self.mended, Rule.TOO_LARGE, name)


class _Gathered:
    """The events of one dataset."""

    __slots__ = ("items", "outcomes", "own", "weights")

    def __init__(self) -> None:
        self.outcomes: list[Accepted | Refused] = []
        self.items: list[int] = []
        self.own: list[bool] = []
        self.weights: list[int] = []


def _weights(weights: list[int]) -> Sizes | None:
    """As `Group.weights`."""
    return np.array(weights, np.int64) if max(weights) > 1 else None


class Gatherer:
    """Gathers the events of a request by dataset."""

    def __init__(self) -> None:
        self._by_dataset: dict[str, _Gathered] = {}
        self._bytes = 0
        self.items = 0  # numbers given so far
        self._unreadable: list[tuple[int, Refused]] = []

    def next_item(self) -> int:
        """The number of the next item."""
        self.items += 1
        return self.items - 1

    def refuse(self, item: int, why: Refused) -> None:
        """Note an item that gives no event."""
        self._unreadable.append((item, why))

    def add(
        self, dataset: str, item: int, event: Accepted | Refused, *, own: bool, weight: int = 1
    ) -> None:
        """Add an event. Raises TooManyEventBytes.

        own: whether it is its item's own. weight: of how many items it is, `item` and later ones.
        """
        found = self._by_dataset.get(dataset)
        if found is None:
            found = self._by_dataset[dataset] = _Gathered()
        found.outcomes.append(event)
        found.items.append(item)
        found.own.append(own)
        found.weights.append(weight)
        if isinstance(event, Accepted):
            self._bytes += len(event.data)
            if self._bytes > limits.OTLP_EVENTS_BYTES_MAX:
                raise TooManyEventBytes

    def finish(self, facts: FactsByHash | None = None) -> DecodedRequest:
        """All events. facts: of columns of every dataset."""
        return DecodedRequest(
            [
                Group(
                    dataset,
                    decoded(found.outcomes),
                    np.array(found.items, np.int64),
                    np.array(found.own, np.bool_),
                    _weights(found.weights),
                    facts or {},
                )
                for dataset, found in self._by_dataset.items()
            ],
            self.items,
            self._unreadable,
        )
