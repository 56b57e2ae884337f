"""Which outputs are read instead of their inputs: the sum of a partition's compaction documents.

Immutable, so that a view keeps the state that it was made with. Which inputs are shown is decided
elsewhere (retention, deletions), so both kinds of documents may be read in any order (I2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from snapshot.compaction.documents import Compaction
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry


class Input(NamedTuple):
    """A segment within an output. first_offset, end_offset: of its rows' records, half open."""

    object: str
    first_offset: int
    end_offset: int


@dataclass(frozen=True, slots=True)
class Output:
    """An object that holds the rows of several segments.

    inputs: in log order.
    document: number of the document that names it.
    """

    entry: SegmentEntry
    inputs: tuple[Input, ...]
    document: int


def output_of(entry: SegmentEntry, inputs: Sequence[SegmentEntry], document: int) -> Output:
    """An output. inputs: in log order. document: number of the one that names it."""
    names = tuple(Input(one.object, one.first_offset, one.end_offset) for one in inputs)
    return Output(entry, names, document)


class CompactionConflict(ValueError):
    """A compaction of inputs that another output holds."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """The outputs that are read.

    outputs: by dataset, in the order of their documents.
    deleted: numbers of documents whose superseded objects may be gone from the store.
    gone: hashes of these objects; those that no output holds are forgotten with time.
    newest: number of the newest document.
    """

    outputs: Mapping[str, tuple[Output, ...]] = field(default_factory=dict)
    deleted: frozenset[int] = frozenset()
    gone: frozenset[str] = frozenset()
    newest: int = 0

    def of(self, dataset: str) -> tuple[Output, ...]:
        """The outputs of a dataset."""
        return self.outputs.get(dataset, ())

    def all(self) -> list[Output]:
        """The outputs of all datasets."""
        return [output for some in self.outputs.values() for output in some]

    def location_of(self, entry: SegmentEntry) -> SegmentLocation:
        """Where the rows of a published segment are read."""
        for output in self.of(entry.dataset):
            if any(one.object == entry.object for one in output.inputs):
                return output.entry.location
        return entry.location

    def with_compaction(self, one: Compaction, document: int) -> "Compacted":
        """A copy with this output.

        Of the outputs that it replaces one may not be read here: its inputs are deleted, and a
        process or a base left it out, which who made the document had not seen.
        Raises CompactionConflict: nothing may be read twice, so it does not count.
        """
        replaced = set(one.replaces)
        before = self.of(one.output.dataset)
        kept = tuple(output for output in before if output.entry.object not in replaced)
        held_by_others = {held.object for output in kept for held in output.inputs}
        if not held_by_others.isdisjoint(entry.object for entry in one.inputs):
            raise CompactionConflict("another output holds one of its inputs")
        output = output_of(one.output, one.inputs, document)
        outputs = {**self.outputs, one.output.dataset: (*kept, output)}
        return replace(self, outputs=outputs)

    def superseded_by(self, one: Compaction) -> tuple[list[SegmentEntry], list[SegmentEntry]]:
        """What is read now and not any more with this output: inputs that no output holds yet, and
        outputs that it replaces.
        """
        replaced = [o for o in self.of(one.output.dataset) if o.entry.object in one.replaces]
        held = {held.object for output in replaced for held in output.inputs}
        own = [entry for entry in one.inputs if entry.object not in held]
        return own, [output.entry for output in replaced]

    def with_deleted(self, documents: Iterable[int], objects: Iterable[str]) -> "Compacted":
        """A copy in which the superseded objects of these documents may be gone."""
        return replace(self, deleted=self.deleted.union(documents), gone=self.gone.union(objects))

    def without_outputs(self, objects: Iterable[str]) -> "Compacted":
        """A copy without these outputs, of which nothing can be shown any more."""
        gone = frozenset(objects)
        outputs = {
            dataset: tuple(output for output in some if output.entry.object not in gone)
            for dataset, some in self.outputs.items()
        }
        return replace(self, outputs={d: some for d, some in outputs.items() if some})


NOTHING_COMPACTED = Compacted()
