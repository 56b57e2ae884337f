"""The sanity check of a file: a load whose first rows cannot be read stops before it stores any."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from bellwether.send.prepare.prepare import Ready

CHECKED_EVENTS = 1_000  # read before the first is sent
CHECKED_BYTES = 8_000_000  # read at most, if events are large
_FEW = 10  # fewer bad events may be chance: the good ones are stored
_REASONS_SHOWN = 3


class HasEnd(Protocol):
    """Anything with an end offset in the file."""

    @property
    def end(self) -> int: ...


T = TypeVar("T", bound=HasEnd)


def take_first(items: Iterator[T], count_max: int) -> list[T]:
    """The first items, in bounded memory."""
    found: list[T] = []
    for item in items:
        found.append(item)
        if len(found) >= count_max or item.end - found[0].end > CHECKED_BYTES:
            break
    return found


def are_most_bad(bad: int, checked: int) -> bool:
    """Whether most are bad, so that the cause must be common to all of them."""
    return bad >= _FEW and bad > checked * 0.8


def refusal_reason(first: Sequence[Ready], skip_bad: bool) -> str | None:
    """Why a file with these first events should not be loaded, and the remedy; None to go on."""
    if not first:
        return None
    untimed = [item for item in first if item.bad_time]
    if untimed and len(untimed) * 2 >= len(first):
        return (
            f"line {untimed[0].line}: {untimed[0].error}. Nothing was sent. Say how times are "
            "written with --time-format, or where they are with --time-field, or --arrival-time "
            "to store such events at the time of their arrival"
        )
    refused = [item for item in first if item.error is not None and not item.unfinished]
    if not skip_bad and are_most_bad(len(refused), len(first)):
        shown = "; ".join(f"line {item.line}: {item.error}" for item in refused[:_REASONS_SHOWN])
        return (
            f"{len(refused):,} of the first {len(first):,} rows cannot be read ({shown}). Nothing "
            "was sent. Is it another --format? (--skip-bad stores those that are good)"
        )
    return None
