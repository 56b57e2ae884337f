"""Published lists of batch ids: whether a partition had a batch before its window began (I2, I3).

Searched from the newest manifest back, as far as the window reached when the asking partition's
record was appended. A list that is needed and cannot be read never counts as empty.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common import limits
from common.errors import BellwetherError, DamagedObject, ObjectMissing
from common.model.record import BATCH_ID_BYTES
from common.model.reroute import EpochOffset
from snapshot.documents.manifest import (
    Gap,
    Manifest,
    packed_batches,
    parse_manifest_key,
)

_ENTRY = np.dtype([("head", ">u8"), ("tail", ">u8"), ("offset", ">u8")])
_HEAD_BYTES = 8


class ListsMissing(BellwetherError):
    """A list of batch ids that is needed cannot be read: the lookup stays undecided."""


@dataclass(frozen=True, slots=True)
class _List:
    """The parts of one manifest that a search needs."""

    entries: bytes
    epoch: str
    epoch_number: int
    first_offset: int
    next_offset: int
    last_append_ns: int
    hour_markers: int
    predecessor: str | None


@dataclass(slots=True)
class _Search:
    """The search for one batch.

    from_ns: append time of the record that asks (unix ns).
    markers: number of hour markers passed that are older than `from_ns`.
    """

    from_ns: int
    markers: int = 0


class BatchLists:
    """Lists of the manifests of these keys, oldest first. Safe to use from threads; `find` blocks.

    load: reads a manifest by its key; raises DamagedObject or ObjectMissing.
    gaps: offsets that are known to be lost.
    """

    def __init__(
        self, load: Callable[[str], Manifest], keys: Sequence[str], gaps: Sequence[Gap]
    ) -> None:
        self._load = load
        self._keys = deque(keys, limits.BATCH_LISTS_KEYS_MAX)
        self._gaps = tuple(gaps)
        self._known: OrderedDict[str, _List] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def end(self) -> EpochOffset | None:
        """The exclusive end of what the lists cover; None if there is no list."""
        if not self._keys:
            return None
        _, number, next_offset = parse_manifest_key(self._keys[-1])
        return EpochOffset(number, next_offset)

    def published(self, manifest: Manifest) -> None:
        """Add the manifest that follows the newest one."""
        with self._lock:
            self._remember(manifest.key, _list_of(manifest))
            self._keys.append(manifest.key)

    def find(self, wanted: Mapping[bytes, int]) -> dict[bytes, EpochOffset]:
        """The position of the newest published copy of each batch that has one.

        wanted: batch id -> a time (unix ns); the search ends at the second hour marker before it.
        Raises ListsMissing, ObjectsUnavailable.
        """
        searches = {batch: _Search(from_ns) for batch, from_ns in wanted.items()}
        found: dict[bytes, EpochOffset] = {}
        with self._lock:
            keys = list(self._keys)
        newer: _List | None = None
        for key in reversed(keys):
            if not searches:
                return found
            try:
                one = self._read(key)
            except (DamagedObject, ObjectMissing) as error:
                if self._is_lost(key):
                    continue
                raise ListsMissing(f"{key}: {error}") from error
            if newer is not None and newer.predecessor != key and not self._gap_before(newer):
                raise ListsMissing(f"{newer.predecessor} is not among the manifests")
            newer = one
            _take_found(one, searches, found)
            _pass_markers(one, searches)
        before = None if newer is None or self._gap_before(newer) else newer.predecessor
        if searches and before is not None:
            raise ListsMissing(f"{before} is too far back")
        return found

    def _read(self, key: str) -> _List:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known
        one = _list_of(self._load(key))
        with self._lock:
            self._remember(key, one)
        return one

    def _remember(self, key: str, one: _List) -> None:
        if key in self._known:
            return
        self._known[key] = one
        self._bytes += len(one.entries)
        while self._bytes > limits.BATCH_LISTS_BYTES_MAX and len(self._known) > 1:
            _, gone = self._known.popitem(last=False)
            self._bytes -= len(gone.entries)

    def _is_lost(self, key: str) -> bool:
        """Whether the manifest's records are known to be lost: then no copy there counts."""
        last = parse_manifest_key(key)[2] - 1
        return any(gap.end is not None and gap.first <= last < gap.end for gap in self._gaps)

    def _gap_before(self, one: _List) -> bool:
        return any(gap.end == one.first_offset and gap.epoch == one.epoch for gap in self._gaps)


def _list_of(manifest: Manifest) -> _List:
    return _List(
        packed_batches(manifest.batches),
        manifest.epoch,
        manifest.epoch_number,
        manifest.first_offset,
        manifest.next_offset,
        manifest.last_append_ns,
        len(manifest.hour_markers),
        manifest.predecessor,
    )


def _take_found(
    one: _List, searches: dict[bytes, _Search], found: dict[bytes, EpochOffset]
) -> None:
    """Move the batches that are in this list from `searches` to `found`."""
    entries = np.frombuffer(one.entries, _ENTRY)
    heads = np.array([int.from_bytes(b[:_HEAD_BYTES], "big") for b in searches], np.uint64)
    for entry in entries[np.isin(entries["head"].astype(np.uint64), heads)]:
        batch = entry.tobytes()[:BATCH_ID_BYTES]
        if searches.pop(batch, None) is not None:
            found[batch] = EpochOffset(one.epoch_number, int(entry["offset"]))


def _pass_markers(one: _List, searches: dict[bytes, _Search]) -> None:
    """End the searches that have reached the beginning of the window."""
    for batch, search in list(searches.items()):
        if one.last_append_ns < search.from_ns:
            search.markers += one.hour_markers
        if search.markers >= limits.BATCH_WINDOW_HOUR_MARKERS:
            del searches[batch]
