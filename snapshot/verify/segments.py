"""Checks that every segment's object exists, is undamaged and has its manifest's content (I4)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.objects import ObjectStore
from snapshot.cache import SegmentCache, file_sha256
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.merge import OutputTooLarge
from snapshot.compaction.proof import unproved_inputs
from snapshot.documents.chain import Chain
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry
from snapshot.mending import reupload_segment
from snapshot.retention.retention import RetentionBook
from snapshot.verify.report import VerifyReport
from snapshot.verify.rows import ContentCheck

_WRITER_BUG = "an indexer's version wrote something else than it meant: report this bug"
_REPAIR = (
    "a running indexer puts it again from a whole copy or from the log, as far as there is one; "
    "`bellwether verify --repair` does it now"
)
_REPAIR_OUTPUT = (
    "a running indexer puts it again from its cache, from the other indexer's, or from the "
    "segments that it holds until they are deleted; `bellwether verify --repair` does it from a "
    "cache here. Without any of them restore the object from a backup of the store: until then "
    "answers lack these rows and say so"
)


class SegmentsCheck:
    """Fetches each segment to a scratch file and checks it. Blocks.

    copies: folders of caches, to repair objects from.
    contents_bytes_max: when that many bytes are read, only sizes are checked; None: all are read.
    """

    def __init__(
        self,
        objects: ObjectStore,
        scratch: Path,
        report: VerifyReport,
        copies: Sequence[Path],
        contents_bytes_max: int | None,
    ) -> None:
        self._objects = objects
        self._scratch = scratch
        self._report = report
        self._copies = copies
        self._room = float("inf") if contents_bytes_max is None else contents_bytes_max
        self._contents: dict[int, ContentCheck] = {}  # of the partition that is walked
        self._packs: dict[str, list[SegmentLocation]] = {}  # of that partition, by offset
        self._partition = -1
        self._fetched = SegmentCache(objects, scratch / "packs", limits.VERIFY_PACKS_BYTES_MAX)
        self._whole: set[str] = set()  # packs that are worth a request for all of their segments

    def begin(self, entries: Iterable[SegmentEntry]) -> None:
        """Say which segments of a partition will be checked: a pack is fetched once, as a whole, if
        at least half of it is among them.
        """
        wanted, ends = Counter[str](), Counter[str]()
        for entry in entries:
            if entry.pack:
                wanted[entry.pack] += entry.size_bytes
                ends[entry.pack] = max(ends[entry.pack], entry.pack_offset + entry.size_bytes)
        self._whole = {pack for pack, size in wanted.items() if 2 * size >= ends[pack]}

    def check(self, chain: Chain, entry: SegmentEntry) -> None:
        """Check one segment. Call it for all segments and outputs, in `in_row_order`."""
        self._check(chain, entry)

    def check_output(
        self, chain: Chain, entry: SegmentEntry, inputs: Sequence[SegmentEntry], shown: int
    ) -> None:
        """As `check`, of an output; each of its inputs must have its manifest's digest.

        shown: rows of the inputs that have not expired.
        """
        self._check(chain, entry, inputs, shown)

    def check_superseded(self, chain: Chain, entry: SegmentEntry) -> None:
        """Check that a segment is there that an output holds and that is not deleted yet."""
        if entry.location.has_room(self._objects) or _is_superfluous(chain, entry):
            return
        self._report.add(
            chain.partition,
            f"segment {entry.location} is missing before its deletion was announced; its rows are "
            "in an output",
            "nothing: it is not read any more",
            warning=True,
        )

    def _check(
        self,
        chain: Chain,
        entry: SegmentEntry,
        inputs: Sequence[SegmentEntry] = (),
        shown: int | None = None,
    ) -> None:
        self._report.segments += 1
        self._report.bytes += entry.size_bytes
        self._room -= entry.size_bytes
        if self._room < 0:
            self._check_size(chain, entry, is_output=bool(inputs))
            return
        file = self._scratch / "segment.parquet"
        try:
            reason = self._fetch(entry, file)
            if reason is not None and self._repair(entry):
                self._report.repaired += 1
                reason = self._fetch_alone(entry, file)
            if reason is not None and _is_superfluous(chain, entry, is_output=bool(inputs)):
                self._report.expired += 1  # it was deleted during this walk
                return
            if reason is not None:
                self._report.broken.append((chain.partition, entry))
                what = f"{reason}; it holds {len(inputs):,} segments" if inputs else reason
                self._report.add(chain.partition, what, _REPAIR_OUTPUT if inputs else _REPAIR)
                return
            if chain.partition not in self._contents:
                self._contents = {chain.partition: ContentCheck()}
            contents = self._contents[chain.partition]
            for problem in contents.problems(entry, file):
                self._report.add(
                    chain.partition, f"segment {entry.location}: {problem}", _WRITER_BUG
                )
            self._report.rows += contents.rows if shown is None else shown
            if inputs:
                self._prove(chain, entry, inputs, file)
        finally:
            file.unlink(missing_ok=True)

    def _prove(
        self, chain: Chain, entry: SegmentEntry, inputs: Sequence[SegmentEntry], file: Path
    ) -> None:
        try:
            found = unproved_inputs(file, inputs, entry.rows)
        except (DamagedObject, OutputTooLarge) as error:
            self._report.add(chain.partition, f"output {entry.location}: {error}", _WRITER_BUG)
            return
        for one in found:
            what = f"output {entry.location} does not hold segment {one.entry.object}: {one.why}"
            self._report.add(chain.partition, what, _WRITER_BUG)

    def _fetch(self, entry: SegmentEntry, file: Path) -> str | None:
        location = entry.location
        if location.pack in self._whole:
            self._whole.remove(location.pack)  # once, even if there is no room to keep it
            with suppress(DamagedObject, ObjectMissing):  # then each segment is looked at alone
                self._fetched.ensure_pack(location)
        data = self._fetched.packed(location)
        if data is None:
            return self._fetch_alone(entry, file)
        file.write_bytes(data)
        return None

    def _fetch_alone(self, entry: SegmentEntry, file: Path) -> str | None:
        location = entry.location
        try:
            location.fetch(self._objects, file)
        except ObjectMissing:
            return f"segment {location} is missing"
        except DamagedObject as error:
            return f"segment {error}"
        if file_sha256(file) != entry.object:
            return f"segment {location} is damaged: its checksum does not match"
        return None

    def check_packs(self, partition: int, segments: Sequence[SegmentLocation]) -> None:
        """Check that the segments of each pack follow each other in it, without gap or overlap.

        segments: of one manifest, with those that have expired, or all in one pack of outputs.
        """
        self._packs = {} if partition != self._partition else self._packs
        self._partition = partition
        found: dict[str, list[SegmentLocation]] = {}
        for one in segments:
            if one.pack:
                found.setdefault(one.pack, []).append(one)
        for pack, members in found.items():
            members.sort(key=lambda one: one.pack_offset)
            end = 0
            for one in members:
                if one.pack_offset != end:
                    what = f"{one} does not begin at byte {end}, where the segment before it ends"
                    self._report.add(partition, what, _WRITER_BUG)
                    break
                end = one.pack_offset + one.size_bytes
            self._packs[pack] = members

    def _repair(self, entry: SegmentEntry) -> bool:
        members = self._packs.get(entry.pack, [entry.location])
        return reupload_segment(self._objects, entry.location, self._copies, members, self._scratch)

    def _check_size(self, chain: Chain, entry: SegmentEntry, *, is_output: bool) -> None:
        """Check that the object exists and has the right size."""
        self._report.unread += 1
        if entry.location.has_room(self._objects):
            return
        if _is_superfluous(chain, entry, is_output=is_output):
            self._report.expired += 1
            return
        info = self._objects.head(entry.location.key)
        size = "missing" if info is None else f"damaged: {info.size_bytes} bytes"
        self._report.broken.append((chain.partition, entry))
        self._report.add(chain.partition, f"segment {entry.location} is {size}", _REPAIR)


def _is_superfluous(chain: Chain, entry: SegmentEntry, *, is_output: bool = False) -> bool:
    """Whether documents that were published meanwhile let it be deleted. A base among them may have
    left out what became of an output.
    """
    compactions = CompactionBook(chain)
    compacted = compactions.refresh()
    retention = RetentionBook(chain)
    retention.refresh()
    expired = retention.expired_objects
    if entry.object in expired or entry.object in compacted.gone:
        return True
    outputs = compacted.of(entry.dataset)
    if (
        not compactions.unreadable
        and is_output
        and all(output.entry.object != entry.object for output in outputs)
    ):
        return True  # another output has replaced it, or retention has deleted all of its rows
    held = [output for output in outputs if output.entry.object == entry.object]
    return any(expired.issuperset(one.object for one in output.inputs) for output in held)
