"""Objects that no document names: found, and removed when they are old (I4, I13).

They are left where a cut was put and not published: its process was killed, its twin published the
same rows in other bytes, or another cut was published instead. No answer reads them. A summary is
one of them when its segment's object is gone, whatever documents say of that.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common import limits
from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing
from common.model.clock_reading import HasClock
from common.objects import ObjectInfo, ObjectStore
from snapshot.documents.locations import delete_segment, segment_key
from snapshot.unnamed.names import DATA, DERIVED, Names

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UnnamedObject:
    """One object.

    modified_ns: by the store's clock (unix ns). age_ns: by the same clock, at the time of listing.
    """

    key: str
    size_bytes: int
    modified_ns: int
    age_ns: int

    @property
    def is_old(self) -> bool:
        """Whether no publisher can be about to name it any more."""
        return self.age_ns >= limits.UNNAMED_AGE_NS


@dataclass(slots=True)
class UnnamedObjects:
    """What was found.

    objects: at most UNNAMED_LISTED_MAX. count, size_bytes: of all.
    unreadable: why the list may be wrong, so that nothing must be removed.
    """

    objects: list[UnnamedObject] = field(default_factory=list)
    count: int = 0
    size_bytes: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def old(self) -> list[UnnamedObject]:
        """Those that may be removed."""
        return [one for one in self.objects if one.is_old]


@dataclass(slots=True)
class Removed:
    """What was removed.

    named: keys of objects that a document named at the same moment: they are still there.
    """

    objects: int = 0
    size_bytes: int = 0
    named: list[str] = field(default_factory=list)


def store_now_ns(objects: ObjectStore, clock: Clock) -> int:
    """The store's time (unix ns); that of this machine if the store has no clock to ask. Blocks.

    Raises Unavailable.
    """
    reading = objects.read_clock(clock) if isinstance(objects, HasClock) else None
    return clock.now_ns() + (0 if reading is None else reading.ahead_ns(clock))


def find_unnamed(objects: ObjectStore, names: Names, now_ns: int | None = None) -> UnnamedObjects:
    """The objects that no document names. Changes nothing. Blocks. Raises ObjectsUnavailable.

    now_ns: the store's time; None: the time of its newest object, so ages are at least these.
    """
    names.refresh()
    newest_ns = 0
    listed: list[ObjectInfo] = []
    found = UnnamedObjects()
    for info in _data_objects(objects):
        newest_ns = max(newest_ns, info.modified_ns)
        if not _is_named(info.key, names):
            listed.append(info)
            found.count += 1
            found.size_bytes += info.size_bytes
            del listed[limits.UNNAMED_LISTED_MAX :]
    names.refresh()  # objects that were listed may have been named meanwhile
    found.unreadable = list(names.unreadable)
    for info in listed:
        if _is_named(info.key, names):
            found.count -= 1
            found.size_bytes -= info.size_bytes
            continue
        age_ns = (newest_ns if now_ns is None else now_ns) - info.modified_ns
        one = UnnamedObject(info.key, info.size_bytes, info.modified_ns, age_ns)
        found.objects.append(one)
    return found


def _data_objects(objects: ObjectStore) -> Iterator[ObjectInfo]:
    """Objects whose key has a content's hash; others are no objects of this program. Of summaries
    those without a segment; both are listed in the order of hashes.
    """
    for top in DATA:
        for info in objects.list(f"{top}/"):
            if _NAME.fullmatch(_hash_of(info.key)):
                yield info
    yield from _summaries_alone(objects)


def _summaries_alone(objects: ObjectStore) -> Iterator[ObjectInfo]:
    segments: Iterator[ObjectInfo] | None = None
    segment = ""
    for info in objects.list(f"{DERIVED}/"):
        name = _hash_of(info.key)
        if segments is None:  # most stores have none: then this listing is spared
            segments = objects.list("segments/")
        while segment < name and (one := next(segments, None)) is not None:
            segment = _hash_of(one.key)
        if segment != name and _NAME.fullmatch(name):
            yield info


def _is_named(key: str, names: Names) -> bool:
    """Whether a document names the object. None names a summary, but perhaps its segment."""
    return not key.startswith(f"{DERIVED}/") and _hash_of(key) in names


def _hash_of(key: str) -> str:
    return key.rpartition("/")[2].partition(".")[0]


def remove_unnamed(
    objects: ObjectStore, names: Names, found: Sequence[UnnamedObject], scratch: Path
) -> Removed:
    """Remove these objects, as far as they are old and still named by no document. Blocks.

    A document may name one of them at the same moment, since a publisher uses an object that it
    finds. So each batch is copied to `scratch` first, and what the documents name after it was
    removed is put again; the publisher looks again as well (`ObjectsBeforeNaming`).
    Raises DamagedObject if a document cannot be read, ObjectsUnavailable, OSError.
    """
    done = Removed()
    for batch in _batches([one for one in found if one.is_old]):
        names.refresh()
        _refuse_unreadable(names)
        unnamed = [one for one in batch if not _is_named(one.key, names)]
        done.named += [one.key for one in batch if _is_named(one.key, names)]
        removed: list[tuple[UnnamedObject, Path]] = []
        try:
            for one in unnamed:
                copy = scratch / _hash_of(one.key)
                if _remove(objects, one, copy, removed):
                    done.objects += 1
                    done.size_bytes += one.size_bytes
        finally:
            back = _put_back(objects, names, removed)
        done.named += [one.key for one in back]
        done.objects -= len(back)
        done.size_bytes -= sum(one.size_bytes for one in back)
    return done


def _remove(
    objects: ObjectStore,
    one: UnnamedObject,
    copy: Path,
    removed: list[tuple[UnnamedObject, Path]],
) -> bool:
    """Remove one object, unless it is gone or was written again since it was listed."""
    try:
        objects.fetch(one.key, copy)
    except ObjectMissing:
        return False
    info = objects.head(one.key)
    if info is None or info.modified_ns != one.modified_ns:
        copy.unlink()
        return False
    removed.append((one, copy))
    if one.key == segment_key(_hash_of(one.key)):
        delete_segment(objects, _hash_of(one.key))
    else:
        objects.delete(one.key)
    return True


def _put_back(
    objects: ObjectStore, names: Names, removed: Sequence[tuple[UnnamedObject, Path]]
) -> list[UnnamedObject]:
    """Put those again that documents name by now; all of them if a document cannot be read."""
    names.refresh()
    back = []
    for one, copy in removed:
        if names.unreadable or _is_named(one.key, names):
            objects.put_if_absent(one.key, copy)
            back.append(one)
        copy.unlink(missing_ok=True)
    return back


def _refuse_unreadable(names: Names) -> None:
    if names.unreadable:
        raise DamagedObject(
            f"{names.unreadable[0]}; nothing is removed while it is not known what is named"
        )


def _batches(found: Sequence[UnnamedObject]) -> Iterator[list[UnnamedObject]]:
    batch: list[UnnamedObject] = []
    size = 0
    for one in found:
        full = len(batch) == limits.UNNAMED_REMOVED_AT_ONCE
        if batch and (full or size + one.size_bytes > limits.UNNAMED_COPIES_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += one.size_bytes
    if batch:
        yield batch
