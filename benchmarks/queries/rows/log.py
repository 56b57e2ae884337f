"""A data folder whose log holds the rows: written by the product's own writer of the log.

What arrives over HTTP becomes the same records; here they are appended at the time of their rows
by a clock that is moved, so that a day of rows takes seconds. Each build then indexes its own copy
of the folder with its own indexer, and so makes its own objects of the same log.
"""

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.queries.rows.shape import BODY_ROWS, Body, Shape, bodies
from common.clock import ManualClock
from common.log.embedded.log import EmbeddedLog
from common.model.record import Kind, Marker, Record, marker_record
from common.model.record_value import compress_value

_HOUR_NS = 3_600 * 10**9
_GROUP_NS = 6 * _HOUR_NS  # a quarter of what is far
_AT_ONCE = 64  # appends that wait for one commit


class Target(NamedTuple):
    """The ids of a dataset, as records carry them."""

    team: str
    env: str
    dataset: str


def write_log(
    folder: Path,
    target: Target,
    shape: Shape,
    pieces: int,
    partitions: int,
    live: int = 0,
    body_rows: int = BODY_ROWS,
) -> None:
    """Append all rows to a new log, the bodies of a piece to its partitions in turn.

    pieces: cuts by marker, after as many rows each; 0: only one at the end, beside those that the
    format's limits make. live: so many of the last rows come after the last cut, all of them
    appended at the shape's end. body_rows: of a body at most; of rows that are far apart, fewer.
    """
    asyncio.run(_write_log(folder, target, shape, pieces, partitions, live, body_rows))


async def _write_log(
    folder: Path,
    target: Target,
    shape: Shape,
    pieces: int,
    partitions: int,
    live: int,
    body_rows: int,
) -> None:
    clock = ManualClock(shape.start_ns)
    log = EmbeddedLog(folder, partitions, clock)
    await log.open()
    dice = random.Random(shape.seed)
    sealed, parts = shape.rows - live, max(pieces, 1)
    bounds = [sealed * number // parts for number in range(parts + 1)]
    body_rows = max(min(body_rows, shape.rows * _GROUP_NS // shape.span_ns), 1)
    turn = 0
    for first, end in pairwise([*bounds, shape.rows] if live else bounds):
        for some in _groups(bodies(shape, first, end, body_rows)):
            clock.wall_ns = max(clock.wall_ns, some[-1].newest_ns)
            records = await asyncio.to_thread(_records, some, target, dice)
            async with asyncio.TaskGroup() as group:
                for record in records:
                    group.create_task(log.append(turn % partitions, record))
                    turn += 1
        if end <= sealed:
            for partition in range(partitions):
                await log.append(partition, marker_record(Marker(None, reason="benchmark")))
        if live and end == sealed:  # close the last hour, or an indexer does it and so cuts
            clock.wall_ns = shape.end_ns
            for partition in range(partitions):
                await log.append(partition, marker_record(Marker(shape.end_ns // _HOUR_NS - 1)))
    await log.close()


def _groups(some: Iterator[Body]) -> Iterator[list[Body]]:
    """Bodies that are appended together, and so at the time of the last of them.

    They are not far apart in time: rows long before their append go into segments of their own.
    """
    group: list[Body] = []
    for body in some:
        if group and body.newest_ns - group[0].newest_ns > _GROUP_NS:
            yield group
            group = []
        group.append(body)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _records(some: list[Body], target: Target, dice: random.Random) -> list[Record]:
    with ThreadPoolExecutor() as threads:
        values = list(threads.map(compress_value, [body.lines for body in some]))
    return [
        Record(
            Kind.EVENTS,
            value,
            dice.randbytes(16),
            target.team,
            target.env,
            target.dataset,
            body.rows,
            via="random",
        )
        for body, value in zip(some, values, strict=True)
    ]
