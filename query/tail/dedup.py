"""A rerouted batch is in two partitions until one of them is dropped: a tail shows it once."""

from collections import OrderedDict

from common import limits

_HEADING = b"#"


class RerouteDeduplicator:
    """Of several tails joined: lets the events of the first copy of each batch through.

    The indexers tell `#<partition> <batch>` before the events of a record. Bounded: what comes
    twice comes within seconds, while a link is broken within minutes.
    """

    def __init__(self, batches_max: int = limits.TAIL_BATCHES_MAX) -> None:
        self._batches_max = batches_max
        self._shown: OrderedDict[bytes, bytes] = OrderedDict()

    def is_first(self, heading: bytes) -> bool:
        """Whether the events after this heading are to be shown."""
        partition, _, batch = heading.removeprefix(_HEADING).strip().partition(b" ")
        shown = self._shown.setdefault(batch, partition)
        if len(self._shown) > self._batches_max:
            self._shown.popitem(last=False)
        return shown == partition


class LineFilter:
    """Takes the lines of one indexer's tail."""

    def __init__(self, copies: RerouteDeduplicator) -> None:
        self._copies = copies
        self._show = True

    def take(self, line: bytes) -> bool:
        """Whether the line is an event that is to be shown."""
        if line.startswith(_HEADING):
            self._show = self._copies.is_first(line)
            return False
        return self._show
