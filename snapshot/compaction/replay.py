"""What a partition's compaction documents come to, applied one after another (I2).

A value of documents 1 to `number` alone: whoever replays them all, or starts from a base, has the
same one but for names of objects that are gone and that nobody asks for.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from common import limits
from common.logs import log_event
from snapshot.compaction.bases import KeptDocument, KeptOutput
from snapshot.compaction.compacted import Compacted, CompactionConflict, Output, output_of
from snapshot.compaction.documents import CompactionDocument
from snapshot.documents.manifest import SegmentEntry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Superseded:
    """Objects that a document makes superfluous: segments and outputs.

    published_ns: of the document, unix ns.
    """

    published_ns: int
    inputs: tuple[SegmentEntry, ...]
    outputs: tuple[SegmentEntry, ...]

    @property
    def objects(self) -> tuple[SegmentEntry, ...]:
        """All of them."""
        return (*self.inputs, *self.outputs)

    def is_read_in(self, output: Output) -> bool:
        """Whether rows of them may be read in this output."""
        names, made = {one.object for one in self.inputs}, output.entry
        return any(held.object in names for held in output.inputs) or any(
            (one.dataset, one.epoch_number, one.far) == (made.dataset, made.epoch_number, made.far)
            and one.first_offset < made.end_offset
            and made.first_offset < one.end_offset
            for one in self.outputs
        )


@dataclass(frozen=True, slots=True)
class Condensed:
    """What a base is made of: immutable, so it can be written while documents are applied.

    waiting: by document, what it makes superfluous and is not announced as deleted.
    """

    compacted: Compacted
    waiting: dict[int, Superseded]

    def sizes(self) -> dict[int, int]:
        """By document of which something is needed, about how many bytes that takes."""
        found: dict[int, int] = {}
        for output in self.compacted.all():
            entries = found.get(output.document, 0) + 1 + len(output.inputs)
            found[output.document] = entries
        for number, one in self.waiting.items():
            found[number] = found.get(number, 0) + len(one.inputs) + len(one.outputs)
        return {number: one * limits.BASE_ENTRY_BYTES for number, one in found.items()}

    def packs(self) -> set[str]:
        """Packs of outputs that must not be deleted: with one that is read, or that waits."""
        packs = {output.entry.pack for output in self.compacted.all()}
        packs.update(one.pack for some in self.waiting.values() for one in some.outputs)
        return packs - {""}

    def read_of(self) -> dict[int, dict[str, str]]:
        """By document, the outputs of it that are read, each with its pack."""
        found: dict[int, dict[str, str]] = {}
        for output in self.compacted.all():
            found.setdefault(output.document, {})[output.entry.object] = output.entry.pack
        return found

    def needed_of(self, whole: KeptDocument, read: Mapping[str, str]) -> KeptDocument:
        """What is needed of a document. read: of it, see `read_of`."""
        number, gone, packs = whole.number, self.compacted.gone, set(read.values())
        waiting = self.waiting.get(number)
        return KeptDocument(
            number=number,
            published_ns=whole.published_ns,
            outputs=[
                KeptOutput(
                    output=one.output,
                    inputs=one.inputs,
                    gone=[at for at, entry in enumerate(one.inputs) if entry.object in gone],
                )
                for one in whole.outputs
                if one.output.object in read
            ],
            packs=[one for one in whole.packs if one.pack in packs],
            inputs=[] if waiting is None else list(waiting.inputs),
            replaced=[] if waiting is None else list(waiting.outputs),
        )


class Replay:
    """Used by one thread at a time.

    compacted: the outputs that are read.
    number: of the newest document; 0: there is none.
    made: number of the newest one that names outputs.
    superseded: by document, until its objects are deleted.
    announced: documents whose objects may be deleted, in that order.
    """

    def __init__(self) -> None:
        self.compacted = Compacted()
        self.number = 0
        self.made = 0
        self.superseded: dict[int, Superseded] = {}
        self.announced: list[int] = []

    @classmethod
    def from_base(cls, number: int, documents: Iterable[KeptDocument]) -> "Replay":
        """What documents 1 to `number` come to. documents: of its parts, ascending."""
        replay, gone = cls(), set[str]()
        outputs: dict[str, list[Output]] = {}
        for kept in documents:
            for one in kept.outputs:
                output = output_of(one.output, one.inputs, kept.number)
                outputs.setdefault(one.output.dataset, []).append(output)
                gone.update(one.inputs[at].object for at in one.gone)
            if kept.inputs or kept.replaced:
                waits = Superseded(kept.published_ns, tuple(kept.inputs), tuple(kept.replaced))
                replay.superseded[kept.number] = waits
        replay.number = replay.made = number
        replay.compacted = Compacted(
            outputs={dataset: tuple(some) for dataset, some in outputs.items()},
            gone=frozenset(gone),
            newest=number,
        )
        return replay

    def pass_over(self, number: int) -> None:
        """Go on after a document that cannot be read."""
        self.number = number
        self.compacted = replace(self.compacted, newest=number)

    def apply(self, document: CompactionDocument) -> None:
        """Apply the next document."""
        inputs: list[SegmentEntry] = []
        outputs: list[SegmentEntry] = []
        if document.compactions:
            self.made = document.number
        for one in document.compactions:
            own, replaced = self.compacted.superseded_by(one)
            try:
                self.compacted = self.compacted.with_compaction(one, document.number)
            except CompactionConflict as error:
                text = "compaction ignored"
                log_event(logger, logging.ERROR, text, key=document.key, why=str(error))
                continue
            inputs += own
            outputs += replaced
        if inputs or outputs:
            superseded = Superseded(document.published_ns, tuple(inputs), tuple(outputs))
            self.superseded[document.number] = superseded
        if document.deletes:
            self.announced += document.deletes
            known = [self.superseded[one] for one in document.deletes if one in self.superseded]
            names = [entry.object for one in known for entry in one.objects]
            self.compacted = self.compacted.with_deleted(document.deletes, names)
        self.pass_over(document.number)

    def waiting(self) -> dict[int, Superseded]:
        """By document, what is superfluous and not announced as deleted."""
        # copied in one step, as another thread may read a document meanwhile
        superseded, deleted = self.superseded.copy(), self.compacted.deleted
        return {number: one for number, one in superseded.items() if number not in deleted}

    def condensed(self) -> Condensed:
        """What a base of the newest document is made of."""
        return Condensed(self.compacted, self.waiting())

    def forget_gone(self) -> None:
        """Forget names of objects that are gone, as far as a base leaves them out."""
        held = {one.object for output in self.compacted.all() for one in output.inputs}
        self.compacted = replace(
            self.compacted,
            gone=self.compacted.gone & held,
            deleted=self.compacted.deleted.intersection(self.superseded),
        )
