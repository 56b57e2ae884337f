"""The compiled splitter: equal to the reference in every line, refusal and error (I9).

In JSON the kernel reads everything but unusual times and rates, and numbers at the limits of the
doubles. In msgpack the reference reads each element that the kernel does not prove valid, or the
whole body.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from common import limits
from common.kernels.compile import SENTINEL_BYTES, Bytes
from common.scan import fast_msgpack, json_events
from common.scan.events import Accepted, MalformedBody, Refused
from common.scan.json_events import Reading
from common.scan.json_tokens import JsonSyntaxError
from common.scan.work_budget import TooMuchWork, Work
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.compiled.builder import DecodedBuilder
from shepherd.honeycomb.split.compiled.faults import error_of
from shepherd.honeycomb.split.kernel import memory as m
from shepherd.honeycomb.split.kernel.body import split_events
from shepherd.honeycomb.split.kernel.element_faults import BROKEN, DONE, FAULTY, MORE
from shepherd.honeycomb.split.kernel.memory import Memory, make_memory
from shepherd.honeycomb.split.kernel.msgpack.body import split_packed
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.ingest.decoded_events import Decoded

# Elements that may fall back to the exact scanner one by one: a few, and one of sixteen. Beyond
# that the reference reads the whole body: its own fast path handles some elements that the kernel
# does not. So a body takes no longer than with the reference alone, plus the part read twice.
_FALLBACKS_FREE = 16
_ELEMENTS_PER_FALLBACK = 16
_FALLBACK_UNITS = 4  # leaving the kernel and returning, on top of what the reference reads
_IDLE_MAX = 4  # memories kept for the next call: more calls at once are rare
_ARRAY_OF_ONE = b"\x91"


class _Broken(Exception):
    """The reference has to read the whole body: it is no array, or too many elements fall back."""


class _NotQuick(Exception):
    """The body needs the reference, which may block for too long."""


class KernelSplitter:
    """Splits in compiled code. Any number of threads may use it; each call has its own memory."""

    name = "kernel"

    def __init__(
        self,
        *,
        on_fallback: Callable[[int], None] = lambda _: None,
        string_max: int = limits.STRING_BYTES_MAX,
    ) -> None:
        self._reference = ReferenceSplitter(string_max)
        self._string_max = string_max
        self._on_fallback = on_fallback
        self._idle: deque[Memory] = deque(maxlen=_IDLE_MAX)

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Decoded:
        """As `Splitter.split`."""
        work = work or Work()
        try:
            return self._split(body, media, depth, arrival_ns, work, at_once=False)
        except _Broken:
            self._on_fallback(1)
            return self._reference.split(body, media, depth, arrival_ns, work)

    def split_quickly(
        self, body: bytes, media: Media, depth: int, arrival_ns: int
    ) -> Decoded | None:
        """As `Splitter.split_quickly`."""
        work = Work(limits.ON_LOOP_WORK_UNITS_MAX)
        try:
            if len(body) <= limits.OFF_LOOP_BODY_BYTES:
                return self.split(body, media, depth, arrival_ns, work)
            if len(body) <= limits.OFF_LOOP_KERNEL_BYTES:
                return self._split(body, media, depth, arrival_ns, work, at_once=True)
        except (_Broken, _NotQuick, TooMuchWork):
            pass
        return None

    def intact(self) -> bool:
        """Whether the guard words around the tables of the idle memory are unchanged."""
        return all(memory.intact() for memory in self._idle)

    def _split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work, *, at_once: bool
    ) -> Decoded:
        """at_once: raise _NotQuick instead of falling back. Raises _Broken."""
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = make_memory()
        try:
            words, out, length = memory.words, memory.out, len(body)
            buffer = _padded(body, memory.body)
            reading = Reading(body, depth, arrival_ns, work, self._string_max)
            builder = DecodedBuilder(reading)
            at, after_element, elements, fallbacks = -1, 0, 0, 0
            while True:
                work.check()  # a pass takes some milliseconds at most
                if media is Media.MSGPACK:
                    state, at, elements, rows, size = split_packed(
                        buffer, length, at, elements, depth, arrival_ns, words, out
                    )
                else:
                    state, at, elements, rows, size = split_events(
                        buffer, length, at, after_element, elements, depth, arrival_ns, words, out
                    )
                if state == BROKEN:
                    raise _Broken
                if state == FAULTY:
                    raise error_of(memory)
                builder.add_pass(memory, rows, size)
                if state == DONE:
                    return builder.build(elements)
                after_element = 0
                if state == MORE:
                    continue
                if at_once:
                    raise _NotQuick
                self._on_fallback(1)
                work.spend(_FALLBACK_UNITS)
                fallbacks += 1
                if fallbacks > _FALLBACKS_FREE + elements // _ELEMENTS_PER_FALLBACK:
                    raise _Broken
                if media is Media.MSGPACK:
                    end = int(words[m.ELEMENT_END])
                    outcome, at = _read_packed(reading, at, end)
                else:
                    outcome, at = _read_element(reading, at)
                builder.add(elements, outcome)
                elements += 1
                after_element = 1
        finally:
            self._idle.append(memory)


def _padded(body: bytes, reused: Bytes) -> Bytes:
    """The body and its sentinel, in `reused` if they fit."""
    size = len(body)
    whole = size + SENTINEL_BYTES
    buffer = reused[:whole] if whole <= len(reused) else np.empty(whole, np.uint8)
    buffer[:size] = np.frombuffer(body, np.uint8)
    buffer[size:] = 0
    return buffer


def _read_element(reading: Reading, at: int) -> tuple[Accepted | Refused, int]:
    """The reference's outcome of the element at `at`, and the element's end.

    Raises MalformedBody, as the reference would for the whole body: everything before the element
    is proved valid, and reading up to the fault a second time would take twice as long.
    """
    try:
        return json_events.read_element(reading, at)
    except JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error


def _read_packed(reading: Reading, at: int, end: int) -> tuple[Accepted | Refused, int]:
    """The reference's outcome of the msgpack element body[at:end], and its end. Raises _Broken."""
    try:
        (outcome,) = fast_msgpack.split_batch(_ARRAY_OF_ONE + reading.body[at:end], *reading[1:])
    except MalformedBody as error:
        raise _Broken from error
    return outcome, end
