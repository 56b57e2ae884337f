"""What every object store promises (I4)."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import DamagedObject, ObjectMissing
from common.objects import ObjectStore
from tests.conformance import implementations as known
from tests.conformance.processes import finish, on_small_disk, started

KEYS = st.lists(
    st.text("ab-.0Z_", min_size=1, max_size=4).filter(lambda part: part[0] != "."),
    min_size=1,
    max_size=3,
).map("/".join)


def without_nesting(keys: set[str]) -> list[str]:
    """The keys that lie below no other key."""
    return [k for k in sorted(keys) if not any(k.startswith(f"{other}/") for other in keys)]


def test_object_is_stored_once_and_read_back(objects: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"from a file")
    assert objects.put_if_absent("a/b.parquet", b"one")
    assert not objects.put_if_absent("a/b.parquet", b"two")
    assert objects.put_if_absent("a/c", tmp_path / "source")
    assert objects.get("a/b.parquet") == b"one"
    assert objects.fetch("a/c", tmp_path / "target") == 11
    assert (tmp_path / "target").read_bytes() == b"from a file"
    head = objects.head("a/b.parquet")
    assert head is not None
    assert (head.key, head.size_bytes) == ("a/b.parquet", 3)
    assert head.modified_ns > 0


def test_empty_object_is_an_object(objects: ObjectStore) -> None:
    assert objects.put_if_absent("empty", b"")
    assert objects.get("empty") == b""


def test_missing_object_is_told_apart(objects: ObjectStore, tmp_path: Path) -> None:
    objects.put_if_absent("folder/object", b"x")
    for key in ("nothing", "folder", "folder/object/below", "no/such/folder"):
        assert objects.head(key) is None
        with pytest.raises(ObjectMissing):
            objects.get(key)
        with pytest.raises(ObjectMissing):
            objects.fetch(key, tmp_path / "target")
        objects.delete(key)
    assert not (tmp_path / "target").exists()
    assert objects.get("folder/object") == b"x"


def test_part_of_an_object_is_read_and_one_beyond_its_end_is_damage(
    objects: ObjectStore, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    objects.put_if_absent("a/b", bytes(range(100)))
    for offset, length in ((0, 1), (0, 100), (7, 20), (99, 1)):
        objects.fetch_range("a/b", offset, length, target)
        assert target.read_bytes() == bytes(range(offset, offset + length))
    target.unlink()
    for offset, length in ((0, 101), (90, 11), (100, 1), (5_000, 10)):
        with pytest.raises(DamagedObject):
            objects.fetch_range("a/b", offset, length, target)
    for offset, length in ((-1, 3), (0, 0), (5, -1)):
        with pytest.raises(ValueError, match="range"):
            objects.fetch_range("a/b", offset, length, target)
    with pytest.raises(ObjectMissing):
        objects.fetch_range("a/c", 0, 1, target)
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_replace_changes_an_object_or_creates_it(objects: ObjectStore) -> None:
    objects.replace("a", b"one")
    objects.replace("a", b"two")
    assert objects.get("a") == b"two"


def test_deleted_object_is_gone_and_may_be_put_again(objects: ObjectStore) -> None:
    objects.put_if_absent("a/b/c", b"1")
    objects.delete("a/b/c")
    objects.delete("a/b/c")
    assert list(objects.list("")) == []
    assert objects.put_if_absent("a/b/c", b"2")


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a/.", ".hidden", "a b", "ä", "a\n"]
)
def test_what_is_not_a_key_is_refused(objects: ObjectStore, key: str) -> None:
    for call in (objects.get, objects.head, objects.delete):
        with pytest.raises(ValueError, match="key"):
            call(key)
    with pytest.raises(ValueError, match="key"):
        objects.put_if_absent(key, b"")


@given(keys=st.sets(KEYS, max_size=12), prefix=st.text("ab-.0/", max_size=4), after=KEYS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_listing_is_what_sorting_all_keys_gives(
    objects_kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    keys: set[str],
    prefix: str,
    after: str,
) -> None:
    objects = known.OBJECTS[objects_kind](tmp_path_factory.mktemp("store"))
    stored = without_nesting(keys)
    for key in stored:
        assert objects.put_if_absent(key, key.encode())
    if ".." in prefix.split("/"):
        with pytest.raises(ValueError, match="prefix"):
            objects.list(prefix)
        return
    wanted = [k for k in stored if k.startswith(prefix) and k > after]
    assert [info.key for info in objects.list(prefix, after)] == wanted


def test_one_of_many_racing_processes_puts_each_object(objects_kind: str, tmp_path: Path) -> None:
    start_at = str(time.time() + 1.0)
    marks = ("a", "b", "c")
    with started(
        *(["put_object", objects_kind, str(tmp_path), "k/raced", m, start_at] for m in marks)
    ) as processes:
        lines = {m: finish(p) for m, p in zip(marks, processes, strict=True)}
    objects = known.OBJECTS[objects_kind](tmp_path)
    for number in range(20):
        winners = [m for m in marks if [str(number), "True"] in lines[m]]
        assert len(winners) == 1
        assert objects.get(f"k/raced/{number}") == winners[0].encode() * 100_000


def test_reader_sees_a_whole_object_or_none_while_it_is_put(objects: ObjectStore) -> None:
    stop = threading.Event()
    whole = b"x" * 500_000

    def read() -> set[int]:
        sizes = set()
        while not stop.is_set():
            sizes |= {info.size_bytes for info in objects.list("")}
            sizes |= {len(objects.get(info.key)) for info in objects.list("")}
        return sizes

    with ThreadPoolExecutor(1) as pool:
        sizes = pool.submit(read)
        for number in range(20):
            objects.put_if_absent(f"a/{number}", whole)
        stop.set()
        assert sizes.result() <= {len(whole)}


def test_puts_and_deletes_in_one_folder_do_not_harm_each_other(objects: ObjectStore) -> None:
    def churn(name: str) -> None:
        for _ in range(40):
            assert objects.put_if_absent(f"deep/er/{name}", b"x")
            objects.delete(f"deep/er/{name}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, "abcd"))
    assert list(objects.list("")) == []


@pytest.mark.parametrize("objects_kind", ["directory"])  # the other stores' disks are not ours
def test_full_store_keeps_whole_objects_and_recovers(objects_kind: str, tmp_path: Path) -> None:
    lines = on_small_disk(tmp_path, 3_000_000, "fill_objects", objects_kind, str(tmp_path))
    count = lines["full"][0]
    assert int(count) > 3
    assert lines["listed"] == [count, "True"]
    assert lines["again"] == ["True"]
