"""`bellwether segments`: exactly the objects that answers read, and their rows as plain files."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import msgspec
import pytest
from click.testing import CliRunner, Result

from bellwether.cli import cli
from common.metadata import Dataset, Metadata
from common.model.names import dataset_id
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from compose.cluster.cluster import Cluster
from compose.servers.s3 import S3
from segment.parquet.reference import ReferenceEncoders
from snapshot.documents.chain import Chain
from snapshot.documents.locations import summary_key
from snapshot.documents.manifest import Dropped, Manifest, encode_manifest
from snapshot.summaries import SUMMARY_ROWS_MIN, make_summary
from tests.conformance import cluster as conformance
from tests.indexer.harness import DATASET, open_context, published, record, running, until
from tests.indexer.packs import packed as packs
from tests.indexer.partition.test_partition import CUT
from tests.indexer.upkeep.compaction.compacting import compacting, compactor_of, cuts

Wrap = Callable[[ObjectStore], ObjectStore]


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["segments", *arguments, "--data", str(folder)])


def known(metadata: Metadata, slug: str, name: str = "") -> str:
    """Make a dataset; returns its id. name: the id that it has; "": the one that is derived."""
    team = metadata.ensure_team("t", "t")
    env = metadata.ensure_environment(team.id, "e", "e")
    name = name or dataset_id(team.id, env.id, slug)
    metadata.ensure_dataset(Dataset(id=name, env_id=env.id, slug=slug, name=slug))
    return name


async def filled(folder: Path, wrap: Wrap = lambda objects: objects) -> str:
    """Three cuts of the dataset `web`, of two records each; returns the dataset's id."""
    async with open_context(folder, wrap=wrap) as context, running(context) as partition:
        log = context.backends.log
        name = known(context.backends.metadata, "web")
        for n in range(3):
            await log.append(0, record([10 * n, 10 * n + 1], dataset=name))
            await log.append(0, record([10 * n + 2], dataset=name))
            await log.append(0, CUT)
        await until(partition, published(9))
    return name


@pytest.fixture
def web(tmp_path: Path) -> str:
    return asyncio.run(filled(tmp_path))


def newest(folder: Path) -> Manifest:
    chain = Chain(DirectoryObjects(folder / "objects"), 0, None)
    return chain.manifest(chain.manifest_keys()[-1])


def drop(folder: Path, offset: int) -> None:
    """Let the newest manifest say that this record counts in another partition."""
    manifest = newest(folder)
    dropped = [Dropped(manifest.epoch_number, offset)]
    changed = msgspec.structs.replace(manifest, conditionals_dropped=dropped)
    DirectoryObjects(folder / "objects").replace(manifest.key, encode_manifest(changed))


def numbers(folder: Path) -> list[int]:
    files = f"read_parquet('{folder}/*.parquet')"
    rows = duckdb.sql(f'SELECT "f:n:i" FROM {files} ORDER BY 1').fetchall()
    return [n for (n,) in rows]


