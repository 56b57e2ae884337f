"""Random histories of one partition's compaction documents, in a store in memory."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import msgspec

from common import limits
from common.errors import ObjectMissing
from common.objects import ObjectInfo, ObjectStore
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.documents import Compaction
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.locations import SegmentLocation, segment_key
from snapshot.documents.manifest import Manifest, SegmentEntry
from tests.snapshot.compaction.test_served import entry
from tests.snapshot.test_manifest import manifest

WIDE = 10  # offsets of a segment
DATASETS = ("d0", "d1")
GRACE_NS = 10


class MemoryObjects:
    """A store in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        if key in self.held:
            return False
        self.replace(key, data)
        return True

    def replace(self, key: str, data: bytes | Path) -> None:
        self.held[key] = data.read_bytes() if isinstance(data, Path) else data

    def get(self, key: str) -> bytes:
        if key not in self.held:
            raise ObjectMissing(key)
        return self.held[key]

    def fetch(self, key: str, target: Path) -> int:
        return target.write_bytes(self.get(key))

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        target.write_bytes(self.get(key)[offset : offset + length])

    def head(self, key: str) -> ObjectInfo | None:
        return ObjectInfo(key, len(self.held[key]), 0) if key in self.held else None

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        for key in sorted(self.held):
            if key.startswith(prefix) and key > after:
                yield ObjectInfo(key, len(self.held[key]), 0)

    def delete(self, key: str) -> None:
        self.held.pop(key, None)

    def keys(self, top: str) -> Sequence[str]:
        return sorted(key for key in self.held if key.startswith(f"{top}/"))


@contextmanager
def small_bases(after: int = 3, part_bytes: int = 4_000) -> Iterator[None]:
    """Bases after few documents, with several parts."""
    with (
        patch.object(limits, "BASE_AFTER_DOCUMENTS", after),
        patch.object(limits, "BASE_PART_BYTES_MAX", part_bytes),
    ):
        yield


def digits(*some: object) -> str:
    return hashlib.sha256(repr(some).encode()).hexdigest()


def book_of(objects: ObjectStore) -> CompactionBook:
    return CompactionBook(Chain(objects, 0, None))


