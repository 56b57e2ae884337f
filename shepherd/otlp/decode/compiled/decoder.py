"""The compiled decoder: equal to the reference in every line, refusal and error (I9)."""

from collections import deque
from collections.abc import Callable

import numpy as np

from common import limits
from common.kernels.compile import SENTINEL_BYTES, Bytes
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.compiled.builder import RequestBuilder
from shepherd.otlp.decode.interface import DecodedRequest, OtlpBody, Signal
from shepherd.otlp.decode.kernel import memory as m
from shepherd.otlp.decode.kernel.memory import Memory, make_memory
from shepherd.otlp.decode.kernel.request import BROKEN, DONE, begin_request, write_lines
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder

_COMPILED = frozenset((Signal.TRACES, Signal.LOGS))  # metrics are read by the reference
_IDLE_MAX = 4  # memories kept for the next call: more calls at once are rare


class KernelDecoder:
    """Decodes in compiled code. Any number of threads may use it; each call has its own memory."""

    name = "kernel"

    def __init__(
        self,
        seeds: tuple[int, int],
        *,
        on_fallback: Callable[[int], None] = lambda _: None,
        string_max: int = limits.STRING_BYTES_MAX,
    ) -> None:
        """seeds: two secret 64-bit integers, so that senders cannot choose names that collide.

        on_fallback: told how many items were handed to the reference, a whole request as one.
        """
        self._seeds = seeds
        self._reference = ReferenceDecoder(string_max)
        self._on_fallback = on_fallback
        self._idle: deque[Memory] = deque(maxlen=_IDLE_MAX)

    def decode(self, body: OtlpBody, work: Work) -> DecodedRequest:
        """As `Decoder.decode`."""
        if body.signal in _COMPILED:
            try:
                found = self._decode(body, work)
            except MalformedBody:  # of an item; the whole request tells the same error
                found = None
            if found is not None:
                return found
            self._on_fallback(1)
        return self._reference.decode(body, work)

    def intact(self) -> bool:
        """Whether the guard words around the tables of the idle memory are unchanged."""
        return all(memory.intact() for memory in self._idle)

    def _decode(self, body: OtlpBody, work: Work) -> DecodedRequest | None:
        """None if the reference has to read the whole. Raises MalformedBody, TooMuchWork."""
        try:
            memory = self._idle.pop()
        except IndexError:
            memory = make_memory(self._seeds)
        try:
            words, size = memory.words, len(body.message)
            buffer = _padded(body.message, memory.body)
            builder = RequestBuilder(body, self._reference, work)
            begin_request(words, memory.arena)
            words[m.ARRIVAL] = body.arrival_ns
            words[m.IS_LOGS] = body.signal is Signal.LOGS
            while True:
                work.check()  # a pass takes some milliseconds at most
                state, written = write_lines(
                    buffer, size, words, memory.arena, memory.tail, memory.out
                )
                if state == BROKEN:
                    return None
                builder.add_pass(memory, written)
                if state == DONE:
                    break
            items = int(words[m.ITEMS])
        finally:
            self._idle.append(memory)
        if builder.entries:
            self._on_fallback(builder.entries)
        return builder.build(items)


def _padded(message: bytes, reused: Bytes) -> Bytes:
    """The message and its sentinel, in `reused` if they fit."""
    size = len(message)
    whole = size + SENTINEL_BYTES
    buffer = reused[:whole] if whole <= len(reused) else np.empty(whole, np.uint8)
    buffer[:size] = np.frombuffer(message, np.uint8)
    buffer[size:] = 0
    return buffer
