"""What the partitions of one indexer have in common."""

import asyncio
from dataclasses import dataclass, field

from common.log.watch import LogWatch
from common.parquet.active import ActiveEncoders
from common.role import RoleContext
from indexer.arrival import Arrival
from indexer.budget import LiveBudget
from indexer.config import IndexerConfig
from indexer.damage.holding import NoPeers, Peers
from indexer.expiry.clocks import Clocks
from indexer.retentions import Retentions
from indexer.shred import Shredder
from indexer.tails import Tails
from indexer.warming import Warming
from snapshot.cache import SegmentCache


@dataclass(frozen=True, slots=True)
class Shared:
    """What the partitions of one indexer have in common."""

    context: RoleContext
    config: IndexerConfig
    watch: LogWatch
    shredder: Shredder
    encoders: ActiveEncoders
    arrival: Arrival
    cache: SegmentCache
    tails: Tails
    budget: LiveBudget
    warming: Warming
    retentions: Retentions
    clocks: Clocks
    wide: asyncio.Lock = field(default_factory=asyncio.Lock)  # see indexer.sealing.Sealer
    peers: Peers = field(default_factory=NoPeers)
