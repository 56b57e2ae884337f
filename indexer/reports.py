"""What a partition says about losses and cuts: in the log, as a metric, as an event (I5)."""

import logging

from common.logs import say
from common.metrics import gaps_total, set_aside_records_total
from common.telemetry import Telemetry
from snapshot.manifest import Gap, SetAsideEntry
from snapshot.publish import Published

logger = logging.getLogger(__name__)


def report_gap(partition: int, gap: Gap) -> None:
    """Records were lost before they were indexed."""
    gaps_total.labels(str(partition)).inc()
    say(
        logger,
        logging.ERROR,
        "GAP: records were lost before they were indexed",
        partition=partition,
        epoch=gap.epoch,
        first=gap.first,
        end=gap.end,
        why=gap.reason,
    )


def report_set_aside(partition: int, entry: SetAsideEntry) -> None:
    """A record cannot be read."""
    set_aside_records_total.labels(str(partition)).inc()
    say(
        logger,
        logging.ERROR,
        "record set aside",
        partition=partition,
        offset=entry.offset,
        why=entry.reason,
    )


def report_cut(telemetry: Telemetry, published: Published, duration_ms: float) -> None:
    """A cut is published, here or by the twin."""
    manifest = published.manifest
    telemetry.emit(
        "cut",
        partition=manifest.partition,
        rows=manifest.rows,
        segments=len(manifest.segments),
        bytes=sum(segment.size_bytes for segment in manifest.segments),
        next_offset=manifest.next_offset,
        adopted=published.adopted,
        diverged=bool(published.differences),
        duration_ms=duration_ms,
    )
