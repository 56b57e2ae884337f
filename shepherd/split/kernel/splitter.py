"""The compiled splitter: equal to the reference in every line, refusal and error (I9).

What the kernel does not prove it hands over: an element alone, the time and rate of an element, or
a body that is broken. The reference says what is wrong, or reads what the kernel does not know.
"""

from collections import deque
from collections.abc import Callable

import numpy as np

from common import limits
from common.record import encode_event_line
from common.scan import fast_msgpack, json_events
from common.scan.events import Accepted, EventFault, MalformedBody, Refused
from common.scan.json_tokens import JsonSyntaxError
from common.scan.kernel.build import SENTINEL_BYTES, Bytes
from common.scan.work import TooMuchWork, Work
from shepherd.body import Media
from shepherd.split.interface import Lines, Sizes, Split
from shepherd.split.kernel import memory as m
from shepherd.split.kernel.body import BROKEN, DONE, ELEMENT, MORE, VALUES, split_events
from shepherd.split.kernel.memory import Memory, make_memory
from shepherd.split.kernel.msgpack.body import split_packed
from shepherd.split.reference import ReferenceSplitter

# Elements read by the exact scanner one by one: some, and one of sixteen. Beyond, the whole body
# goes to the reference, whose own fast way knows some that the kernel does not. So no body takes
# longer than with the reference alone, but for what was read in vain. An element of which only the
# time or the rate is read counts too if it is small: its way out of the kernel and back costs what
# the reference takes for 200 bytes.
_SOME_HANDED = 16
_ELEMENTS_PER_HANDED = 16
_SMALL_BYTES = 256
_HANDED_UNITS = 4  # the way out of the kernel and back, beside what the reference reads
_IDLE_MAX = 4  # memories kept for the next call: more calls at once are rare
_NO_LINES = Lines(b"", np.zeros(0, np.int64), np.zeros(0, np.int64))
_ARRAY_OF_ONE = b"\x91"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class _Broken(Exception):
    """The body as a whole is for the reference: it is no array, or too much of it is."""


class _NotQuick(Exception):
    """The reference is needed, which may take long."""


class _Gathered:
    """The lines and refusals of a body so far."""

    def __init__(self) -> None:
        self._texts: list[bytes] = []
        self._line_bytes: list[Sizes] = []
        self._data_bytes: list[Sizes] = []
        self.refused: list[tuple[int, Refused]] = []

    def add_pass(self, memory: Memory, rows: int, size: int) -> None:
        words = memory.words
        if rows:
            self._texts.append(memory.out[:size].tobytes())
            self._line_bytes.append(words[m.LINE_BYTES : m.LINE_BYTES + rows].copy())
            self._data_bytes.append(words[m.DATA_BYTES : m.DATA_BYTES + rows].copy())

    def add(self, place: int, outcome: Accepted | Refused) -> None:
        if isinstance(outcome, Refused):
            self.refused.append((place, outcome))
            return
        line = encode_event_line(outcome.time_ns, outcome.rate, outcome.data)
        self._texts.append(line)
        self._line_bytes.append(np.array([len(line)], np.int64))
        self._data_bytes.append(np.array([len(outcome.data)], np.int64))

    def lines(self) -> Lines:
        if len(self._texts) == 1:
            return Lines(self._texts[0], self._line_bytes[0], self._data_bytes[0])
        if not self._texts:
            return _NO_LINES
        return Lines(
            b"".join(self._texts),
            np.concatenate(self._line_bytes),
            np.concatenate(self._data_bytes),
        )


