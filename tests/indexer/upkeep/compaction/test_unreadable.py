"""A compaction document that is damaged in the store is reported wherever operators look (I4)."""

import shutil
from pathlib import Path

from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from indexer.partition.status import Writers, describe
from ops.doctor.compactions import check_compactions
from ops.doctor.machine import Verdict
from ops.status import read_status, troubles
from snapshot.compaction.documents import compaction_key
from tests.indexer.harness import open_context
from tests.indexer.upkeep.compaction.compacting import compacting, compactor_of, cuts, shown

KEY = compaction_key(0, 1)
ALARM = "compaction_unreadable"


async def damaged(folder: Path) -> None:
    """Four cuts that are put together; the document that says so is cut in half."""
    async with open_context(folder) as context, compacting(context) as partition:
        await cuts(partition, context.backends.log, [1], [2], [3], [4])
        assert await compactor_of(partition).step(0) == 1
        objects = context.backends.objects
        data = objects.get(KEY)
        objects.replace(KEY, data[: len(data) // 2])
        assert [one.verdict for one in check_compactions(objects, [0])] == [Verdict.FAIL]


def remove_copies(folder: Path) -> None:
    (copies,) = [path for path in folder.rglob("compactions") if path.parent.name != "objects"]
    shutil.rmtree(copies)


def troubles_of(partition: Partition) -> str:
    """What `bellwether status` says of the partition."""
    held = describe(partition, Writers("", ""), {}, 0)
    document = {
        "roles": [],
        "log": [],
        "indexers": [{"indexer": "i", "status": {"partitions": {"0": held}}}],
    }
    return str(troubles(read_status(document, 0), 0))


async def test_it_raises_an_alarm_and_is_shown_in_status_and_doctor(tmp_path: Path) -> None:
    await damaged(tmp_path)
    remove_copies(tmp_path)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await PartitionMaintenance(partition).run_round()
        assert KEY in partition.alarms.raised[ALARM]
        assert f"{KEY} cannot be read" in troubles_of(partition)
        assert await shown(partition) == [1, 2, 3, 4]  # the segments themselves are still there
        (finding,) = check_compactions(context.backends.objects, [0])
        assert finding.verdict is Verdict.FAIL
        assert KEY in finding.text
        assert "backup" in finding.remedy


async def test_a_copy_on_this_disk_restores_it_without_an_alarm(tmp_path: Path) -> None:
    await damaged(tmp_path)
    async with open_context(tmp_path) as context, compacting(context) as partition:
        await PartitionMaintenance(partition).run_round()
        assert ALARM not in partition.alarms.raised
        assert await shown(partition) == [1, 2, 3, 4]
        (finding,) = check_compactions(context.backends.objects, [0])
        assert finding.verdict is Verdict.GOOD
