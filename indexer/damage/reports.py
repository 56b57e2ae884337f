"""Reports losses of a partition: one log line and one metric for each (I5)."""

import logging

from common.logs import log_event
from common.metrics import gaps_total, set_aside_records_total
from snapshot.documents.manifest import Gap, QuarantinedRecord

logger = logging.getLogger(__name__)


def report_gap(partition: int, gap: Gap) -> None:
    """Report records that were lost before they were indexed."""
    gaps_total.labels(str(partition)).inc()
    log_event(
        logger,
        logging.ERROR,
        "GAP: records were lost before they were indexed",
        partition=partition,
        epoch=gap.epoch,
        first=gap.first,
        end=gap.end,
        why=gap.reason,
    )


def report_quarantined(partition: int, entry: QuarantinedRecord) -> None:
    """Report a record that cannot be read."""
    set_aside_records_total.labels(str(partition)).inc()
    log_event(
        logger,
        logging.ERROR,
        "record set aside",
        partition=partition,
        offset=entry.offset,
        why=entry.reason,
    )
