"""Builds the events of a request from the passes over it (I9).

Items that the kernel left to the reference are read once the whole request is known to be valid:
those of one pass as a request of their own, with their resources and scopes.
"""

from typing import NamedTuple

import numpy as np

from common import limits
from common.scan.events import Mended, Refused
from common.scan.work_budget import Work
from shepherd.ingest.decoded_events import NO_LINES, Decoded, Lines, Sizes
from shepherd.otlp.decode.compiled.entries import request_of
from shepherd.otlp.decode.interface import (
    DecodedRequest,
    Decoder,
    Flags,
    Group,
    OtlpBody,
    Signal,
)
from shepherd.otlp.decode.kernel import memory as m
from shepherd.otlp.decode.kernel.memory import Memory
from shepherd.otlp.decode.kernel.tail import UNREAD
from shepherd.otlp.decode.reference.events import TooManyEventBytes
from shepherd.otlp.decode.reference.logs import logs_dataset
from shepherd.otlp.decode.reference.origin import traces_dataset
from shepherd.otlp.decode.reference.values import Value

_BYTES_PER_UNIT = 1_024  # written, also lines that were dropped; as the reference counts texts


class _Pass(NamedTuple):
    """What a pass wrote. dataset: of its lines; None if only the reference can tell.

    items: per line, item << 1 | whether it is the item's own. entries: see `entries`.
    """

    dataset: str | None
    text: bytes
    line_bytes: Sizes
    data_bytes: Sizes
    items: Sizes
    entries: Sizes


