"""A search reads the texts of an indexer's segments and live rows, and no segment in vain."""

from pathlib import Path

import pytest

from common import limits
from common.model.record import Record
from common.model.record_value import encode_event_line, events_record
from common.objects import ObjectStore
from indexer.partition.partition import Partition
from indexer.serve.footers import Footers
from indexer.serve.leases import PartitionLeases
from indexer.upkeep.summaries.held import HeldSummaries
from indexer.upkeep.summaries.worker import SummaryWorker
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Plan, RowsWanted
from query.share.compute.computation import Computation
from query.share.row_search.search import rows_of
from query.share.view.view import ViewRequest
from segment.summary.summary import SegmentSummary, encode_summary
from snapshot.documents.locations import summary_key
from tests.indexer.harness import DATASET, TIME_NS, open_context, repair_of, until
from tests.indexer.upkeep.compaction.compacting import CUT, compacting, published
from tests.query.share.databases import databases

DATABASES = databases()
Found = tuple[bytes, tuple[str, ...]]


def texts(number: int, *lines: bytes) -> Record:
    """A record of events with this number and these further members."""
    found = [encode_event_line(TIME_NS + number, 1, b'{"n":%d,%b}' % (number, one))
             for one in lines]  # fmt: skip
    return events_record(team="t", env="e", dataset=DATASET, batch=number.to_bytes(16, "big"),
                         depth=0, via="test", lines=found, unless=())  # fmt: skip


async def cut(partition: Partition, record: Record) -> None:
    log = partition.shared.context.backends.log
    await log.append(0, record)
    position = (await log.append(0, CUT)).position
    await until(partition, published(position.offset + 1))


async def search(partition: Partition, held: HeldSummaries, text: str) -> tuple[list[Found], int]:
    """The rows that hold the text, with the fields that do, and how many segments were skipped."""
    shared = partition.shared
    leases = PartitionLeases(
        {partition.number: partition}, shared.prefetcher.fetching, Footers(),
        repair_of(partition), shared.context.clock, summaries=held,
    )  # fmt: skip
    one = Filter("", FilterOp.SEARCH, (text,))
    rows = RowsWanted(limit=9, bytes_max=10**6, fields=("n",), oldest=True)
    plan = Plan(dataset=DATASET, start_ns=0, end_ns=2**62, needs=(), filters=(one,), rows=rows)
    wanted = ViewRequest(filters=(one,), texts=True)
    async with leases.lease(partition.number, DATASET, wanted) as view:
        found = rows_of(Computation(plan, [view], DATABASES).run().states["main"])
    skipped = [segment.skipped for segment in view.segments].count(True)
    return [(row.data, row.matches) for row in found], skipped


@pytest.mark.parametrize("wide", [False, True])
async def test_a_text_is_found_in_segments_and_live_rows_and_others_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    if wide:  # texts lie in the overflow column, of which summaries say nothing
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_MAX_V1", 1)
        monkeypatch.setattr(limits, "SEGMENT_COLUMNS_FEW", 1)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cut(partition, texts(1, b'"message":"Frame_Too_Large","a":1'))
        await cut(partition, texts(2, b'"message":"all is well"', b'"list":["TIMEOUT",1]'))
        await cut(partition, texts(3, b'"other":"timeout of peer"'))
        await context.backends.log.append(0, texts(4, b'"live":"a Timeout too"'))
        await until(partition, lambda p: p.view is not None and p.view.live.end_offset == 7)
        held = HeldSummaries()
        await SummaryWorker({0: partition}, partition.shared, held, rows_min=1).run_round()
        assert len(held) == 3
        rows = [(b'{"n":2}', ("list",)), (b'{"n":3}', ("other",)), (b'{"n":4}', ("live",))]
        assert await search(partition, held, "timeout") == (rows, 0 if wide else 1)
        assert await search(partition, held, "nowhere_at_all") == ([], 0 if wide else 3)


def without_grams(objects: ObjectStore, name: str) -> None:
    """The summary as programs made it that knew nothing of texts."""
    summary = SegmentSummary.decode(objects.get(summary_key(name)), name)
    columns = {key: summary.column(key) for key in summary.keys}
    known = {key: one for key, one in columns.items() if one is not None}
    objects.replace(summary_key(name), encode_summary(name, summary.rows, known, complete=True))


async def test_a_summary_of_an_earlier_program_rules_out_no_search_and_is_made_again(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await cut(partition, texts(1, b'"message":"all is well"'))
        objects = context.backends.objects
        await SummaryWorker(
            {0: partition}, partition.shared, HeldSummaries(), rows_min=1
        ).run_round()
        [name] = [info.key.rpartition("/")[2] for info in objects.list("summaries/")]
        made = objects.get(summary_key(name))
        without_grams(objects, name)
        older = SegmentSummary.decode(objects.get(summary_key(name)), name)
        assert older.may_hold("nowhere_at_all")
        again = SummaryWorker({0: partition}, partition.shared, HeldSummaries(), rows_min=1)
        await again.run_round()
        assert again.describe()["made"] == 1
        assert objects.get(summary_key(name)) == made
