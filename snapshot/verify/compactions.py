"""Checks compaction documents, and their bases against those that still exist (I2, I4)."""

from collections.abc import Iterator, Set

from common.errors import DamagedObject, ObjectMissing
from snapshot.compaction.base_store import BaseStore
from snapshot.compaction.bases import CompactionBase, base_prefix
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.compacted import Output
from snapshot.compaction.documents import CompactionDocument, compaction_key, compaction_prefix
from snapshot.compaction.replay import Replay
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew
from snapshot.verify.documents import unreadable
from snapshot.verify.report import UPGRADE, VerifyReport

_RESTORE = (
    "restore the object from a backup, or restart an indexer that has a copy; until then its "
    "inputs are looked for"
)
_NEXT_BASE = "nothing now: the next base takes its place, and what it covers is kept until then"


def check_compactions(chain: Chain, report: VerifyReport) -> CompactionBook:
    """Read the compaction documents of a partition, and report those that cannot be. Blocks."""
    book, partition = CompactionBook(chain), chain.partition
    try:
        book.refresh()
    except DocumentTooNew as error:
        report.add(partition, f"compaction: {error}", UPGRADE)
    for problem in unreadable(chain, compaction_prefix(partition), CompactionDocument):
        report.add(partition, f"compaction {problem}", _RESTORE)
    if book.unreadable and chain.objects.head(book.unreadable) is None:
        report.add(partition, f"compaction {book.unreadable} is missing", _RESTORE)
    return book


def check_bases(chain: Chain, report: VerifyReport, deleted: Set[str]) -> None:
    """Report what is wrong with a partition's bases. Blocks. deleted: see `base_problems`."""
    partition = chain.partition
    for problem in unreadable(chain, base_prefix(partition), CompactionBase):
        report.add(partition, f"base of compactions {problem}", _NEXT_BASE)
    try:
        for problem in base_problems(chain, deleted):
            report.add(partition, f"base of compactions {problem}", _NEXT_BASE)
    except DocumentTooNew as error:
        report.add(partition, f"base of compactions: {error}", UPGRADE)


def base_problems(chain: Chain, deleted: Set[str]) -> Iterator[str]:
    """What is wrong with a partition's bases. Blocks.

    deleted: hashes of segments whose deletion retention has announced.
    Raises ObjectsUnavailable, DocumentTooNew.
    """
    store = BaseStore(chain)
    store.find()
    states: dict[int, Replay] = {}
    for base in store.known:
        try:
            states[base.number] = store.state_of(base)
        except (DamagedObject, ObjectMissing) as error:
            if chain.objects.head(base.key) is not None:  # else it was deleted meanwhile
                yield f"{base.key}: {error}"
    for base in store.known[:1]:
        if base.number in states:
            before = [states[one.number] for one in store.known[1:2] if one.number in states]
            replayed = _replayed(chain, base, before[0] if before else Replay())
            if replayed is not None:
                why = _differences(states[base.number], replayed, deleted)
                yield from (f"{base.key}: {one}" for one in why)


def _replayed(chain: Chain, base: CompactionBase, state: Replay) -> Replay | None:
    """What the documents up to the base come to; None: one is gone or damaged."""
    try:
        while state.number < base.number:
            key = compaction_key(chain.partition, state.number + 1)
            state.apply(chain.load(key, CompactionDocument))
    except (DamagedObject, ObjectMissing):
        return None
    return state


def _differences(based: Replay, replayed: Replay, deleted: Set[str]) -> Iterator[str]:
    ours, theirs = _outputs(based), _outputs(replayed)
    for name, output in ours.items():
        if theirs.get(name) != output:
            yield f"output {name} is not the one of its document"
    for name in theirs.keys() - ours.keys():
        if any(one.object not in deleted for one in theirs[name].inputs):
            yield f"output {name} is missing"
    held = {one.object for output in ours.values() for one in output.inputs}
    for name in sorted(held & (based.compacted.gone ^ replayed.compacted.gone)):
        yield f"whether segment {name} was announced as deleted differs"
    if _waiting(based, deleted) != _waiting(replayed, deleted):
        yield "what waits for its deletion differs"


def _outputs(state: Replay) -> dict[str, Output]:
    return {output.entry.object: output for output in state.compacted.all()}


def _waiting(state: Replay, deleted: Set[str]) -> set[tuple[int, str]]:
    """What retention deletes as well need not be named."""
    return {
        (number, entry.object)
        for number, one in state.waiting().items()
        for entry in one.objects
        if entry.object not in deleted
    }
