"""The parts of an indexer that all its partitions use in common."""

import asyncio
from dataclasses import dataclass, field

from common.log.watch import LogWatch
from common.process.role import RoleContext
from common.process.versions import FIRST_DOCUMENTS, DocumentGate
from indexer.config import IndexerConfig
from indexer.damage.publish_gate import NoPeers, Peers
from indexer.expiry.clocks import Clocks
from indexer.expiry.retention_settings import RetentionSettings
from indexer.partition.memory_budget import LiveBudget
from indexer.partition.prefetch import Prefetcher
from indexer.seal.timing import TIMING, Timing
from indexer.shred import Shredder
from indexer.shred.kernel_wait import KernelWait
from indexer.state.cut_rules import CUT_RULES, CutRules
from indexer.tail.registry import TailRegistry
from segment.parquet.selected import SelectedEncoders
from snapshot.cache import SegmentCache


@dataclass(frozen=True, slots=True)
class Shared:
    """The parts that all partitions of one indexer use.

    wide_cut_lock: held while a cut of very many columns is sealed: one at a time in a process.
    document_gate: which versions of documents may be written now.
    """

    context: RoleContext
    config: IndexerConfig
    watch: LogWatch
    shredder: Shredder
    encoders: SelectedEncoders
    kernel_wait: KernelWait
    cache: SegmentCache
    tails: TailRegistry
    budget: LiveBudget
    prefetcher: Prefetcher
    retentions: RetentionSettings
    clocks: Clocks
    wide_cut_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    peers: Peers = field(default_factory=NoPeers)
    document_gate: DocumentGate = FIRST_DOCUMENTS
    cut_rules: CutRules = CUT_RULES
    timing: Timing = TIMING