class KernelSplitter:
    """Splits in compiled code. Any number of threads may use it; each call has its own memory."""

    name = "kernel"

    def __init__(self, *, handed_over: Callable[[int], None] = lambda _: None) -> None:
        self._reference = ReferenceSplitter()
        self._handed_over = handed_over
        self._idle: deque[Memory] = deque(maxlen=_IDLE_MAX)

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> Split:
        """As `Splitter.split`."""
        work = work or Work()
        try:
            return self._split(body, media, depth, arrival_ns, work, at_once=False)
        except _Broken:
            self._handed_over(1)
            return self._reference.split(body, media, depth, arrival_ns, work)

    def split_quickly(self, body: bytes, media: Media, depth: int, arrival_ns: int) -> Split | None:
        """As `Splitter.split_quickly`."""
        if len(body) <= limits.OFF_LOOP_BODY_BYTES:
            work = Work(limits.ON_LOOP_WORK_UNITS_MAX)
            try:
                return self.split(body, media, depth, arrival_ns, work)
            except TooMuchWork:
                return None
        if len(body) > limits.OFF_LOOP_KERNEL_BYTES:
            return None
        try:
            return self._split(body, media, depth, arrival_ns, Work(), at_once=True)
        except (_Broken, _NotQuick):
            return None

    def intact(self) -> bool:
        """Whether nothing was written beside a table of the memory that is idle now."""
        return all(memory.intact() for memory in self._idle)

    def _split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work, *, at_once: bool
    ) -> Split:
        """at_once: raise _NotQuick instead of handing anything over. Raises _Broken."""
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = make_memory()
        try:
            words, out, length = memory.words, memory.out, len(body)
            buffer = _padded(body, memory.body)
            gathered = _Gathered()
            at, behind, elements, handed = -1, 0, 0, 0
            while True:
                work.look()  # a pass takes some milliseconds at most
                if media is Media.MSGPACK:
                    state, at, elements, rows, size = split_packed(
                        buffer, length, at, elements, depth, arrival_ns, words, out
                    )
                else:
                    state, at, elements, rows, size = split_events(
                        buffer, length, at, behind, elements, depth, arrival_ns, words, out
                    )
                if state == BROKEN:
                    raise _Broken
                gathered.add_pass(memory, rows, size)
                if state == DONE:
                    return Split(elements, gathered.lines(), gathered.refused)
                behind = 0
                if state == MORE:
                    continue
                if at_once:
                    raise _NotQuick
                self._handed_over(1)
                work.spend(_HANDED_UNITS)
                handed += state == ELEMENT or _is_small(memory)
                if handed > _SOME_HANDED + elements // _ELEMENTS_PER_HANDED:
                    raise _Broken
                if state == VALUES:
                    gathered.add(elements, _with_values(body, memory, arrival_ns))
                else:
                    assert state == ELEMENT
                    if media is Media.MSGPACK:
                        end = int(words[m.ELEMENT_END])
                        outcome, at = _read_packed(body, at, end, depth, arrival_ns, work)
                    else:
                        outcome, at = _read_element(body, at, depth, arrival_ns, work)
                    gathered.add(elements, outcome)
                elements += 1
                behind = 1
        finally:
            self._idle.append(memory)


def _padded(body: bytes, reused: Bytes) -> Bytes:
    """The body and its sentinel, in memory that is there already if it fits."""
    size = len(body)
    whole = size + SENTINEL_BYTES
    buffer = reused[:whole] if whole <= len(reused) else np.empty(whole, np.uint8)
    buffer[:size] = np.frombuffer(body, np.uint8)
    buffer[size:] = 0
    return buffer


def _read_element(
    body: bytes, at: int, depth: int, arrival_ns: int, work: Work
) -> tuple[Accepted | Refused, int]:
    """What the reference says of the element at `at`, and where it ends.

    Raises MalformedBody, as the reference would of the whole body: all before the element is
    proved, and reading up to the fault a second time would make such bodies twice as slow.
    """
    try:
        return json_events.read_element(body, at, depth, arrival_ns, work)
    except JsonSyntaxError as error:
        raise MalformedBody(str(error)) from error


def _read_packed(
    body: bytes, at: int, end: int, depth: int, arrival_ns: int, work: Work
) -> tuple[Accepted | Refused, int]:
    """What the reference says of the msgpack element body[at:end], and its end. Raises _Broken."""
    try:
        (outcome,) = fast_msgpack.split_batch(_ARRAY_OF_ONE + body[at:end], depth, arrival_ns, work)
    except MalformedBody as error:
        raise _Broken from error
    return outcome, end


def _is_small(memory: Memory) -> bool:
    """Of an element of which all is proved but the time and the rate."""
    return int(memory.words[m.DATA_END] - memory.words[m.DATA_AT]) <= _SMALL_BYTES


def _with_values(body: bytes, memory: Memory, arrival_ns: int) -> Accepted | Refused:
    """An element of which all is proved but the time and the rate."""
    words = memory.words
    try:
        rate = 1
        if words[m.RATE_AT] >= 0 and (raw := body[words[m.RATE_AT] : words[m.RATE_END]]) != b"null":
            rate = json_events.sample_rate(raw)
        time_ns = arrival_ns
        if words[m.TIME_AT] >= 0:
            raw = body[words[m.TIME_AT] : words[m.TIME_END]]
            time_ns = json_events.event_time(raw, arrival_ns)
        data = body[words[m.DATA_AT] : words[m.DATA_END]]
        return Accepted(time_ns, rate, data.translate(_ONE_LINE))
    except EventFault as fault:
        return fault.refused()
