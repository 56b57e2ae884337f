"""Verification: everything that was published exists, is undamaged and is consistent (I2-I5).

Checks every partition: the chain of manifests, every segment's object, hash, digest, rows and
ranges, batch ids, rows across cuts, and what the log still has to hold. Only reads, unless it is
given local copies to repair objects from. Blocking work runs in threads.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.errors import LogUnavailable
from common.log import Log
from common.objects import ObjectStore
from snapshot.verify.chain import PartitionCheck
from snapshot.verify.documents import check_exports
from snapshot.verify.log import LOG_READ_LIMITS, Covered, LogCheck, LogReadLimits
from snapshot.verify.report import Progress, VerifyReport, no_progress
from snapshot.verify.segments import SegmentsCheck
from snapshot.verify.store import DamageTolerantStore
from snapshot.verify.unnamed import check_unnamed


async def verify(
    objects: ObjectStore,
    log: Log | None,
    partitions: Sequence[int],
    progress: Progress = no_progress,
    copies: Sequence[Path] = (),
    log_folder: Path | None = None,
    contents_bytes_max: int | None = None,
    log_limits: LogReadLimits = LOG_READ_LIMITS,
) -> VerifyReport:
    """Check everything.

    log: opened; None: the log is not checked.
    progress: called in threads.
    copies: folders of indexers' segment caches, to repair objects from.
    log_folder: of the embedded log, whose files are read completely.
    contents_bytes_max: when segments of that many bytes are read, only sizes of the others are
    checked; None: all are read, and objects that no document names are listed.
    log_limits: how much of a log on servers is read.
    Raises ObjectsUnavailable.
    """
    report = VerifyReport()
    covered: dict[int, Covered] = {}
    objects = DamageTolerantStore(objects)  # one object that cannot be read stops nothing
    reading = LogCheck(report, covered, log_limits)
    with tempfile.TemporaryDirectory(prefix="bellwether-verify-") as scratch:
        segments = SegmentsCheck(objects, Path(scratch), report, copies, contents_bytes_max)
        for partition in partitions:
            check = PartitionCheck(objects, partition, report, progress, segments)
            await asyncio.to_thread(check.run)
            covered[partition] = check.covered(None)
            if log is not None:
                try:
                    covered[partition] = check.covered(await check.run_log(log))
                    if log_folder is None:
                        bounds = await log.bounds(partition)
                        await reading.run_servers(log, partition, bounds, progress)
                except LogUnavailable as error:
                    report.add(partition, f"the log: {error}", "mend the log, then run it again")
            report.partitions += 1
        await asyncio.to_thread(check_exports, objects, report)
        if contents_bytes_max is None:
            await asyncio.to_thread(check_unnamed, objects, report)
        if log_folder is not None:
            await asyncio.to_thread(reading.run_embedded, log_folder, progress)
    return report
