"""A cut whose author died between its heading and its manifest is made again, the same (I3)."""

import shutil
from pathlib import Path

import msgspec
import pytest

from common.errors import ObjectsUnavailable
from common.model.record import Record
from common.model.record_value import compress_value
from common.objects import ObjectStore
from indexer.seal.partition_reader import last_manifest
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Manifest, QuarantinedRecord
from snapshot.documents.same_content import same_content
from snapshot.publish import DamageDiffers, publish
from tests.indexer.damage.damaging import flip
from tests.indexer.harness import append, open_context, published, record, running, until
from tests.indexer.partition.test_partition import CUT
from tests.snapshot.sealed_in import SealedIn
from tests.snapshot.test_manifest import manifest
from tests.waiting import eventually


class NoManifests:
    """An object store that takes headings and no manifests, as at a kill between the two."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self.headed = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        if key.startswith("manifests/"):
            self.headed = any(self._objects.list("headings/"))
            raise ObjectsUnavailable("killed before the manifest")
        return self._objects.put_if_absent(key, data)


async def write(folder: Path, *, flipped: bool) -> None:
    """Records at 0 to 2 and a cut after them; at 1 one of two lines is none."""
    async with open_context(folder) as context:
        log = context.backends.log
        poisoned: Record = msgspec.structs.replace(
            record([2, 3]),
            value=compress_value(b'{"t":1,"r":1,"d":{"a":1}}\nnot a line\n'),
        )
        await append(log, [1])
        await log.append(0, poisoned)
        await append(log, [4])
        await log.append(0, CUT)
    if flipped:
        flip(folder, 2)


async def cut_of(folder: Path, role: str) -> Manifest:
    async with open_context(folder, role) as context, running(context) as partition:
        await until(partition, published(4))
        assert last_manifest(partition) is not None
        return last_manifest(partition)


@pytest.mark.parametrize("flipped", [False, True], ids=["bad content", "and a damaged copy"])
async def test_cut_that_was_only_headed_is_made_again_the_same(
    tmp_path: Path, flipped: bool
) -> None:
    await write(tmp_path / "twice", flipped=flipped)
    shutil.copytree(tmp_path / "twice", tmp_path / "once")
    once = await cut_of(tmp_path / "once", "a")

    stores: list[NoManifests] = []

    def wrap(objects: ObjectStore) -> ObjectStore:
        stores.append(NoManifests(objects))
        return stores[0]  # type: ignore[return-value]  # by __getattr__

    async with (
        open_context(tmp_path / "twice", "a", wrap=wrap) as context,
        running(context) as partition,
    ):
        await eventually(lambda: stores[0].headed)
        assert last_manifest(partition) is None
    again = await cut_of(tmp_path / "twice", "b")

    assert same_content(once, again) == []
    assert (again.set_aside, again.damaged) == (once.set_aside, once.damaged)
    assert [entry.offset for entry in again.set_aside] == ([1, 2] if flipped else [1])


async def test_damaged_manifest_is_replaced_only_by_the_cut_of_its_heading(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        chain = Chain(context.backends.objects, 3, None)
        lost = QuarantinedRecord(4, "damaged")
        theirs, ours = manifest(set_aside=[lost]), manifest()
        publish(chain, theirs, SealedIn({}))
        context.backends.objects.replace(theirs.key, b"damaged")
        with pytest.raises(DamageDiffers):
            publish(chain, ours, SealedIn({}))
        assert context.backends.objects.get(theirs.key) == b"damaged"
        publish(chain, theirs, SealedIn({}))
        assert chain.manifest(theirs.key) == theirs
