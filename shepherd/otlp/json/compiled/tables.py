"""The messages of `schema` as the kernel's tables."""

from typing import Final, NamedTuple

import numpy as np

from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.kernel import tables as t
from shepherd.otlp.json.schema import MESSAGES, REQUESTS, Field, Kind
from shepherd.otlp.json.tags import tag_of

_ANY: Final = "AnyValue"
_NESTING: Final = ("ArrayValue", "KeyValueList")
_WORD: Final = 2**64
# Bytes of the lengths of messages that are usually longer than 127 bytes.
_RESERVED: Final = {
    **dict.fromkeys(("Span", "LogRecord", "Metric", "Resource"), 2),
    **dict.fromkeys(("ScopeSpans", "ScopeLogs", "ScopeMetrics"), 3),
    **dict.fromkeys(("ResourceSpans", "ResourceLogs", "ResourceMetrics"), 3),
}


class Tables(NamedTuple):
    """words, names: see `kernel.tables`.

    messages: number of each request's message.
    fields: per field (name of its message, itself), in the order of their words.
    """

    words: Int64s
    names: Bytes
    messages: dict[Signal, int]
    fields: list[tuple[str, Field]]


def make_tables() -> Tables:
    """The tables of all messages."""
    numbers = {name: number for number, name in enumerate(MESSAGES)}
    words = np.zeros(t.TABLE_WORDS, np.int64)
    names = np.zeros(t.ENTRIES_MAX * t.NAME_BYTES + SENTINEL_BYTES, np.uint8)
    fields = [(name, field) for name, declared in MESSAGES.items() for field in declared]
    entries = 0
    bits = dict.fromkeys(MESSAGES, 0)
    for message, number in numbers.items():
        about = t.MESSAGES + number * t.MESSAGE_WORDS
        words[about + t.RESERVED] = _RESERVED.get(message, 1)
        words[about + t.NESTS] = message in _NESTING
    for index, (message, field) in enumerate(fields):
        at = t.FIELDS + index * t.FIELD_WORDS
        words[at : at + t.FIELD_WORDS] = _field_words(field, numbers, bits[message])
        bits[message] += 1
        for name in field.names:
            _add_name(words, names, entries, numbers[message], name.encode(), at)
            entries += 1
    return Tables(words, names, {s: numbers[name] for s, name in REQUESTS.items()}, fields)


def _field_words(field: Field, numbers: dict[str, int], bit: int) -> list[int]:
    tag = tag_of(field)
    described = dict.fromkeys(range(t.FIELD_WORDS), 0)
    described[t.FIELD_KIND] = field.kind
    described[t.FIELD_TAG] = int.from_bytes(tag, "little")
    described[t.FIELD_TAG_BYTES] = len(tag)
    described[t.FIELD_TYPE] = numbers[field.type] if field.kind is Kind.MESSAGE else -1
    described[t.FIELD_BIT] = 1 << bit
    described[t.FIELD_REPEATED] = field.repeated
    described[t.FIELD_ALWAYS] = field.always
    described[t.FIELD_ITEMS] = field.items
    described[t.FIELD_ANY] = field.type == _ANY
    return list(described.values())


def _add_name(
    words: Int64s, names: Bytes, entry: int, message: int, name: bytes, field: int
) -> None:
    size = len(name)
    first = int.from_bytes(name[:8], "little")
    last = int.from_bytes(name[-8:], "little") if size >= 8 else first
    mixed = (first ^ last << 1 ^ message << 7 ^ size) * t.HASH_FACTOR % _WORD
    place = mixed >> (64 - t.HASH_BITS)
    while words[t.HASH + place]:
        place = (place + 1) % (1 << t.HASH_BITS)
    words[t.HASH + place] = entry + 1
    at = t.ENTRIES + entry * t.ENTRY_WORDS
    words[at : at + t.ENTRY_WORDS] = message, size, field
    names[entry * t.NAME_BYTES : entry * t.NAME_BYTES + size] = np.frombuffer(name, np.uint8)
