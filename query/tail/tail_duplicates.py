"""Deduplication of a tail: a rerouted batch is in two partitions until one drops it."""

from collections import OrderedDict

from common import limits

_HEADING = b"#"
_SKIPPED = b"#skipped "


class RerouteDeduplicator:
    """Passes the events of the first copy of each batch, over the tails of several indexers.

    Indexers send a line `#<partition> <batch>` before the events of a record. The number
    of remembered batches is bounded: copies arrive within seconds, or minutes if a link is broken.
    """

    def __init__(self, batches_max: int = limits.TAIL_BATCHES_MAX) -> None:
        self._batches_max = batches_max
        self._first: OrderedDict[bytes, bytes] = OrderedDict()

    def is_first(self, heading: bytes) -> bool:
        """Whether the events after this heading pass."""
        partition, _, batch = heading.removeprefix(_HEADING).strip().partition(b" ")
        first = self._first.setdefault(batch, partition)
        if len(self._first) > self._batches_max:
            self._first.popitem(last=False)
        return first == partition


def skipped_line(line: bytes) -> bytes | None:
    """What a client is told where an indexer says that it left events out; None: any other line.

    With conditions these are events that were not looked at. null: nobody counted them.
    """
    if not line.startswith(_SKIPPED):
        return None
    events = int(line.removeprefix(_SKIPPED))
    return b'{"skipped":%b}\n' % (b"%d" % events if events else b"null")


class LineFilter:
    """Filters the lines of one indexer's tail."""

    def __init__(self, copies: RerouteDeduplicator) -> None:
        self._copies = copies
        self._passing = True

    def passes(self, line: bytes) -> bool:
        """Whether the line is an event that passes."""
        if line.startswith(_HEADING):
            self._passing = self._copies.is_first(line)
            return False
        return self._passing
