"""Publishing is atomic: interrupted anywhere, repeating it gives the same result (I3, I4)."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.clock import ManualClock
from common.errors import ObjectsUnavailable
from common.model.record import Marker, marker_record
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from snapshot.damage.divergence import REPORT, list_divergences
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.manifest import Manifest, checkpoint_key, checkpoint_prefix
from snapshot.publish import ChainForked, publish, publish_checkpoint
from snapshot.verify.verify import verify
from tests.indexer.harness import append, open_context, published, running, until
from tests.indexer.partition.test_partition import numbers
from tests.snapshot.sealed_in import SealedIn
from tests.snapshot.test_manifest import manifest

NONE = SealedIn({})
CUT = marker_record(Marker(hour=None, reason="test"))


class Failing:
    """An object store that fails once at its n-th writing call, before or after doing it."""

    def __init__(self, objects: ObjectStore, at: int, *, after: bool) -> None:
        self._objects = objects
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise ObjectsUnavailable("made to fail")
        done = self._objects.put_if_absent(key, data)
        if self._left == 0:
            raise ObjectsUnavailable("made to fail after it was done")
        return done


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 7))
async def test_publishing_that_fails_at_any_call_ends_whole(
    tmp_path: Path, at: int, after: bool
) -> None:
    def wrap(objects: ObjectStore) -> ObjectStore:
        return Failing(objects, at, after=after)  # type: ignore[return-value]  # by __getattr__

    async with open_context(tmp_path, wrap=wrap) as context, running(context) as partition:
        log = context.backends.log
        for some in ([1, 2], [3]):
            await append(log, some)
            await log.append(0, CUT)
        await until(partition, published(4))
        assert await numbers(partition) == [1, 2, 3]
    async with open_context(tmp_path) as context:
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems
        assert (report.manifests, report.rows) == (2, 3)


@pytest.mark.parametrize("at", range(1, 5))
async def test_killed_while_publishing_a_new_machine_ends_whole(tmp_path: Path, at: int) -> None:
    class Dead(Failing):
        def put_if_absent(self, key: str, data: bytes | Path) -> bool:
            if self._left <= 1:
                raise ObjectsUnavailable("dead")
            return super().put_if_absent(key, data)

    def wrap(objects: ObjectStore) -> ObjectStore:
        return Dead(objects, at, after=False)  # type: ignore[return-value]  # by __getattr__

    async with open_context(tmp_path, "a", wrap=wrap) as context:
        log = context.backends.log
        await append(log, [1, 2])
        await log.append(0, CUT)
        if at > 1:
            async with running(context) as partition:
                await until(partition, lambda p: p.view is not None and bool(p.view.live.sealing))
    async with open_context(tmp_path, "b") as context, running(context) as partition:
        await until(partition, published(2))
        assert await numbers(partition) == [1, 2]
        report = await verify(context.backends.objects, context.backends.log, [0])
        assert report.clean, report.problems


async def test_twin_with_other_content_is_an_alarm_and_both_are_kept(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        chain = Chain(context.backends.objects, 3, None)
        ours, theirs = manifest(), manifest(datasets=["other"])
        assert not publish(chain, theirs, NONE).adopted
        outcome = publish(chain, ours, NONE)
        assert outcome.adopted
        assert outcome.differences == ("datasets",)
        assert outcome.manifest == theirs == chain.manifest(ours.key)
        stored, report = context.backends.objects.list("divergence/")
        assert context.backends.objects.get(stored.key) == encode_checksummed(ours)
        assert outcome.divergence is not None
        assert report.key == stored.key.removesuffix(".json") + REPORT
        assert list_divergences(chain) == [outcome.divergence]


async def test_another_cut_after_the_same_manifest_is_refused(tmp_path: Path) -> None:
    async with open_context(tmp_path) as context:
        chain = Chain(context.backends.objects, 3, None)
        first = manifest(10)
        publish(chain, first, NONE)

        def following(next_offset: int) -> Manifest:
            return manifest(next_offset, first_offset=10, predecessor=first.key)

        publish(chain, following(20), NONE)
        with pytest.raises(ChainForked):
            publish(chain, following(21), NONE)
        assert len(list(context.backends.objects.list("divergence/"))) == 2


class Late:
    """An object store in which the twin publishes a manifest right after it was found missing."""

    def __init__(self, objects: ObjectStore, key: str, publish_twin: Callable[[], object]) -> None:
        self._objects = objects
        self._key = key
        self._publish_twin: Callable[[], object] | None = publish_twin

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def get(self, key: str) -> bytes:
        try:
            return self._objects.get(key)
        finally:
            if key == self._key and self._publish_twin is not None:
                twin, self._publish_twin = self._publish_twin, None
                twin()


async def test_twins_that_publish_one_cut_at_the_same_moment_do_not_disagree(
    tmp_path: Path,
) -> None:
    async with open_context(tmp_path) as context:
        objects = context.backends.objects
        first = manifest(10)
        publish(Chain(objects, 3, None), first, NONE)
        ours = manifest(20, first_offset=10, predecessor=first.key)
        theirs = msgspec.structs.replace(ours, zone="b", created_ns=7)
        late = Late(objects, ours.key, lambda: publish(Chain(objects, 3, None), theirs, NONE))
        done = publish(Chain(late, 3, None), ours, NONE)  # type: ignore[arg-type]  # by __getattr__
        assert done.adopted
        assert done.manifest.zone == "b"
        assert not list(objects.list("divergence/"))


def test_old_checkpoints_are_deleted_and_any_of_the_newest_serves(tmp_path: Path) -> None:
    """Each names all that is retained, so together they would outgrow the segments' documents."""
    objects = DirectoryObjects(tmp_path)
    chain, clock = Chain(objects, 3, None), ManualClock()
    cuts = [manifest(first_offset=at, next_offset=at + 1) for at in range(9)]
    for one in cuts:
        publish_checkpoint(chain, one, one.segments, (), clock)
    left = [info.key for info in objects.list(checkpoint_prefix(3))]
    assert left == [checkpoint_key(one.key) for one in cuts[-limits.CHECKPOINTS_KEPT :]]
    every = {one.key for one in cuts}
    objects.replace(left[-1], b"damaged")
    found = chain.newest_checkpoint(every)
    assert found is not None
    assert found.manifest == cuts[-2].key
    publish_checkpoint(chain, cuts[-1], cuts[-1].segments, (), clock)  # again, after no answer
    assert [info.key for info in objects.list(checkpoint_prefix(3))] == left
