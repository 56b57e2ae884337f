"""The directory store's own promises: leftovers of crashes, a store that is not there (I4)."""

import os
import shutil
from pathlib import Path

import pytest

from common.errors import ObjectsUnavailable
from common.objects.directory import DirectoryObjects


def test_old_leftovers_of_a_crash_are_swept_and_fresh_ones_are_not(tmp_path: Path) -> None:
    DirectoryObjects(tmp_path).put_if_absent("a/kept", b"x")
    old, fresh = (tmp_path / ".staging" / name for name in (".tmp-1-old", ".tmp-2-fresh"))
    for path in (old, fresh):
        path.write_bytes(b"half of an obj")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    store = DirectoryObjects(tmp_path)
    assert [path.name for path in (tmp_path / ".staging").iterdir()] == [fresh.name]
    assert [info.key for info in store.list("")] == ["a/kept"]


def test_nothing_is_left_in_staging_after_puts(tmp_path: Path) -> None:
    store = DirectoryObjects(tmp_path)
    source = tmp_path / "source"
    source.write_bytes(b"y")
    for data in (b"x", source):
        store.put_if_absent("a", data)
        store.replace("b", data)
    with pytest.raises(ObjectsUnavailable):
        store.put_if_absent("c", tmp_path / "no such source")
    assert list((tmp_path / ".staging").iterdir()) == []


def test_store_that_is_gone_is_not_an_empty_store(tmp_path: Path) -> None:
    store = DirectoryObjects(tmp_path / "store")
    store.put_if_absent("a", b"x")
    shutil.rmtree(tmp_path / "store")
    for call in (
        lambda: store.get("a"),
        lambda: store.head("a"),
        lambda: list(store.list("")),
        lambda: store.put_if_absent("b", b"x"),
        lambda: store.fetch("a", tmp_path / "target"),
    ):
        with pytest.raises(ObjectsUnavailable):
            call()


def test_key_above_or_below_another_key_is_refused(tmp_path: Path) -> None:
    store = DirectoryObjects(tmp_path)
    store.put_if_absent("a", b"x")
    store.put_if_absent("b/c", b"x")
    for key in ("a/b", "b"):
        with pytest.raises(ValueError, match="another key"):
            store.put_if_absent(key, b"y")
        with pytest.raises(ValueError, match="another key"):
            store.replace(key, b"y")
    assert {info.key: store.get(info.key) for info in store.list("")} == {"a": b"x", "b/c": b"x"}
