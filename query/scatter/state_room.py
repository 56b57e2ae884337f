"""Memory for the states that indexers send: bounded per question and in all, shared fairly.

Bytes are reserved before they are read, and count until nothing refers to them any more. Keeps I11
and I14:

- One question may hold a third of the whole room.
- An environment may hold as much as is left free, so half of the room while it is alone, the next
  one a quarter, and so on; a key half as much as is left free, a third of the room while it is
  alone (the dynamic thresholds of `common.process.fair.queue`). Some room is always left for the
  next newcomer.
- The first MiB of each question is not counted: as questions that run are bounded in number, so is
  that, and small questions are never refused because of large ones.
"""

import weakref
from collections import Counter, deque
from typing import Final

from common import limits
from common.errors import TooManyRequests, Unavailable, Unprocessable
from common.metrics import query_state_bytes

_MIB: Final = 2**20
_QUESTION_PART: Final = 3  # a question may hold the room divided by this


class _StateBytes(bytearray):
    """Bytes whose end of life can be observed, also while only Arrow tables refer to them."""


class StateRoom:
    """The room of one query role. Use it from one event loop; bytes may be freed in any thread.

    bytes_max: of states in all.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.question_bytes_max = bytes_max // _QUESTION_PART
        self._of_env: Counter[str] = Counter()
        self._of_key: Counter[tuple[str, str]] = Counter()
        # What was freed since the last look: by other threads too, which may append to a deque.
        self._freed: deque[tuple[QuestionStates, int]] = deque()

    def question(self, env: str, key: str) -> "QuestionStates":
        """The states of a question that this key of an environment asks."""
        return QuestionStates(self, env, key)

    @property
    def used(self) -> int:
        """Bytes that count now."""
        self.settle()
        return self._of_env.total()

    def free_later(self, question: "QuestionStates", size: int) -> None:
        """These bytes of a question are gone. May be called from any thread."""
        self._freed.append((question, size))

    def reserve(self, question: "QuestionStates", size: int) -> None:
        """Count these bytes. Raises as `QuestionStates.reserve`."""
        self.settle()
        if question.held + size > self.question_bytes_max:
            raise Unprocessable(
                f"the query's states take more than {self.question_bytes_max // _MIB} MiB, a third "
                f"of `query.states_mb`, which one query may have: filter more, or break down by "
                "fewer or shorter values"
            )
        more = _counted(question.held + size) - _counted(question.held)
        if more:
            self._check(question, more)
        self._count(question, size)

    def _check(self, question: "QuestionStates", more: int) -> None:
        """Refuse what is more than the share of the question's environment or key."""
        env, key = question.env, (question.env, question.key)
        left = self.bytes_max - self._of_env.total() - more
        of_env, of_key = self._of_env[env] + more, self._of_key[key] + more
        if of_env <= left and 2 * of_key <= left:
            return
        whole = f"the {self.bytes_max // _MIB} MiB of `query.states_mb`"
        if self._of_env[env] > _counted(question.held):
            raise TooManyRequests(
                f"states of other queries of this environment or key fill its share of {whole}; "
                "try again later, or filter more",
                limits.STATES_RETRY_S,
            )
        raise Unavailable(
            f"states of other queries fill {whole}; try again later, or filter more",
            limits.STATES_RETRY_S,
        )

    def _count(self, question: "QuestionStates", size: int) -> None:
        more = _counted(question.held + size) - _counted(question.held)
        question.held += size
        if more:
            self._of_env[question.env] += more
            self._of_key[question.env, question.key] += more
            if more < 0:
                self._of_env, self._of_key = +self._of_env, +self._of_key  # names without any
        query_state_bytes.set(self._of_env.total())

    def settle(self) -> None:
        """Count what was freed since the last look; the metric says so from now on."""
        while self._freed:
            question, size = self._freed.popleft()
            self._count(question, -size)


class QuestionStates:
    """The states of one question. held: bytes of them that are in memory."""

    def __init__(self, room: StateRoom, env: str, key: str) -> None:
        self.room, self.env, self.key = room, env, key
        self.held = 0

    def reserve(self, size: int) -> bytearray:
        """Zeroed bytes for a share's answer, which count until nothing refers to them.

        Raises Unprocessable when the question has more than one may have, TooManyRequests when its
        environment or key has more than its share, or Unavailable when others have everything.
        """
        self.room.reserve(self, size)
        try:
            data = _StateBytes(size)
        except MemoryError:
            self.room.free_later(self, size)
            raise
        weakref.finalize(data, self.room.free_later, self, size).atexit = False
        return data


def _counted(held: int) -> int:
    """Of the bytes that a question holds, those beyond what each may have anyway."""
    return max(0, held - limits.STATES_UNCOUNTED_BYTES)
