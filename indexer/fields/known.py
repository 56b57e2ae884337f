"""Facts of a partition's dataset: those of groups of segments and of live blocks, kept in memory.

Nothing of a segment or a block ever changes, so that what is kept is replaced only by less of it.
Segments are put together by some, so that a new one costs the facts of a few and not of all; a
group ends with a segment whose hash says so, wherever compaction replaces others.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final, NamedTuple

from common import limits
from query.wire.field_facts import FieldFacts
from snapshot.documents.manifest import SegmentEntry

_GROUP_ENDS: Final = "0"  # first digit of a hash: one in 16
_FIELD_BYTES: Final = 600  # of a field's objects, approximately
_VALUE_BYTES: Final = 120


class Known(NamedTuple):
    """fields: by name. whole: whether every source of them could be read."""

    fields: Sequence[FieldFacts]
    whole: bool = True

    @property
    def nbytes(self) -> int:
        """Bytes of memory, approximately."""
        each = (_FIELD_BYTES + len(f.hashes) + _VALUE_BYTES * len(f.values) for f in self.fields)
        return _FIELD_BYTES + sum(each)


class KnownFacts:
    """The facts that are kept, the most recently used ones. Safe to use from threads."""

    def __init__(self, bytes_max: int = limits.FIELD_FACTS_HELD_BYTES) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[Hashable, tuple[Known, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes_held = 0

    def of(self, name: Hashable, make: Callable[[], Known]) -> Known:
        """What is kept under a name, or made now; what is not whole is made again."""
        with self._lock:
            found = self._kept.get(name)
            if found is not None:
                self._kept.move_to_end(name)
                return found[0]
        made = make()
        if made.whole:
            self._keep(name, made)
        return made

    def _keep(self, name: Hashable, made: Known) -> None:
        size = made.nbytes
        if size > self._bytes_max // 2:
            return
        with self._lock:
            before = self._kept.pop(name, None)
            self.bytes_held += size - (before[1] if before else 0)
            self._kept[name] = made, size
            while self.bytes_held > self._bytes_max:
                _, (_, evicted) = self._kept.popitem(last=False)
                self.bytes_held -= evicted


def groups(entries: Sequence[SegmentEntry]) -> Iterator[Sequence[SegmentEntry]]:
    """Segments by groups of some."""
    first = 0
    for at, entry in enumerate(entries):
        if entry.object.startswith(_GROUP_ENDS):
            yield entries[first : at + 1]
            first = at + 1
    if first < len(entries):
        yield entries[first:]