def test_objects_that_nothing_names_are_not_among_them(tmp_path: Path, web: str) -> None:
    stray = tmp_path / "objects" / "segments" / "aa" / f"{'a' * 64}.parquet"
    stray.parent.mkdir(parents=True, exist_ok=True)
    some = next((tmp_path / "objects" / "segments").glob("*/*.parquet"))
    stray.write_bytes(some.read_bytes())
    done = run(tmp_path, "web", "--paths", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["dataset"] == web
    assert [one["rows"] for one in found["objects"]] == [3, 3, 3]
    addresses = [one["address"] for one in found["objects"]]
    assert str(stray.resolve()) not in addresses
    for one in found["objects"]:
        data = Path(one["address"]).read_bytes()[one["first_byte"] :][: one["size_bytes"]]
        assert data.startswith(b"PAR1")
        assert data.endswith(b"PAR1")
    table = run(tmp_path, "web", "--paths")
    assert all(address in table.stdout for address in addresses)


def test_extracted_files_hold_each_shown_row_once(tmp_path: Path, web: str) -> None:
    drop(tmp_path, 7)
    target = tmp_path / "out"
    done = run(tmp_path, "web", "--extract", str(target), "--json")
    assert done.exit_code == 0, done.output
    assert numbers(target) == [0, 1, 2, 10, 11, 12, 20, 21]
    found = json.loads(done.stdout)
    assert sorted(one["file"] for one in found["objects"]) == sorted(map(str, target.iterdir()))
    assert "hidden rows of 1 of them are left out" in done.stderr
    again = run(tmp_path, "web", "--extract", str(target))
    assert again.exit_code == 1
    assert "counted twice" in again.stderr


def test_hidden_offsets_are_named_with_a_warning(tmp_path: Path, web: str) -> None:
    drop(tmp_path, 6)
    done = run(tmp_path, "web", "--paths")
    assert done.exit_code == 0
    assert "6-7" in done.stdout
    assert "1 objects have rows that no answer shows" in done.stderr
    found = json.loads(run(tmp_path, "web", "--json").stdout)
    assert [one["hidden_offsets"] for one in found["objects"]] == [[], [], [[6, 7]]]


def test_without_options_it_sums_up_by_partition(tmp_path: Path, web: str) -> None:
    lines = run(tmp_path, "web").stdout.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["partition", "segments", "in", "packs"],
        ["0", "3", "0", "9"],
        ["all", "3", "0", "9"],
    ]


def test_an_object_that_is_damaged_or_gone_leaves_no_file(tmp_path: Path, web: str) -> None:
    (first, *_) = json.loads(run(tmp_path, "web", "--json").stdout)["objects"]
    path = Path(first["address"])
    path.write_bytes(path.read_bytes()[:-4] + b"PAR2")
    damaged = run(tmp_path, "web", "--extract", str(tmp_path / "out"))
    assert damaged.exit_code == 1
    assert "checksum does not match" in damaged.stderr
    path.unlink()
    gone = run(tmp_path, "web", "--extract", str(tmp_path / "other"))
    assert gone.exit_code == 1
    assert "run it again" in gone.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_name_that_is_mistyped_gets_one_that_is_near(tmp_path: Path, web: str) -> None:
    done = run(tmp_path, "wbe")
    assert done.exit_code == 1
    assert "there is no dataset wbe; did you mean web?" in done.stderr
    assert run(tmp_path / "nothing", "web").exit_code == 1


async def packed(folder: Path) -> None:
    """Two cuts of four small datasets, which are `one`, `two` and so on."""
    async with packs.filled(folder) as (context, _, _):
        for slug, name in zip(("one", "two", "three", "four"), packs.DATASETS, strict=True):
            known(context.backends.metadata, slug, name)


def test_segments_are_taken_out_of_packs(tmp_path: Path) -> None:
    asyncio.run(packed(tmp_path))
    target = tmp_path / "out"
    done = run(tmp_path, "two", "--extract", str(target), "--json")
    assert done.exit_code == 0, done.output
    assert numbers(target) == [1, 11]
    found = json.loads(done.stdout)["objects"]
    assert all(one["in_pack"] for one in found)
    assert all(one["key"].startswith("packs/") for one in found)
    for one in found:
        data = Path(one["address"]).read_bytes()[one["first_byte"] :][: one["size_bytes"]]
        assert Path(one["file"]).read_bytes() == data
    table = run(tmp_path, "two", "--paths")
    assert "2 segments are ranges of packs" in table.stderr
    assert run(tmp_path, "two").stdout.splitlines()[-1].split()[:4] == ["all", "2", "2", "2"]


async def compacted(folder: Path) -> None:
    """Four cuts of `web` that were put together, and one after them."""
    async with open_context(folder) as context, compacting(context) as partition:
        known(context.backends.metadata, "web", DATASET)
        await cuts(partition, context.backends.log, [1], [2], [3], [4])
        assert await compactor_of(partition).step(0) == 1
        await cuts(partition, context.backends.log, [5])


def test_what_was_put_together_is_read_once(tmp_path: Path) -> None:
    """The folder still holds the inputs: a glob over it counts them twice."""
    asyncio.run(compacted(tmp_path))
    assert numbers(tmp_path / "objects" / "segments" / "*") == [1, 1, 2, 2, 3, 3, 4, 4, 5]
    target = tmp_path / "out"
    done = run(tmp_path, "web", "--extract", str(target), "--json")
    assert done.exit_code == 0, done.output
    assert numbers(target) == [1, 2, 3, 4, 5]
    assert [one["rows"] for one in json.loads(done.stdout)["objects"]] == [4, 1]


