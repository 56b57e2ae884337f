"""When segments were appended, as far as their stamps can be believed (I13).

Within a partition time does not go back. A stamp that is earlier than one before it was set by a
clock that was behind, so the segment is taken to be as young as the youngest before it; stamps
that lie in the future tell nothing about what follows them.
"""

from collections.abc import Iterable

from snapshot.documents.manifest import SegmentEntry


def appended_ns(entries: Iterable[SegmentEntry], now_ns: int) -> dict[str, int]:
    """By hash: the append time to expire each segment by."""
    found: dict[str, int] = {}
    latest_ns = 0
    for entry in sorted(entries, key=lambda e: (e.epoch_number, e.end_offset)):
        if entry.append_max_ns <= now_ns:
            latest_ns = max(latest_ns, entry.append_max_ns)
        found[entry.object] = max(entry.append_max_ns, latest_ns)
    return found