class History:
    """What one process does; `deleted` is what retention has announced as deleted.

    Segments with an even number lie in the pack of their cut, which has two of them.
    """

    def __init__(self, objects: ObjectStore, segments: int = 16) -> None:
        self.objects = objects
        self.chain = Chain(objects, 0, None)
        self.book = book_of(objects)
        self.deleted: set[str] = set()
        self.made = 0
        self.segments: dict[str, list[SegmentEntry]] = {name: [] for name in DATASETS}
        for cut in range(segments // 2):
            self._cut(cut)
        self.book.refresh()

    def _cut(self, number: int) -> None:
        """A cut with one segment of each dataset; every second one is a pack."""
        pack, end, entries = digits("pack", number), WIDE * (number + 1), []
        for at, dataset in enumerate(DATASETS):
            one = entry(end - WIDE, end, digits("segment", number, dataset))
            one = msgspec.structs.replace(one, dataset=dataset)
            if number % 2:
                one = msgspec.structs.replace(one, pack=pack, pack_offset=at)
            entries.append(one)
            self.segments[dataset].append(one)
            self.objects.put_if_absent(one.location.key, b"x")
        cut = manifest(
            partition=0, epoch_number=1, first_offset=end - WIDE, next_offset=end, segments=entries
        )
        assert isinstance(cut, Manifest)
        self.chain.objects.put_if_absent(cut.key, encode_checksummed(cut))

    # --- steps ------------------------------------------------------------------------------------
    def compact(self, first: int, count: int, packed: bool) -> None:
        """Put together what is read for these segments, of each dataset."""
        made: list[Compaction] = []
        for dataset in DATASETS:
            one = self._output(dataset, first, count)
            if one is not None:
                made.append(one)
        if not made:
            return
        self.made += 1
        if packed and len(made) > 1:
            pack = digits("outputs", self.made)
            made = [
                msgspec.structs.replace(
                    one, output=msgspec.structs.replace(one.output, pack=pack, pack_offset=at)
                )
                for at, one in enumerate(made)
            ]
        for one in made:
            self.objects.put_if_absent(one.output.location.key, b"x")
        self.book.refresh()
        assert self.book.publish(made, self.book.number, self.made, "test") is not None

    def _output(self, dataset: str, first: int, count: int) -> Compaction | None:
        chosen = {one.object for one in self.segments[dataset][first : first + count]}
        old = [
            output
            for output in self.book.compacted.of(dataset)
            if not chosen.isdisjoint(one.object for one in output.inputs)
        ]
        names = chosen.union(*({one.object for one in output.inputs} for output in old))
        inputs = [one for one in self.segments[dataset] if one.object in names - self.deleted]
        if len(inputs) < 2:
            return None
        output = entry(inputs[0].first_offset, inputs[-1].end_offset, "")
        output = msgspec.structs.replace(
            output, dataset=dataset, object=digits("output", self.made, dataset)
        )
        return Compaction(inputs=inputs, output=output, replaces=[one.entry.object for one in old])

    def expire(self, first: int, count: int) -> None:
        """Retention announces the deletion of the oldest, or of others, and deletes them."""
        for dataset in DATASETS:
            for one in self.segments[dataset][first : first + count]:
                self.deleted.add(one.object)
                if not one.pack:
                    self.objects.delete(segment_key(one.object))

    def delete(self, *, announce: bool = True) -> None:
        """Delete what was announced, and outputs of which nothing is left. announce: what waits."""
        delete_all(self.book, self.deleted, announce=announce)

    def write_base(self) -> bool:
        """Write a base, if there are enough documents."""
        self.delete(announce=False)
        return self.book.write_base(lambda: True)

    def delete_covered(self) -> int:
        """Delete documents that the bases have replaced."""
        return self.book.delete_covered(lambda _: True)

    # --- what must be there -----------------------------------------------------------------------
    def missing(self, book: CompactionBook) -> list[SegmentLocation]:
        """What is read and is not in the store. Rows that retention deleted need not be there."""
        wanted: list[SegmentEntry] = []
        for dataset in DATASETS:
            held: set[str] = set()
            for output in book.compacted.of(dataset):
                names = {one.object for one in output.inputs}
                held |= names
                if not names <= self.deleted:
                    wanted.append(output.entry)
            names = held | self.deleted
            wanted += [one for one in self.segments[dataset] if one.object not in names]
        return [one.location for one in wanted if self.objects.head(one.location.key) is None]


def delete_all(book: CompactionBook, deleted: set[str], *, announce: bool = True) -> None:
    """A round of deletions. deleted: of retention. announce: also what waits for its grace time."""
    ran_ns = GRACE_NS if announce else 0
    book.delete_due(2**62, GRACE_NS, lambda _: ran_ns, lambda _: True, deleted, "test")
    book.delete_outputs(deleted)


def state_of(book: CompactionBook, deleted: set[str]) -> dict[str, object]:
    """All that a reader learns from the documents. deleted: of retention."""
    book.refresh()
    book.delete_outputs(deleted)  # which a base leaves out
    outputs = {dataset: book.compacted.of(dataset) for dataset in DATASETS}
    every = [output for some in outputs.values() for output in some]
    held = {one.object for output in every for one in output.inputs}
    return {
        "newest": book.number,
        "outputs": outputs,
        "gone": book.compacted.gone & held,
        "waiting": {
            number: sorted(output.entry.object for output in book.outputs_for(number))
            for number in book.waiting()
        },
        "inputs": {output.entry.object: book.inputs_of(output) for output in every},
        "packs": {output.entry.object: book.pack_of(output) for output in every},
    }


def only(objects: MemoryObjects, *tops: str) -> MemoryObjects:
    """A copy with these kinds of objects alone."""
    found = MemoryObjects()
    for top in tops:
        found.held.update({key: objects.held[key] for key in objects.keys(top)})
    return found


def busy(objects: ObjectStore, steps: int = 3) -> History:
    """A history with packs, replaced outputs, deletions and an expired output."""
    history = History(objects)
    for at in range(steps):
        history.compact(2 * at, 2, packed=True)
    history.compact(0, 4, packed=True)
    history.delete()
    history.expire(4, 2)
    history.delete()
    return history


def written(steps: int = 3) -> tuple[MemoryObjects, History]:
    """The same with a base of all its documents."""
    objects = MemoryObjects()
    history = busy(objects, steps)
    assert history.write_base()
    return objects, history
