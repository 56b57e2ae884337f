"""The events of a request by dataset, and their outcomes."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from common.errors import BellwetherError, LogRefused, LogUnavailable
from shepherd.datasets.cache import Resolved
from shepherd.http.request import BATCH_ID_NAME
from shepherd.ingest.decoded_events import Decoded, Sizes, Stored, Verdict, verdicts_of


class Run(msgspec.Struct, frozen=True, eq=False):
    """The events of one dataset in a request, in order."""

    name: str  # the dataset as the client names it
    dataset: Resolved | BellwetherError  # an error: its events are not decoded
    events: Decoded  # `Decoded(n)` of a dataset that cannot be used
    indexes: Sizes | None = None  # of each event in the request; None: there is no other run


class RunOutcome(msgspec.Struct, frozen=True, eq=False):
    """The outcome of the events of a run."""

    run: Run
    stored: Sequence[Stored]  # of its lines, in order; of all its events if the dataset is refused


class Outcome(msgspec.Struct, frozen=True, eq=False):
    """The outcome of the events of a request."""

    runs: Sequence[RunOutcome]  # in the order of the runs
    receipt: str  # the positions of all records; empty if nothing was to be stored

    def verdicts(self) -> list[Verdict]:
        """One per event, in the request's order."""
        count = sum(outcome.run.events.events for outcome in self.runs)
        found: list[Verdict | None] = [None] * count
        for outcome in self.runs:
            run = outcome.run
            indexes = range(count) if run.indexes is None else run.indexes.tolist()
            for index, verdict in zip(
                indexes, verdicts_of(run.events, outcome.stored), strict=True
            ):
                found[index] = verdict
        return [verdict for verdict in found if verdict is not None]


class StoredCutter:
    """Cuts the outcomes of lines that were stored together into those of each run."""

    def __init__(self, stored: Sequence[Stored]) -> None:
        self._left = list(reversed(stored))

    def take(self, events: int) -> list[Stored]:
        """The outcomes of the next lines."""
        found = []
        while events:
            part = self._left.pop()
            count = min(events, part.events)
            found.append(Stored(count, part.outcome))
            if count < part.events:
                self._left.append(Stored(part.events - count, part.outcome))
            events -= count
        return found


class Remedy(StrEnum):
    """What a client can do about events of which it is not known whether they are stored."""

    NONE = (
        "sent again it may be there twice; give each request an "
        f"{BATCH_ID_NAME} of its own, then it can be sent again and is stored once"
    )
    SAME_ID = f"send it again with the same {BATCH_ID_NAME}: it is stored once"
    SAME_BYTES = "send the same bytes again: they are stored once"


def with_remedy(stored: Sequence[Stored], remedy: Remedy) -> list[Stored]:
    """`stored`, with advice for the client added to errors that leave the outcome unknown."""
    return [
        Stored(part.events, _with_remedy(part.outcome, remedy))
        if isinstance(part.outcome, LogUnavailable) and not isinstance(part.outcome, LogRefused)
        else part
        for part in stored
    ]


def _with_remedy(error: LogUnavailable, remedy: Remedy) -> LogUnavailable:
    return LogUnavailable(f"{error}; {remedy}", error.retry_after_s or 1)
