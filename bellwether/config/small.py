"""What `up.small` makes smaller: bounds of memory for a machine that has little of it.

They are defaults: a value that the operator gives wins. Each bound changes only how much is done at
once; what does not fit waits or is refused with a remedy, and nothing acknowledged is lost.
"""

from collections.abc import Mapping

SMALL_DEFAULTS: Mapping[tuple[str, str], object] = {
    # Of a new log. Each partition has timers and memory of its own; more of them only help more
    # than one indexer.
    ("log", "partitions"): 2,
    # Rows that are not yet in segments. Beyond it reading pauses, except for the partition that is
    # nearest to its next cut.
    ("indexer", "live_bytes_max"): 256 * 1024 * 1024,
    ("indexer", "read_block_bytes"): 1_048_576,
    # One share at a time with half the memory: a query over very many groups is refused sooner.
    ("indexer", "share_memory_mb"): 256,
    ("indexer", "shares_running"): 2,
    ("query", "running_max"): 2,
    ("query", "states_mb"): 384,
    # The smallest size at which large bodies are not refused sooner (docs/events.md).
    ("shepherd", "in_flight_bytes_max"): 64 * 1024 * 1024,
}