class RequestBuilder:
    """The passes over a request so far. entries: items in them that are for the reference."""

    def __init__(self, body: OtlpBody, reference: Decoder, work: Work) -> None:
        self._body = body
        self._reference = reference
        self._work = work
        self._passes: list[_Pass] = []
        self._datasets: dict[bytes, str] = {}
        self._bytes = 0
        self._groups: dict[str, _Events] = {}
        self._unreadable: list[tuple[int, Refused]] = []
        self.entries = 0

    def add_pass(self, memory: Memory, size: int) -> None:
        """Add the lines of a pass, `size` bytes. Raises TooManyEventBytes, TooMuchWork."""
        words = memory.words
        rows, entries = int(words[m.ROWS]), int(words[m.ENTRIES])
        self._work.spend(1 + int(words[m.BYTES]) // _BYTES_PER_UNIT)
        if not rows + entries:
            return
        self.entries += entries
        data_bytes = _copy(words, m.DATA_BYTES, rows)
        self._count(int(data_bytes.sum()))
        self._passes.append(
            _Pass(
                self._dataset(words),
                memory.out[:size].tobytes(),
                _copy(words, m.LINE_BYTES, rows),
                data_bytes,
                _copy(words, m.LINE_ITEM, rows),
                _copy(words, m.ENTRY, entries * m.ENTRY_WORDS).reshape(entries, m.ENTRY_WORDS),
            )
        )

    def build(self, items: int) -> DecodedRequest:
        """The whole request, of `items` items. Raises MalformedBody, TooMuchWork."""
        for one in self._passes:
            if len(one.entries):
                self._add_with_entries(one)
            else:
                self._group(one.dataset or "").add_lines(one, 0, len(one.items))
        groups = [events.build(dataset) for dataset, events in self._groups.items()]
        return DecodedRequest(groups, items, self._unreadable)

    def _count(self, data_bytes: int) -> None:
        self._bytes += data_bytes
        if self._bytes > limits.OTLP_EVENTS_BYTES_MAX:
            raise TooManyEventBytes

    def _dataset(self, words: Sizes) -> str | None:
        begin, end = int(words[m.PASS_SERVICE]), int(words[m.PASS_SERVICE_TO])
        if begin == UNREAD:
            return None
        service = self._body.message[begin:end] if begin >= 0 else None
        key = b"" if service is None else b"=" + service
        found = self._datasets.get(key)
        if found is None:
            values: dict[str, Value] = {}
            if service is not None:
                values["service.name"] = service.decode()
            choose = logs_dataset if self._body.signal is Signal.LOGS else traces_dataset
            found = self._datasets[key] = choose(self._body, values)
        return found

    def _group(self, dataset: str) -> "_Events":
        found = self._groups.get(dataset)
        if found is None:
            found = self._groups[dataset] = _Events()
        return found

    def _add_with_entries(self, one: _Pass) -> None:
        """Add the events of a pass, those of the reference where their items stood."""
        message = request_of(self._body.message, one.entries)
        body = OtlpBody(
            self._body.signal,
            message,
            self._body.arrival_ns,
            self._body.dataset,
            self._body.classic,
        )
        found = self._reference.decode(body, self._work)
        numbers = one.entries[:, m.ENTRY_ITEM]
        rows = one.entries[:, m.ENTRY_ROW]
        self._unreadable += [(int(numbers[item]), why) for item, why in found.unreadable]
        done = 0
        for group in found.groups:
            self._count(int(group.events.lines.data_bytes.sum()))
            target = self._group(group.dataset)
            if group.dataset != one.dataset:
                target.add_items(group, 0, len(group.items), numbers)
                continue
            firsts = np.flatnonzero(np.diff(group.items, prepend=-1)).tolist()
            for first, end in zip(firsts, [*firsts[1:], len(group.items)], strict=True):
                row = int(rows[group.items[first]])
                target.add_lines(one, done, row)
                target.add_items(group, first, end, numbers)
                done = row
        if done < len(one.items):
            self._group(one.dataset or "").add_lines(one, done, len(one.items))


class _Events:
    """The events of one dataset so far."""

    def __init__(self) -> None:
        self._events = 0
        self._texts: list[bytes] = []
        self._line_bytes: list[Sizes] = []
        self._data_bytes: list[Sizes] = []
        self._items: list[Sizes] = []
        self._own: list[Flags] = []
        self._refused: list[tuple[int, Refused]] = []
        self._mended: list[tuple[int, tuple[Mended, ...]]] = []

    def add_lines(self, one: _Pass, first: int, end: int) -> None:
        """The lines of a pass from `first` up to `end`."""
        if first == end:
            return
        lines = Lines(one.text, one.line_bytes, one.data_bytes)
        self._add_lines(lines, first, end)
        items = one.items[first:end]
        self._items.append(items >> 1)
        self._own.append((items & 1).astype(np.bool_))
        self._events += end - first

    def add_items(self, group: Group, first: int, end: int, numbers: Sizes) -> None:
        """The reference's events from `first` up to `end`. numbers: of its items."""
        refused = [(at, why) for at, why in group.events.refused if at < end]
        before = sum(at < first for at, _ in refused)
        self._add_lines(group.events.lines, first - before, end - len(refused))
        moved = self._events - first
        self._refused += [(at + moved, why) for at, why in refused[before:]]
        self._mended += [
            (at + moved, fields) for at, fields in group.events.mended if first <= at < end
        ]
        self._items.append(numbers[group.items[first:end]])
        self._own.append(group.own[first:end])
        self._events += end - first

    def build(self, dataset: str) -> Group:
        """As the decoder gives them."""
        lines = NO_LINES
        if self._texts:
            lines = Lines(
                b"".join(self._texts),
                np.concatenate(self._line_bytes),
                np.concatenate(self._data_bytes),
            )
        events = Decoded(self._events, lines, self._refused, self._mended)
        return Group(dataset, events, np.concatenate(self._items), np.concatenate(self._own))

    def _add_lines(self, lines: Lines, first: int, end: int) -> None:
        self._texts.append(lines.between(first, end))
        self._line_bytes.append(lines.line_bytes[first:end])
        self._data_bytes.append(lines.data_bytes[first:end])


def _copy(words: Sizes, at: int, size: int) -> Sizes:
    return words[at : at + size].copy()
