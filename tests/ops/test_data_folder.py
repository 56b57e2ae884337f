"""Whatever damages a file of the data folder, doctor reports it (I13).

Exempt are only files that are repaired automatically: caches, locks, and documents that are made
again from the log.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bellwether.commands.operate.doctor import check_data
from bellwether.config.secrets import read_internal_token
from bellwether.config.sections import UpConfig
from bellwether.config.settings import load
from bellwether.supervisor.first_start import prepare
from common.log.embedded.known_ends import FILE as KNOWN_ENDS
from common.metadata.sqlite import SqliteMetadata
from common.model.record import Marker, marker_record
from ops.doctor.data_folder import ReadLimits
from ops.doctor.machine import Finding, Verdict
from tests.indexer.harness import append, open_context, published, running, until

CUT = marker_record(Marker(hour=None, reason="test"))
Damage = Callable[[Path], None]


def flip(path: Path) -> None:
    """The position to damage: within a record if there is one, otherwise the middle."""
    data = bytearray(path.read_bytes())
    at = data.rfind(b"\x28\xb5\x2f\xfd") if path.suffix == ".db" else len(data) // 2
    data[max(at, 0)] ^= 4
    path.write_bytes(data)


DAMAGES: dict[str, Damage] = {
    "emptied": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "flipped": flip,
    "removed": Path.unlink,
    "foreign": lambda path: path.write_bytes(b"something else altogether\n" * 40),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `up` leaves it: two cuts published, two batches only in the log."""
    data = tmp_path_factory.mktemp("template") / "data"
    data.mkdir()
    metadata = SqliteMetadata(data / "metadata.db")
    metadata.open()
    prepare(data, UpConfig(), metadata, 1)
    metadata.close()
    read_internal_token(data)
    asyncio.run(fill(data))
    return data


async def fill(data: Path) -> None:
    async with open_context(data) as context:
        log = context.backends.log
        await append(log, [1, 2], [3])
        await log.append(0, CUT)
        await append(log, [4])
        await log.append(0, CUT)
        async with running(context) as partition:
            await until(partition, published(5))
        await append(log, [5], [6])


def failures(data: Path) -> list[Finding]:
    settings = load({("node", "data"): str(data)}, {}, data)
    found = asyncio.run(check_data(settings))
    return [item for item in found if item.verdict is Verdict.FAIL]


def mended_by_itself(path: str, how: str) -> bool:
    """Whether the file is a cache or a lock, or is made again from undamaged files."""
    if path.startswith(("roles/", "locks/", "logs/")) or path.endswith(".lock"):
        return True
    if path == f"log/{KNOWN_ENDS}":
        return True
    if path.startswith("objects/headings/"):
        return True  # one that cannot be read counts as if it were not there: another is put
    if path.startswith("secrets/"):
        return how in ("removed", "flipped")  # a flipped key is another key: metadata decides
    # while the log still holds its records, a manifest that is not there is made again
    return how == "removed" and path.startswith(("objects/manifests/", "objects/epochs/"))


def test_a_whole_data_folder_is_fine_and_stays_as_it_is(template: Path) -> None:
    before = sorted(path for path in template.rglob("*"))
    assert failures(template) == []
    assert sorted(path for path in template.rglob("*")) == before


@pytest.mark.parametrize("how", DAMAGES)
def test_no_damaged_file_is_called_well(template: Path, tmp_path: Path, how: str) -> None:
    tried, missed = 0, []
    for original in sorted(path for path in template.rglob("*") if path.is_file()):
        name = str(original.relative_to(template))
        if mended_by_itself(name, how) or (name == "metadata.db" and how == "flipped"):
            continue  # SQLite keeps no checksum of its content
        data = tmp_path / "data"
        shutil.copytree(template, data)
        path = data / name
        path.chmod(0o644)
        DAMAGES[how](path)
        findings = failures(data)
        tried += 1
        if not findings or not all(item.text and item.remedy for item in findings):
            missed.append((name, [item.text for item in findings]))
        shutil.rmtree(data)
    assert missed == []
    assert tried >= 4


@pytest.mark.parametrize("folder", ["objects", "log", "log/p00000", "metadata.db"])
def test_no_missing_folder_is_called_well(template: Path, tmp_path: Path, folder: str) -> None:
    data = tmp_path / "data"
    shutil.copytree(template, data)
    place = data / folder
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    assert failures(data)


def test_what_was_not_read_is_said(template: Path) -> None:
    settings = load({("node", "data"): str(template)}, {}, template)
    found = asyncio.run(check_data(settings, ReadLimits(log_bytes=1, segment_bytes=1)))
    for check in ("log", "objects"):
        [item] = [item for item in found if item.check == check]
        assert "bellwether verify" in item.text
