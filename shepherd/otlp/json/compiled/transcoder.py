"""The compiled transcoder: equal to the reference in every byte and error."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from common.kernels.compile import SENTINEL_BYTES, Bytes, Int64s
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.compiled.tables import make_tables
from shepherd.otlp.json.kernel import tables as t
from shepherd.otlp.json.kernel.walk import transcode
from shepherd.otlp.json.parse import check_size, parse_value
from shepherd.otlp.json.reference import (
    VALUE_NESTING_MAX,
    Walk,
    write_field,
)
from shepherd.otlp.json.transcode import ReferenceTranscoder

_TEXT_BYTES: Final = 1_048_576  # larger texts get buffers of their own
_PASS_BYTES: Final = 262_144  # of text: half a millisecond
_BYTES_PER_UNIT: Final = 1_024
_ODD_UNITS: Final = 4  # leaving the kernel and returning, on top of what the reference reads
_IDLE_MAX: Final = 4  # memories kept for the next call: more calls at once are rare
_GUARD: Final = -0x0123456789ABCDEF


class _Broken(Exception):
    """The reference has to read the whole text."""


class _Memory(NamedTuple):
    words: Int64s
    text: Bytes
    out: Bytes


class KernelTranscoder:
    """Transcodes in compiled code, without the GIL. Each call has its own memory."""

    name = "kernel"

    def __init__(
        self,
        on_fallback: Callable[[int], None] = lambda _: None,
        pass_bytes: int = _PASS_BYTES,
    ) -> None:
        self._reference = ReferenceTranscoder()
        self._on_fallback = on_fallback
        self._pass_bytes = pass_bytes
        self._tables = make_tables()
        self._idle: deque[_Memory] = deque(maxlen=_IDLE_MAX)

    def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
        """As `Transcoder.to_protobuf`."""
        check_size(text)
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = _memory(_TEXT_BYTES)
        try:
            large = len(text) > _TEXT_BYTES
            used = _memory(len(text), memory.words) if large else memory
            return self._transcode(signal, text, used, work)
        except _Broken:
            self._on_fallback(1)
        finally:
            self._idle.append(memory)
        return self._reference.to_protobuf(signal, text, work)

    def intact(self) -> bool:
        """Whether the guard words around the tables of the idle memory are unchanged."""
        return all(
            (memory.words[end - t.GUARD_WORDS : end] == _GUARD).all()
            for memory in self._idle
            for end in t.ENDS
        )

    def _transcode(self, signal: Signal, text: bytes, memory: _Memory, work: Work) -> bytes:
        words, buffer, out = memory
        tables = self._tables
        length = len(text)
        buffer[:length] = np.frombuffer(text, np.uint8)
        buffer[length : length + SENTINEL_BYTES] = 0
        words[: t.HEAD_WORDS] = 0
        words[t.DEPTH] = -1
        words[t.NESTING_MAX] = VALUE_NESTING_MAX
        words[t.FRAMES + t.FRAME_WHAT] = tables.messages[signal]
        words[t.FRAMES + t.FRAME_SEEN] = 0
        read = 0
        while True:
            state = transcode(
                buffer, length, read + self._pass_bytes, tables.words, tables.names, words, out
            )
            if state == t.BROKEN:
                raise _Broken
            if state == t.ODD:
                self._write_odd(text, memory, work)
            at = int(words[t.AT])
            work.spend(1 + (at - read) // _BYTES_PER_UNIT)
            read = at
            if state == t.DONE:
                return out[: words[t.TO]].tobytes()

    def _write_odd(self, text: bytes, memory: _Memory, work: Work) -> None:
        """Let the reference write the value at which the kernel stopped."""
        words, _, out = memory
        work.spend(_ODD_UNITS)
        self._on_fallback(1)
        message, field = self._tables.fields[int(words[t.ODD_FIELD]) // t.FIELD_WORDS]
        end = int(words[t.ODD_END])
        value = parse_value(text[int(words[t.ODD_AT]) : end], work)
        if words[t.ODD_ELEMENT]:
            value = [value]
        piece = write_field(message, field.name, value, Walk(work, int(words[t.NESTING])))
        to = int(words[t.TO])
        after = to + len(piece)
        if after + t.OUT_PER_BYTE * (len(text) - end) + t.OUT_ROOM > len(out):
            raise _Broken
        out[to:after] = np.frombuffer(piece, np.uint8)
        words[t.TO] = after


def _memory(text_bytes: int, words: Int64s | None = None) -> _Memory:
    """Memory for texts of that size; its pages are real once they are used."""
    if words is None:
        words = np.zeros(t.WORDS, np.int64)
        for end in t.ENDS:
            words[end - t.GUARD_WORDS : end] = _GUARD
    return _Memory(
        words,
        np.empty(text_bytes + SENTINEL_BYTES, np.uint8),
        np.empty(t.OUT_PER_BYTE * text_bytes + t.OUT_ROOM, np.uint8),
    )
