"""When segments were appended, corrected for clocks that were wrong (I13).

Within a partition append times do not decrease. A time that is earlier than one before it came from
a slow clock, so the segment counts as young as the youngest one before it. Times in the future do
not affect the segments after them.
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
