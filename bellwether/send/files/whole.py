"""Which events of a file are whole (its end may be cut), and which are new since a load."""

from collections.abc import Iterable, Iterator

from bellwether.send.event import Parsed
from bellwether.send.files.resume import LoadState
from bellwether.send.files.source import Source

HALF_WRITTEN = "it has no line break at its end, so it may be half written"
CUT_OFF = "the file is cut off within it"
GREW = "it was stored before, when it was shorter: its line had no line break then"


def whole_events(parsed: Iterable[Parsed], source: Source, ends_itself: bool) -> Iterator[Parsed]:
    """The events; the last one is unfinished if its line may have been cut.

    ends_itself: whether an event of this format marks its own end, as JSON does.
    """
    last: Parsed | None = None
    for item in parsed:
        if last is not None:
            yield last
        last = item
    if last is None:
        return
    damaged = source.damage() is not None
    if not ends_itself and not last.unfinished and source.is_cut_at(last.end):
        reason = CUT_OFF if damaged else HALF_WRITTEN
        last = Parsed(last.line, last.end, error=reason, source=last.source, unfinished=True)
    elif last.unfinished and source.finished and not damaged:
        last = last._replace(unfinished=False)
    yield last


def unread(parsed: Iterable[Parsed], state: LoadState, ends_itself: bool) -> Iterator[Parsed]:
    """The events after those of an earlier load. A line that was read without its line break
    is not read again: not if only the line break came, and if more came it is refused.
    """
    for item in parsed:
        if item.end <= state.offset:
            continue
        if item.line == state.line and state.cut_bytes is not None:
            begins_before = item.end - len(item.source) < state.offset
            if not ends_itself and len(item.source) != state.cut_bytes:
                yield Parsed(item.line, item.end, error=GREW, source=item.source)
                continue
            if not ends_itself or begins_before:
                continue
        yield item