async def large(folder: Path) -> None:
    """Three cuts of the dataset `web`, each of enough rows for a summary."""
    async with open_context(folder) as context, running(context) as partition:
        log = context.backends.log
        name = known(context.backends.metadata, "web")
        for n in range(3):
            rows = [10 * n + row % 3 for row in range(SUMMARY_ROWS_MIN)]
            await log.append(0, record(rows, dataset=name))
            await log.append(0, CUT)
        await until(partition, published(6))


def test_which_segments_have_a_summary_and_what_it_says(tmp_path: Path) -> None:
    asyncio.run(large(tmp_path))
    objects = DirectoryObjects(tmp_path / "objects")
    first, second, third = json.loads(run(tmp_path, "web", "--json").stdout)["objects"]
    for one in (first, second):
        file, encoders = Path(one["address"]), ReferenceEncoders()
        make_summary(objects, one["segment"], file, encoders, replaceable=False)
    objects.replace(summary_key(second["segment"]), b"no summary")
    done = run(tmp_path, "web", "--summaries", "--json")
    assert done.exit_code == 0, done.output
    found = [one["summary"] for one in json.loads(done.stdout)["objects"]]
    assert [one["state"] for one in found] == ["present", "unusable", "missing"]
    assert found[0]["size_bytes"] == len(objects.get(summary_key(first["segment"])))
    (column,) = [one for one in found[0]["columns"] if one["field"] == "n"]
    assert (column["low"], column["high"], column["distinct"]) == (0, 2, 3)
    each = SUMMARY_ROWS_MIN // 3
    assert column["values"] == [[0, each + 1], [1, each + 1], [2, each]]
    assert (column["rows"], column["values_complete"]) == (SUMMARY_ROWS_MIN, True)
    assert "is not of format" in found[1]["why"]
    table = run(tmp_path, "web", "--summaries").stdout
    assert third["segment"][:12] in table
    assert "1 present, 1 missing, 1 unusable, 0 unwanted" in " ".join(table.split())


def test_small_segments_want_no_summary(tmp_path: Path, web: str) -> None:
    found = json.loads(run(tmp_path, "web", "--summaries", "--json").stdout)["objects"]
    assert [one["summary"]["state"] for one in found] == ["unwanted"] * 3


def test_from_s3_it_gives_addresses_and_files(
    tmp_path: Path, servers: Cluster, s3_server: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = servers.environment()
    monkeypatch.setenv(conformance.VARIABLE, json.dumps(environment))
    objects = conformance.s3_objects(tmp_path)
    asyncio.run(filled(tmp_path, lambda _: objects))
    for name, value in environment.items():
        if name.startswith("BELLWETHER_S3_"):
            monkeypatch.setenv(name, value)
    prefix = conformance.namespace(tmp_path)
    monkeypatch.setenv("BELLWETHER_S3_PREFIX", prefix)
    monkeypatch.setenv("BELLWETHER_BACKENDS_OBJECTS", "s3")
    target = tmp_path / "out"
    done = run(tmp_path, "web", "--extract", str(target), "--json")
    assert done.exit_code == 0, done.output
    assert numbers(target) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    bucket = environment["BELLWETHER_S3_BUCKET"]
    for one in json.loads(done.stdout)["objects"]:
        assert one["address"] == f"s3://{bucket}/{prefix}/{one['key']}"


@pytest.mark.parametrize("kind", ["retention", "compactions"])
def test_a_document_that_cannot_be_read_is_told(tmp_path: Path, web: str, kind: str) -> None:
    """It may hide or replace segments that are listed."""
    key = f"{kind}/00000/00000001.json"
    DirectoryObjects(tmp_path / "objects").put_if_absent(key, b"damaged")
    found = run(tmp_path, "web")
    assert found.exit_code == 0, found.output
    assert f"warning: {key}: it cannot be read" in found.stderr
