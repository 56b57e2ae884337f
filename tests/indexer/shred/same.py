"""What "the same" means: blocks to the last bit, the reasons of records set aside, digests."""

from collections.abc import Sequence

from indexer.shred.interface import Shredded, Shredder, ShredInput
from indexer.shred.kernel.memory import FALLBACKS_FEW
from indexer.shred.reference import ReferenceShredder
from segment.columns.digest import block_digest
from tests.generate import START_NS
from tests.segment.columns.equality import assert_same_block

EXACT = ReferenceShredder.exact()
QUICK = ReferenceShredder()  # the same, for what the exact one would read for seconds


def record(lines: bytes, depth: int = 0, offset: int = 0) -> ShredInput:
    return ShredInput(offset, START_NS + offset, depth, lines)


def line(event: bytes, time_ns: int = START_NS, rate: int = 1) -> bytes:
    return b'{"t":%d,"r":%d,"d":%b}\n' % (time_ns, rate, event)


def assert_same(
    kernel: Shredder, records: Sequence[ShredInput], reference: Shredder = EXACT
) -> Shredded:
    """Fail unless the kernel gives what the reference gives; returns it."""
    found, wanted = kernel.shred(records), reference.shred(records)
    assert found.quarantined == wanted.quarantined
    assert_same_block(found.block, wanted.block)
    for column in found.block.columns.values():
        column.values.validate(full=True)
    if wanted.block.rows:
        assert block_digest(found.block) == block_digest(wanted.block)
    return found


def assert_all_same(kernel: Shredder, records: Sequence[ShredInput]) -> None:
    """As `assert_same`, a few records per call: of many bad ones the kernel leaves the rest to the
    reference, and nothing would be tried.
    """
    for first in range(0, len(records), FALLBACKS_FEW // 2):
        assert_same(kernel, records[first : first + FALLBACKS_FEW // 2])
