"""The question that the present task answers: the rooms below the route write down what they know.

It belongs to the task, like the trace of a request (`common.process.trace_context`), so that no
room has to hand it on. Without one, what is written down is forgotten.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from common import limits
from common.metadata import ApiKey

QUERY: Final = "query"  # the kind of what calculates
_CURRENT: Final[ContextVar["Question | None"]] = ContextVar("question", default=None)
# Members of requests that say how an answer is wanted rather than what is asked.
_HOW: Final = frozenset({"after", "coverage", "cursor", "dataset", "wait_s"})


@dataclass(slots=True)
class Question:
    """A question from its request to its answer.

    kind: `query`, `rows`, `fields`, `trace` and others. client: the caller's User-Agent.
    started_ns, queued_ns: monotonic ns of its beginning, and how long it waited for its turns.
    dataset: as its caller named it; empty: all of the environment.
    asked: JSON of what is asked; a text for a single id.
    fields: that it names. start_ns, end_ns: the range of event times, unix ns; None: all.
    rows, size_bytes: of live rows and segments that the indexers could not rule out.
    state_bytes: that indexers sent. complete: whether all events were covered; None: none was read.
    in_background: whether it goes on when its request has been answered.
    admit: refuses a key that asks too much.
    more: other facts by name.
    """

    kind: str
    started_ns: int
    client: str = ""
    key: ApiKey | None = None
    dataset: str = ""
    asked: str = ""
    fields: set[str] = field(default_factory=set)
    start_ns: int | None = None
    end_ns: int | None = None
    queued_ns: int = 0
    rows: int = 0
    size_bytes: int = 0
    state_bytes: int = 0
    complete: bool | None = None
    reused: bool = False
    in_background: bool = False
    admit: Callable[[ApiKey], None] | None = field(default=None, repr=False)
    more: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def is_asked_by(self, key: ApiKey) -> None:
        """Who asks. Raises TooManyRequests."""
        self.key = key
        if self.admit is not None:
            self.admit(key)

    def is_about(self, dataset: str, body: dict[str, Any]) -> None:
        """What a request's body asks, without the members that say how."""
        self.dataset = self.dataset or dataset
        asked = body.get("query") if self.kind == QUERY else None  # its members tell it all
        if not isinstance(asked, dict):
            asked = {name: value for name, value in body.items() if name not in _HOW}
        self.asked = msgspec.json.encode(asked).decode()

    def reads(self, fields: Iterable[str], start_ns: int, end_ns: int) -> None:
        """A plan that is sent to the indexers: the fields that it names, and its range."""
        if len(self.fields) < limits.QUESTION_FIELDS_MAX:
            self.fields |= set(fields)
        self.start_ns = start_ns if self.start_ns is None else min(self.start_ns, start_ns)
        self.end_ns = end_ns if self.end_ns is None else max(self.end_ns, end_ns)

    def has_read(self, rows: int, size_bytes: int, state_bytes: int) -> None:
        """What one share has read, and the bytes that it sent."""
        self.rows += rows
        self.size_bytes += size_bytes
        self.state_bytes += state_bytes

    def covers(self, complete: bool) -> None:
        """Whether an exchange covered everything; the whole does if each has."""
        self.complete = complete and self.complete is not False


def present_question() -> Question:
    """The question that is answered here; outside of one, an object that nobody reads."""
    return _CURRENT.get() or Question("", 0)


def begin_question(question: Question) -> None:
    """Let what this task does from now on, and the tasks that it begins, answer the question."""
    _CURRENT.set(question)
